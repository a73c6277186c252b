/// \file
/// Imported iteration spaces, executed point by point, give the outputs recorded in
/// libonnx-testdata.
///
/// This is the test that accesses are *right* and not only of the right size: strides, dilations,
/// padding, groups, transposed and broadcast operands, permutations and resizes. The interpreter
/// knows nothing of ONNX: it enumerates points, evaluates the affine indices, treats what falls
/// outside as padding, and combines the operands by the operator's work (multiply-accumulate, move)
/// or, for a few vector operators, by its kind. Models with data-dependent addressing are left to
/// other tests.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "base/checked.h"
#include "io/onnx/onnx.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;
using Values = std::vector<double>;

constexpr const char* kNodes = "/usr/share/libonnx-testdata/data/node";
constexpr std::int64_t kMaxPoints = 4'000'000;

template <class T>
Values FromRaw(const std::string& raw) {
  std::vector<T> numbers(raw.size() / sizeof(T));
  if (!numbers.empty()) {
    std::memcpy(numbers.data(), raw.data(), numbers.size() * sizeof(T));
  }
  return Values(numbers.begin(), numbers.end());
}

std::optional<Values> Decode(const onnx::TensorProto& tensor) {
  const std::string& raw = tensor.raw_data();
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
      return raw.empty() ? Values(tensor.float_data().begin(), tensor.float_data().end())
                         : FromRaw<float>(raw);
    case onnx::TensorProto::DOUBLE:
      return raw.empty() ? Values(tensor.double_data().begin(), tensor.double_data().end())
                         : FromRaw<double>(raw);
    case onnx::TensorProto::INT64:
      return raw.empty() ? Values(tensor.int64_data().begin(), tensor.int64_data().end())
                         : FromRaw<std::int64_t>(raw);
    case onnx::TensorProto::INT32:
      return raw.empty() ? Values(tensor.int32_data().begin(), tensor.int32_data().end())
                         : FromRaw<std::int32_t>(raw);
    case onnx::TensorProto::UINT8:
    case onnx::TensorProto::BOOL:
      return raw.empty() ? Values(tensor.int32_data().begin(), tensor.int32_data().end())
                         : FromRaw<std::uint8_t>(raw);
    default:
      return std::nullopt;
  }
}

template <class Proto>
bool Parse(const fs::path& path, Proto* proto) {
  std::ifstream in(path, std::ios::binary);
  return in && proto->ParseFromIstream(&in);
}

enum class Rule { kProduct, kCopy, kSum, kDifference, kMax, kMin, kMean, kUnknown };

/// How an operator combines its operands; kUnknown leaves the model out.
Rule RuleFor(const ir::Operator& op) {
  static const std::map<std::string, Rule> kByKind = {
      {"Add", Rule::kSum},          {"Sum", Rule::kSum},
      {"ReduceSum", Rule::kSum},    {"Sub", Rule::kDifference},
      {"Mul", Rule::kProduct},      {"Max", Rule::kMax},
      {"MaxPool", Rule::kMax},      {"GlobalMaxPool", Rule::kMax},
      {"ReduceMax", Rule::kMax},    {"Min", Rule::kMin},
      {"ReduceMin", Rule::kMin},    {"GlobalAveragePool", Rule::kMean},
      {"AveragePool", Rule::kMean}, {"ReduceMean", Rule::kMean},
      {"Mean", Rule::kMean}};
  if (op.name.ends_with(".bias")) {
    return Rule::kSum;
  }
  if (op.name.ends_with(".indices")) {
    return Rule::kUnknown;  // positions, not values
  }
  if (op.macs() > 0) {
    return Rule::kProduct;
  }
  if (op.is_view() || op.body[0].work_class == ir::WorkClass::kMove) {
    return op.kind == "Trilu" || op.kind == "EyeLike" ? Rule::kUnknown : Rule::kCopy;
  }
  const auto it = kByKind.find(op.kind);
  return it == kByKind.end() ? Rule::kUnknown : it->second;
}

