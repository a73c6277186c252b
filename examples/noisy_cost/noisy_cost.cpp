// A cost program that is slow and not quite right, as simulators and measured chips are: it passes
// on what another cost program answers, times a factor of its own for each answer, after a delay.
//   g++ -O2 -std=c++17 noisy_cost.cpp -o noisy_cost
//   sluice compare "conv K=64 C=64 P=56 Q=56 R=3 S=3" --budget-evaluations 300
//     --cost-command "sluice price | ./noisy_cost 0.1 2"
// usage: noisy_cost NOISE MILLISECONDS. The factor is exp(NOISE * n), n about normal; it depends on
// the answer alone, because the same code must always cost the same.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>

namespace {

/// Sum of 12 uniform numbers made of the text (FNV-1a, then SplitMix64).
double NormalOf(const std::string& text) {
  std::uint64_t state = 14695981039346656037ULL;
  for (const char c : text) {
    state = (state ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  double sum = -6;
  for (int i = 0; i < 12; ++i) {
    std::uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    sum += static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: noisy_cost NOISE MILLISECONDS\n";
    return 2;
  }
  const double noise = std::strtod(argv[1], nullptr);
  const auto delay = std::chrono::milliseconds(std::strtol(argv[2], nullptr, 10));
  std::cout.precision(17);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    double cycles = 0;
    double energy = 0;
    double full = 0;
    if (words >> cycles >> energy >> full) {
      std::this_thread::sleep_for(delay);
      const double factor = std::exp(noise * NormalOf(line));
      std::cout << cycles * factor << ' ' << energy * factor << ' ' << full * factor << std::endl;
    } else {
      std::cout << line << std::endl;  // ready, done, illegal
    }
  }
}
