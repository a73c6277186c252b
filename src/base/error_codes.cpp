/// \file
/// The table of stable error codes: what `sluice doctor` and docs/errors.md print. A new enumerator
/// needs a row here; tests/unit/diagnostic_test.cpp compares the two.

#include <vector>

#include "base/diagnostic.h"

namespace sluice {

const std::vector<ErrorCodeInfo>& AllErrorCodes() {
  using enum ErrorCode;
  static const std::vector<ErrorCodeInfo> kTable = {
      {kFileUnreadable, "file-unreadable",
       "A file does not exist, is a directory, or may not be read."},
      {kFileUnwritable, "file-unwritable",
       "A file cannot be written, for example because the disk is full; nothing was left behind."},
      {kFileTooLarge, "file-too-large", "A file is larger than the limit for its kind."},
      {kProgram, "program",
       "A program that Sluice was told to run does not start, dies, hangs or answers nonsense."},
      {kUsage, "usage", "The command line is not understood."},
      {kUnknownName, "unknown-name",
       "A name given by the user (machine, mapper, policy, objective) does not exist."},
      {kSyntax, "syntax", "The text is not well-formed YAML, JSON or descriptor syntax."},
      {kUnknownKey, "unknown-key", "A key is not part of the format; nothing is ever ignored."},
      {kDuplicateKey, "duplicate-key", "The same key appears twice in one map."},
      {kMissingKey, "missing-key", "A required key is absent."},
      {kWrongType, "wrong-type", "A value has the wrong shape: map, list, text or number."},
      {kBadValue, "bad-value", "A value is outside what is possible."},
      {kBadUnit, "bad-unit", "A quantity has no unit, or a unit of another kind."},
      {kTooDeep, "too-deep", "The text is nested deeper, or expands further, than the limit."},
      {kVersion, "version", "The file's format version is not one that this program reads."},
      {kOnnxMalformed, "onnx-malformed", "The file is not a complete ONNX model."},
      {kOnnxUnsupportedOp, "onnx-unsupported-op", "The model uses an operator that is not known."},
      {kOnnxUnsupportedOpset, "onnx-unsupported-opset",
       "The model uses an operator set version that is not supported."},
      {kOnnxMissingTensor, "onnx-missing-tensor",
       "A node reads a tensor that no node, input or initializer provides."},
      {kOnnxCycle, "onnx-cycle", "The graph has a cycle."},
      {kOnnxShape, "onnx-shape", "Shapes of a node's tensors do not fit together."},
      {kOnnxDynamicDim, "onnx-dynamic-dim", "A dimension is symbolic and was given no value."},
      {kOnnxOverflow, "onnx-overflow", "A size or count is too large to represent exactly."},
      {kOnnxControlFlow, "onnx-control-flow", "The model uses If, Loop or Scan."},
      {kArchInvalid, "arch-invalid", "The architecture contradicts itself or lacks something."},
      {kMappingInvalid, "mapping-invalid", "The mapping does not fit the operator or the machine."},
      {kMappingCoverage, "mapping-coverage",
       "The factors of a dim do not cover its bound exactly once."},
      {kMappingCapacity, "mapping-capacity", "The tiles kept at a level exceed its capacity."},
      {kMappingFanOut, "mapping-fan-out",
       "The spatial factors exceed a fan-out or use a dim it does not allow."},
      {kNoValidMapping, "no-valid-mapping", "No mapping of the operator fits the machine."},
      {kPlanMismatch, "plan-mismatch",
       "A plan does not belong to the given model, architecture or version."},
      {kConstraints, "constraints",
       "Constraints contradict themselves, the operator or the machine, or a mapping breaks them."},
      {kOperatorInvalid, "operator-invalid",
       "An operator's iteration space, accesses or body break an invariant."},
  };
  return kTable;
}

}  // namespace sluice
