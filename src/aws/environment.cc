#include "aws/environment.h"

#include <pwd.h>
#include <unistd.h>

namespace palette::aws {

std::string_view Environment::get(std::string_view name) const {
  const auto found = variables.find(name);
  return found == variables.end() ? std::string_view() : std::string_view(found->second);
}

Environment Environment::of_process() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    out.variables.emplace(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
  }
  out.home = out.get("HOME");
  if (out.home.empty()) {  // a service without a login shell; getpwuid's record is read before anything else runs
    if (const passwd* user = ::getpwuid(::getuid()); user != nullptr && user->pw_dir != nullptr)
      out.home = user->pw_dir;
  }
  return out;
}

}  // namespace palette::aws
