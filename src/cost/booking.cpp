// From deliveries to reads, fills and updates: the rules of the policy, in one place for both
// engines.
//
// Read tensors are simple: the parent reads what it serves, the child is filled with what it gets.
//
// Outputs travel up. Every delivery is drained by the child and added into the parent. What the
// parent must read to add, and what the child must fetch back to go on accumulating, is where
// models differ:
//   default             child fetches what it has held before (delivered - partition); parent reads
//                       updates - partition (its first write of a word needs no read)
//   no elision          nothing is subtracted
//   dram_accumulates    nothing is fetched from level 0, which still reads in order to add
//   parent_accumulates  nothing is fetched from inner levels: a child adds within one visit only
//                       (updates - delivered) and its parent does the rest; level 0 reads every
//                       update
// The read of a level for accumulation is booked when its own edge to the parent is known, hence
// the innermost-first order.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "cost/compiled.h"
#include "cost/policy.h"

namespace sluice::cost {
namespace {

std::int64_t RoundUp(std::int64_t words, std::int64_t block) {
  return (words + block - 1) / block;
}

/// Words and blocks of a read.
struct Amount {
  std::int64_t words = 0;
  std::int64_t blocks = 0;
};

Amount Minus(const Amount& a, std::int64_t words, std::int64_t blocks) {
  return {std::max<std::int64_t>(0, a.words - words), std::max<std::int64_t>(0, a.blocks - blocks)};
}

void BookReads(const EdgeList& edges, int tensor, Work& work) {
  for (const Edge& e : edges) {
    Counters& parent = work.at[Index(e.parent)][Index(tensor)];
    parent.reads += e.served;
    parent.read_blocks += e.served_blocks;
    parent.network_words += e.served;
    if (&e != edges.begin()) {  // the innermost edge feeds the compute units, which hold nothing
      Counters& child = work.at[Index(e.child)][Index(tensor)];
      child.fills += e.delivered;
      child.fill_blocks += e.delivered_blocks;
    }
  }
}

void BookOutput(const Compiled& compiled, const Policy& policy, int tensor, const EdgeList& edges,
                Work& work) {
  const bool accumulates = compiled.tensor[Index(tensor)].accumulates;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const Edge& e = edges[i];
    Counters& parent = work.at[Index(e.parent)][Index(tensor)];
    parent.updates += e.served;
    parent.update_blocks += e.served_blocks;
    parent.network_words += e.served;
    parent.spatial_reductions += e.delivered - e.served;
    if (i > 0 && policy.child_read_on_drain) {
      Counters& child = work.at[Index(e.child)][Index(tensor)];
      child.reads += e.delivered;
      child.read_blocks += e.delivered_blocks;
    }
    if (!accumulates) {
      continue;
    }
    // What this edge's child fetches back.
    const bool fetches = !(policy.dram_accumulates && e.parent == 0) &&
                         !(policy.parent_accumulates && e.parent != 0);
    if (i > 0 && fetches) {
      Counters& child = work.at[Index(e.child)][Index(tensor)];
      const Amount all{e.delivered, e.delivered_blocks};
      const Amount back =
          policy.first_read_elision ? Minus(all, e.child_partition, e.child_first_blocks) : all;
      child.fills += back.words;
      child.fill_blocks += back.blocks;
    }
    // What this edge's parent reads in order to add.
    const bool outermost = i + 1 == edges.size();
    const Amount all{e.served, e.served_blocks};
    Amount accumulate = all;
    if (policy.first_read_elision) {
      if (outermost) {
        accumulate =
            policy.parent_accumulates ? all : Minus(all, e.parent_partition, e.parent_first_blocks);
      } else if (policy.parent_accumulates && edges[i + 1].parent != 0) {
        const Edge& up = edges[i + 1];
        const std::int64_t words = std::max<std::int64_t>(0, e.served - up.delivered);
        // Within one visit each word is written once without a read; blocks in proportion.
        accumulate = {words, e.served == 0 ? 0 : RoundUp(words * e.served_blocks, e.served)};
      } else {
        accumulate = Minus(all, e.parent_partition, e.parent_first_blocks);
      }
    }
    parent.reads += accumulate.words;
    parent.read_blocks += accumulate.blocks;
    if (policy.network_read_back && i > 0 && fetches) {
      parent.network_words += accumulate.words;
    }
  }
}

}  // namespace

void BookTensor(const Compiled& compiled, const Policy& policy, int tensor, const EdgeList& edges,
                Work& work) {
  for (const Edge& e : edges) {
    work.at[Index(e.parent)][Index(tensor)].kept = true;
    if (e.child < compiled.levels) {
      work.at[Index(e.child)][Index(tensor)].tile_words = e.tile_words;
    }
  }
  if (compiled.tensor[Index(tensor)].is_output) {
    BookOutput(compiled, policy, tensor, edges, work);
  } else {
    BookReads(edges, tensor, work);
  }
}

void RoundTotals(const Compiled& compiled, const Policy& policy, Work& work) {
  const bool per_tile = policy.vector_rounding == VectorRounding::kPerTile;
  for (int l = 0; l < compiled.levels; ++l) {
    const std::int64_t block = compiled.level[Index(l)].block_words;
    const std::int64_t instances = work.instances[Index(l)];
    for (int t = 0; t < compiled.tensors; ++t) {
      Counters& c = work.at[Index(l)][Index(t)];
      if (block == 1) {
        c.read_blocks = c.reads;
        c.fill_blocks = c.fills;
        c.update_blocks = c.updates;
      } else if (!per_tile) {
        c.read_blocks = RoundUp(c.reads, block * instances) * instances;
        c.fill_blocks = RoundUp(c.fills, block * instances) * instances;
        c.update_blocks = RoundUp(c.updates, block * instances) * instances;
      }
    }
  }
}

}  // namespace sluice::cost
