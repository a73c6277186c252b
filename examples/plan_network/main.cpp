// Plans a network on an architecture and says which operator costs most energy.
// usage: plan_network MODEL ARCHITECTURE PLAN.json, for example: plan_network resnet50 eyeriss
// p.json
#include <algorithm>
#include <iostream>

#include <sluice/sluice.h>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: plan_network MODEL ARCHITECTURE PLAN.json\n";
    return 2;
  }
  const auto network = sluice::Network::Load(argv[1]);
  const auto machine = sluice::Architecture::Load(argv[2]);
  if (!network || !machine) {
    std::cerr << (network ? machine.error() : network.error()).text;
    return 2;
  }
  sluice::PlanOptions options;
  options.objective = sluice::Objective::kEdp;
  options.evaluations = 2000;  // of each distinct operator; 0 lets the mapper decide
  const auto plan = sluice::Plan::Make(*network, *machine, options);
  if (!plan) {
    std::cerr << plan.error().text;
    return 1;
  }
  const auto operators = plan->operators();
  const auto dearest =
      std::max_element(operators.begin(), operators.end(),
                       [](const auto& a, const auto& b) { return a.energy_pj < b.energy_pj; });
  std::cout << plan->totals().energy_pj * 1e-9 << " mJ, " << plan->totals().cycles << " cycles\n"
            << "dearest: " << dearest->name << ", bound by " << dearest->binding << "\n"
            << dearest->loop_nest;
  return plan->WriteJson(argv[3]).ok() ? 0 : 1;
}
