#pragma once
/// \file
/// All of the public API. Three steps: load a network, load an architecture, make a plan.
///
///     auto network = sluice::Network::Load("resnet50");
///     auto machine = sluice::Architecture::Load("eyeriss");
///     auto plan = sluice::Plan::Make(network.value(), machine.value());
///     plan->WriteJson("plan.json");
///
/// C++17 or newer; nothing but this library and the standard library is needed. Energies are
/// picojoules, times are cycles of the architecture's clock, sizes are words of the memory unless a
/// name says otherwise. examples/plan_network is a complete program.

#include <sluice/architecture.h>
#include <sluice/catalog.h>
#include <sluice/error.h>
#include <sluice/evaluation.h>
#include <sluice/network.h>
#include <sluice/plan.h>
