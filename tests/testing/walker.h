#pragma once
/// \file
/// A reference engine for the cost model: it runs a small loop nest one step at a time, remembers
/// which words every instance of every memory holds, and counts what crosses each edge. Literal,
/// slow and written from the definitions of docs/cost-model.md alone, so that cost::Evaluator
/// (closed form) and this file are two independent witnesses of one count.
///
/// Per pair (parent, child) of levels that keep a tensor, and for the pair (innermost level,
/// compute unit), it enumerates the temporal loops above the child in order; at each step every
/// active child instance gets its tile as an explicit sorted set of words; new words are the set
/// difference that the window rule allows. Cost: levels x tensors x points x log(points) time,
/// memory one tile per instance plus every word ever held. Meant for nests below about a million
/// points.
///
/// Hops are walked for words on their way from parent to child and for drained outputs; partial
/// sums that are read back (policy network_read_back) and forwarded words travel for free here.
/// Tested by tests/unit/walker_test.cpp (vectors recorded from Timeloop).

#include "cost/cost.h"

namespace sluice::testing {

/// Walks `mapping`. Requires: every loop list refers to existing dims, the mapping covers the
/// workload exactly (mapping.h), level 0 keeps every tensor, counts stay below 2^62.
cost::Cost Walk(const mapping::Workload& workload, const arch::Chain& chain,
                const mapping::Mapping& mapping, const cost::Policy& policy);

}  // namespace sluice::testing
