#include "mapper/exact/ragged/tiles/rooms.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "arch/architecture.h"
#include "cost/compiled.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/tiles/steps.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

/// Bytes that rooms may take; beyond, all are forgotten.
constexpr std::size_t kMostBytes = 128'000'000;

/// Words of the smallest tile that a cell stands for.
double WordsAt(const cost::CompiledTensor& tensor, const Steps& steps, Cells x) {
  double words = 1;
  for (int a = 0; a < tensor.axes; ++a) {
    std::int64_t extent = 1;
    for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
      extent += term.coefficient * (steps.At(x, term.dim).least_tile - 1);
    }
    words *= static_cast<double>(extent);
  }
  return words;
}

}  // namespace

static_assert(arch::kMaxLevels <= 8, "a bit a level");

Rooms::Rooms(const Model& model, const Steps& steps) : model_(&model), steps_(&steps) {
  words_.reserve(static_cast<std::size_t>(steps.size()) * Index(model.tensors()));
  for (Cells x = 0; x < steps.size(); ++x) {
    for (int t = 0; t < model.tensors(); ++t) {
      words_.push_back(WordsAt(model.compiled().tensor[Index(t)], steps, x));
    }
  }
}

std::vector<std::uint8_t> Rooms::MakeLevel(int level, std::uint32_t keep) const {
  const auto tiles = static_cast<std::size_t>(steps_->size());
  const auto usable =
      static_cast<double>(model_->evaluator().validity().levels[Index(level)].usable_words);
  std::vector<std::uint8_t> fits(tiles);
  for (std::size_t x = 0; x < tiles; ++x) {
    double words = 0;
    for (int t = 0; t < model_->tensors(); ++t) {
      words += HasBit(keep, t) ? words_[x * Index(model_->tensors()) + Index(t)] : 0;
    }
    fits[x] = words <= usable ? 1 : 0;
  }
  return fits;
}

const Room& Rooms::Of(const Keeps& keeps) {
  const auto tiles = static_cast<std::size_t>(steps_->size());
  if (const auto known = room_.find(keeps); known != room_.end()) {
    return known->second;
  }
  if ((room_.size() + level_.size()) * tiles > kMostBytes) {
    room_.clear();
    level_.clear();
  }
  Room& room = room_[keeps];
  room.levels_.assign(tiles, 1);
  for (int l = 1; l < model_->levels(); ++l) {
    const auto [it, fresh] = level_.try_emplace({l, keeps[Index(l)]});
    if (fresh) {
      it->second = MakeLevel(l, keeps[Index(l)]);
    }
    const auto outer = static_cast<unsigned>(l - 1);
    for (std::size_t x = 0; x < tiles; ++x) {
      const unsigned fits = room.levels_[x] >> outer & it->second[x];
      room.levels_[x] = static_cast<std::uint8_t>(room.levels_[x] | fits << (outer + 1));
    }
  }
  return room;
}

}  // namespace sluice::mapper::exact
