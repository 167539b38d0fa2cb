#include "cli/usage_error.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "base/nearest.h"
#include "cli/command.h"

namespace palette::cli {
namespace {

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) out.push_back(sub->get_name());
  return out;
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> out;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

// "; did you mean --records?", or nothing.
std::string guess(const std::string& found, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view near = nearest_name(found, views);
  return near.empty() ? "" : "; did you mean " + std::string(near) + "?";
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

// What is wrong with the arguments of `command`, or nothing when only the parser knows.
std::string wrong_argument(const CLI::App& command, const std::string& called, const std::vector<std::string>& rest) {
  const std::vector<std::string> commands = commands_of(command);
  if (!commands.empty()) {
    const auto named =
        std::find_if(rest.begin(), rest.end(), [](const std::string& word) { return !word.starts_with('-'); });
    if (named == rest.end()) return "a command is missing; known are " + joined(commands);
    const std::size_t space = called.find(' ');
    const std::string within = space == std::string::npos ? "" : called.substr(space + 1) + " ";
    const std::string near = guess(*named, commands);
    return "there is no command '" + within + *named + "'" + (near.empty() ? "; known are " + joined(commands) : near);
  }
  const std::vector<std::string> extra = command.remaining();
  for (const std::string& word : rest) {
    if (std::find(extra.begin(), extra.end(), word) == extra.end()) continue;
    if (!word.starts_with('-')) return "'" + word + "' is one argument too many";
    const std::string flag = word.substr(0, word.find('='));
    return called + " has no flag '" + flag + "'" + guess(flag, flags_of(command));
  }
  return "";
}

}  // namespace

int tell_usage_error(const CLI::App& app, std::string what, std::vector<std::string> arguments) {
  const CLI::App* command = &app;
  std::string called = app.get_name();
  std::size_t at = 0;
  for (; at < arguments.size(); ++at) {
    const auto& subs = command->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == arguments[at]; });
    if (subs.empty()) break;
    command = subs.front();
    called += " " + arguments[at];
  }
  const std::string wrong =
      wrong_argument(*command, called, {arguments.begin() + static_cast<std::ptrdiff_t>(at), arguments.end()});
  return tell_error(Error{ErrorKind::bad_input, (wrong.empty() ? what : wrong) +
                                                    (wrong.ends_with('?') ? " See " : "; see ") + called + " --help"});
}

}  // namespace palette::cli
