// Renders conformance cases (one JSON object a line) and writes a result line for each:
//
//   jinja_conformance CASES.jsonl RESULTS.jsonl [--expect KNOWN_IDS_FILE]
//
// With --expect it compares by itself: prints the pass rate and the failures by category, and ends with 1 when a
// case fails that the file (an id a line, then its reason) does not name.
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "jinja/environment.h"

namespace {

using namespace palette;
using jinja::Environment;
using jinja::Settings;
using jinja::Value;

std::string text_of(const JsonObject& object, std::string_view key) {
  const Json* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

void read_text(const JsonObject& object, std::string_view key, std::string& into) {
  if (object.contains(key)) into = text_of(object, key);
}

void read_flag(const JsonObject& object, std::string_view key, bool& into) {
  const Json* value = object.if_contains(key);
  if (value != nullptr && value->is_bool()) into = value->get_bool();
}

Settings settings_of(const JsonObject& object) {
  bool chat = text_of(object, "profile") == "hf";
  Settings settings = chat ? Settings::hugging_face() : Settings{};
  settings.allow_mutation = text_of(object, "sandbox") != "immutable";
  settings.loop_controls = chat;
  settings.do_extension = false;
  settings.late_unknown_names = true;
  read_flag(object, "trim_blocks", settings.trim_blocks);
  read_flag(object, "lstrip_blocks", settings.lstrip_blocks);
  read_flag(object, "keep_trailing_newline", settings.keep_trailing_newline);
  read_flag(object, "autoescape", settings.autoescape);
  if (const Json* extensions = object.if_contains("extensions"); extensions != nullptr && extensions->is_array()) {
    for (const Json& extension : extensions->get_array()) {
      settings.loop_controls |= extension == "loopcontrols";
      settings.do_extension |= extension == "do";
    }
  }
  std::string undefined = text_of(object, "undefined");
  if (undefined == "strict") settings.undefined = jinja::UndefinedMode::strict;
  if (undefined == "chainable") settings.undefined = jinja::UndefinedMode::chainable;
  if (undefined == "debug") settings.undefined = jinja::UndefinedMode::debug;
  read_text(object, "newline_sequence", settings.newline_sequence);
  read_text(object, "block_start_string", settings.block_start);
  read_text(object, "block_end_string", settings.block_end);
  read_text(object, "variable_start_string", settings.variable_start);
  read_text(object, "variable_end_string", settings.variable_end);
  read_text(object, "comment_start_string", settings.comment_start);
  read_text(object, "comment_end_string", settings.comment_end);
  read_text(object, "line_statement_prefix", settings.line_statement_prefix);
  read_text(object, "line_comment_prefix", settings.line_comment_prefix);
  return settings;
}

// strftime_now of Hugging Face, at 2024-07-26 00:00:00 (a Friday, day 208 of the year).
Result<Value> strftime_now(jinja::Call& call) {
  const Value* format = call.argument(0, "format");
  if (format == nullptr || !format->is_string()) return fail(ErrorKind::bad_input, "strftime_now wants a format");
  std::tm time{};
  time.tm_year = 124;
  time.tm_mon = 6;
  time.tm_mday = 26;
  time.tm_wday = 5;
  time.tm_yday = 207;
  std::string text(1024, '\0');
  text.resize(std::strftime(text.data(), text.size(), std::string(format->as_string()).c_str(), &time));
  return Value::of(text);
}

Result<std::string> render(const JsonObject& test) {
  Environment environment(settings_of(test.at("settings").as_object()));
  std::map<std::string, std::string> templates;
  if (const Json* others = test.if_contains("templates"); others != nullptr && others->is_object()) {
    for (const auto& other : others->get_object()) templates[other.key()] = std::string(other.value().as_string());
  }
  environment.set_loader([&](std::string_view name) -> std::optional<std::string> {
    auto found = templates.find(std::string(name));
    if (found == templates.end()) return std::nullopt;
    return found->second;
  });
  if (const Json* globals = test.if_contains("globals"); globals != nullptr && globals->is_object()) {
    for (const auto& global : globals->get_object()) {
      environment.add_global(std::string(global.key()), Value::from_json(global.value()));
    }
  }
  if (text_of(test.at("settings").as_object(), "profile") == "hf") {
    environment.add_function("strftime_now", strftime_now);
  }
  Result<jinja::Template> compiled = environment.compile(text_of(test, "template"), text_of(test, "id"));
  if (!compiled) return std::unexpected(compiled.error());
  return compiled->render(Value::from_json(test.at("context").as_object()));
}

struct Tally {
  std::map<std::string, std::pair<int, int>> by_category;  // passed, all
  int passed = 0, all = 0, unexpected = 0;
  std::set<std::string> known;

  void add(const JsonObject& test, const Result<std::string>& result) {
    bool error_due = test.contains("error") && test.at("error").as_bool();
    bool good = error_due ? !result.has_value() : result.has_value() && *result == text_of(test, "expected");
    ++all;
    passed += good ? 1 : 0;
    auto& category = by_category[text_of(test, "category")];
    category.first += good ? 1 : 0;
    ++category.second;
    if (good || known.contains(text_of(test, "id"))) return;
    ++unexpected;
    std::cout << text_of(test, "id") << ": "
              << (error_due ? "text where an error is due"
                  : result  ? "a different text"
                            : "an error: " + result.error().text())
              << "\n";
  }
};

std::set<std::string> read_known(const char* path) {
  std::set<std::string> known;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') known.insert(line.substr(0, line.find_first_of(" \t:")));
  }
  return known;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && !(argc == 5 && std::string(argv[3]) == "--expect")) {
    std::cerr << "usage: jinja_conformance CASES.jsonl RESULTS.jsonl [--expect KNOWN_IDS_FILE]\n";
    return 2;
  }
  std::ifstream cases(argv[1]);
  std::ofstream results(argv[2]);
  if (!cases || !results) {
    std::cerr << "cannot open " << (cases ? argv[2] : argv[1]) << "\n";
    return 2;
  }
  Tally tally;
  if (argc == 5) tally.known = read_known(argv[4]);
  for (std::string line; std::getline(cases, line);) {
    Result<Json> test = parse_json(line);
    if (!test) {
      std::cerr << test.error().text() << "\n";
      return 2;
    }
    const JsonObject& object = test->as_object();
    Result<std::string> result = render(object);
    JsonObject out;
    out["id"] = object.at("id");
    if (result) {
      out["ok"] = *result;
    } else {
      out["error"] = result.error().text();
    }
    results << to_json_text(Json(out)) << "\n" << std::flush;
    if (argc == 5) tally.add(object, result);
  }
  if (argc != 5) return 0;
  for (const auto& [category, count] : tally.by_category) {
    std::cout << category << ": " << count.first << " of " << count.second << "\n";
  }
  std::cout << "jinja conformance: " << tally.passed << " of " << tally.all << " cases pass, " << tally.unexpected
            << " fail unexpectedly\n";
  return tally.unexpected == 0 ? 0 : 1;
}