/// Flat position of the element an access touches at a point, or nothing if it is padding.
std::optional<std::size_t> Position(const ir::Access& access, const ir::Tensor& tensor,
                                    const std::vector<std::int64_t>& point) {
  std::int64_t at = 0;
  for (std::size_t x = 0; x < access.axes.size(); ++x) {
    std::int64_t sum = access.axes[x].offset;
    for (const ir::Term& term : access.axes[x].terms) {
      sum += term.coefficient * point[static_cast<std::size_t>(term.dim)];
    }
    const std::int64_t index = FloorDiv(sum, access.axes[x].divisor);
    if (index < 0 || index >= tensor.shape[x]) {
      return std::nullopt;
    }
    at = at * tensor.shape[x] + index;
  }
  return static_cast<std::size_t>(at);
}

class Interpreter {
 public:
  Interpreter(const ir::Network& network, std::map<std::string, Values> inputs)
      : network_(network), values_(network.tensors.size()) {
    for (std::size_t t = 0; t < network.tensors.size(); ++t) {
      const auto it = inputs.find(network.tensors[t].name);
      values_[t] = it != inputs.end()
                       ? it->second
                       : Values(static_cast<std::size_t>(network.tensors[t].elements()), 0.0);
    }
  }

  void Run(const ir::Operator& op) {
    const Rule rule = RuleFor(op);
    const ir::Tensor& out = network_.tensor(op.output().tensor);
    Values& y = values_[static_cast<std::size_t>(op.output().tensor.value)];
    const double start = rule == Rule::kMax   ? -std::numeric_limits<double>::infinity()
                         : rule == Rule::kMin ? std::numeric_limits<double>::infinity()
                                              : 0.0;
    std::vector<bool> touched(y.size(), false);
    Values counts(y.size(), 0.0);
    std::vector<std::int64_t> point(op.dims.size(), 0);
    for (std::int64_t n = op.points(); n > 0; --n) {
      if (const auto to = Position(op.output(), out, point)) {
        if (!touched[*to]) {
          touched[*to] = true;
          y[*to] = start;
        }
        Combine(op, rule, point, &y[*to], &counts[*to]);
      }
      for (std::size_t d = point.size(); d-- > 0;) {
        if (++point[d] < op.dims[d].bound) {
          break;
        }
        point[d] = 0;
      }
    }
    for (std::size_t i = 0; rule == Rule::kMean && i < y.size(); ++i) {
      y[i] /= counts[i];
    }
  }

  [[nodiscard]] const Values& value(std::size_t tensor) const { return values_[tensor]; }

 private:
  void Combine(const ir::Operator& op, Rule rule, const std::vector<std::int64_t>& point, double* y,
               double* count) const {
    double product = 1;
    for (std::size_t a = 0; a + 1 < op.accesses.size(); ++a) {
      const ir::Access& access = op.accesses[a];
      const auto at = Position(access, network_.tensor(access.tensor), point);
      const double v = at ? values_[static_cast<std::size_t>(access.tensor.value)][*at] : 0.0;
      product *= v;
      switch (rule) {
        case Rule::kSum:
        case Rule::kMean:
        case Rule::kCopy:
          *y += v;
          *count += at ? 1 : 0;
          break;
        case Rule::kDifference:
          *y += a == 0 ? v : -v;
          break;
        case Rule::kMax:
          *y = at ? std::max(*y, v) : *y;
          break;
        case Rule::kMin:
          *y = at ? std::min(*y, v) : *y;
          break;
        default:
          break;
      }
    }
    if (rule == Rule::kProduct) {
      *y += product;
    }
  }

  const ir::Network& network_;
  std::vector<Values> values_;
};

bool CanInterpret(const ir::Network& network) {
  for (const ir::Operator& op : network.operators) {
    const bool indirect =
        std::any_of(op.accesses.begin(), op.accesses.end(), [](const ir::Access& access) {
          return std::any_of(access.axes.begin(), access.axes.end(),
                             [](const ir::AxisExpr& axis) { return axis.indirect; });
        });
    const Rule rule = RuleFor(op);
    const std::size_t reads = op.accesses.size() - 1;
    if (indirect || rule == Rule::kUnknown || !op.parameters.empty() || reads == 0 ||
        op.points() > kMaxPoints || (rule == Rule::kCopy && reads != 1)) {
      return false;
    }
  }
  return !network.operators.empty();
}

