// A command line that cannot be understood: one line that says what is wrong, what was meant perhaps, and where help
// is.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace palette::cli {

// `what`: what the parser complained of, for whatever this does not know better. Gives the exit code.
int tell_usage_error(const CLI::App& app, std::string what, std::vector<std::string> arguments);

}  // namespace palette::cli
