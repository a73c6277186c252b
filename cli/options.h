#pragma once
/// \file
/// The options of one verb. A thin wall around CLI11, so that only options.cpp pays for compiling
/// it and a new verb is one file that declares what it takes and reads plain variables. Tested by
/// tests/cli/usage_test.py.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/diagnostic.h"

namespace sluice::cli {

class Options {
 public:
  /// `examples`: whole lines, shown at the end of `--help`.
  Options(const std::string& verb, const std::string& summary, const std::string& examples);
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  ~Options();

  /// Targets must outlive Parse; their values at declaration are the defaults, shown in the help.
  void Positional(const std::string& name, const std::string& help, std::string* target,
                  bool required = true);
  void Positionals(const std::string& name, const std::string& help,
                   std::vector<std::string>* targets);
  void Flag(const std::string& names, const std::string& help, bool* target);
  void Text(const std::string& names, const std::string& placeholder, const std::string& help,
            std::string* target);
  void TextList(const std::string& names, const std::string& placeholder, const std::string& help,
                std::vector<std::string>* targets);
  void Integer(const std::string& names, const std::string& help, std::int64_t minimum,
               std::int64_t maximum, std::int64_t* target);
  /// Greater than zero.
  void Seconds(const std::string& names, const std::string& help, double* target);

  /// True: the verb may run. False: the help was asked for; print Help(). Errors: kUsage with a
  /// hint.
  Result<bool> Parse(std::span<const std::string> arguments);
  [[nodiscard]] std::string Help() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::cli