/// Attributes the interpreter does not know.
bool HasOddAttributes(const onnx::ModelProto& model) {
  for (const auto& node : model.graph().node()) {
    for (const auto& attribute : node.attribute()) {
      const std::string& name = attribute.name();
      if (name == "alpha" || name == "beta" || name == "count_include_pad" ||
          name == "storage_order" ||
          (name == "mode" && (attribute.s() == "linear" || attribute.s() == "cubic"))) {
        return true;
      }
    }
  }
  return false;
}

enum class Outcome { kLeftOut, kEqual, kDifferent };

Outcome Check(const fs::path& folder) {
  onnx::ModelProto model;
  if (!Parse(folder / "model.onnx", &model) || HasOddAttributes(model)) {
    return Outcome::kLeftOut;
  }
  std::map<std::string, Values> inputs;
  for (int i = 0; i < model.graph().input_size(); ++i) {
    onnx::TensorProto tensor;
    if (!Parse(folder / "test_data_set_0" / ("input_" + std::to_string(i) + ".pb"), &tensor)) {
      return Outcome::kLeftOut;
    }
    const auto values = Decode(tensor);
    if (!values) {
      return Outcome::kLeftOut;
    }
    const std::string name = model.graph().input(i).name();
    inputs[name] = *values;
    // Integers that steer the shape are graph inputs in this corpus; a model has them as constants.
    const bool steers = i > 0 && (tensor.data_type() == onnx::TensorProto::INT64 ||
                                  model.graph().node(0).op_type() == "Resize");
    if (steers) {
      tensor.set_name(name);
      *model.mutable_graph()->add_initializer() = tensor;
    } else if (i > 1 && model.graph().node(0).op_type() == "Pad") {
      return Outcome::kLeftOut;  // pads with a number of its own
    }
  }
  for (const auto& tensor : model.graph().initializer()) {
    if (const auto values = Decode(tensor)) {
      inputs[tensor.name()] = *values;
    }
  }
  const Result<ir::Network> network = ImportOnnx(model.SerializeAsString(), folder.string(), {});
  if (!network || !network->warnings.empty() || !CanInterpret(*network)) {
    return Outcome::kLeftOut;
  }
  Interpreter interpreter(*network, inputs);
  for (const ir::Operator& op : network->operators) {
    interpreter.Run(op);
  }
  bool any = false;
  for (int o = 0; o < model.graph().output_size(); ++o) {
    onnx::TensorProto expected;
    if (!Parse(folder / "test_data_set_0" / ("output_" + std::to_string(o) + ".pb"), &expected)) {
      continue;
    }
    const auto values = Decode(expected);
    for (std::size_t t = 0; values && t < network->tensors.size(); ++t) {
      if (network->tensors[t].name != model.graph().output(o).name()) {
        continue;
      }
      any = true;
      const Values& got = interpreter.value(t);
      if (got.size() != values->size()) {
        return Outcome::kDifferent;
      }
      for (std::size_t i = 0; i < got.size(); ++i) {
        const double tolerance = 1e-4 * (1.0 + std::abs((*values)[i]));
        if (!(std::abs(got[i] - (*values)[i]) <= tolerance)) {
          std::cout << folder.filename().string() << " output " << o << " element " << i << ": "
                    << got[i] << " instead of " << (*values)[i] << "\n";
          return Outcome::kDifferent;
        }
      }
    }
  }
  return any ? Outcome::kEqual : Outcome::kLeftOut;
}

TEST(OnnxValues, ExecutedIterationSpacesGiveTheRecordedOutputs) {
  if (!fs::exists(kNodes)) {
    GTEST_SKIP() << "install libonnx-testdata to execute its models";
  }
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(kNodes)) {
    folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  int equal = 0;
  int left_out = 0;
  for (const fs::path& folder : folders) {
    const Outcome outcome = Check(folder);
    EXPECT_NE(outcome, Outcome::kDifferent) << folder;
    equal += outcome == Outcome::kEqual ? 1 : 0;
    left_out += outcome == Outcome::kLeftOut ? 1 : 0;
  }
  std::cout << equal << " models executed and equal, " << left_out << " left out\n";
  EXPECT_GT(equal, 150);
}

}  // namespace
}  // namespace sluice::io
