// What the AWS parts read from their surroundings, as values: environment variables and the home folder. Tests make
// their own.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace palette::aws {

struct Environment {
  std::map<std::string, std::string, std::less<>> variables;
  std::filesystem::path home;

  // "" when it is not set.
  std::string_view get(std::string_view name) const;

  static Environment of_process();
};

}  // namespace palette::aws
