#include "generate/seed_variables.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/nearest.h"
#include "generate/preflight.h"

namespace palette::generate {
namespace {

constexpr std::array<std::string_view, 4> kObjectMethods = {"items", "keys", "values", "get"};

std::string dotted(const std::vector<std::string>& path) {
  std::string out;
  for (const std::string& part : path) out += (out.empty() ? "" : ".") + part;
  return out;
}

std::vector<std::string> split_dots(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t dot = text.find('.'); dot != std::string::npos; dot = text.find('.', start)) {
    parts.push_back(text.substr(start, dot - start));
    start = dot + 1;
  }
  parts.push_back(text.substr(start));
  return parts;
}

// The paths that are asked for, each once, counted over the rows that are at hand.
class Scan {
 public:
  std::size_t add(std::vector<std::string> path, bool exact) {
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      if (asked_[i].presence.path == path && asked_[i].exact == exact) return i;
    }
    asked_.push_back({PathPresence{std::move(path)}, exact});
    return asked_.size() - 1;
  }

  Status run(const dataset::SeedData& seeds) {
    for (std::uint64_t row = 0; row < seeds.rows_at_hand(); ++row) {
      const Result<JsonObject> object = seeds.row(row);
      if (!object) return std::unexpected(object.error());
      for (const auto& member : *object) {
        if (columns_.size() < 1000) columns_.insert(std::string(member.key()));
      }
      for (Asked& asked : asked_) {
        if (PathPresence::is_in(*object, asked.presence.path, asked.exact)) continue;
        if (asked.presence.missing++ == 0) asked.presence.first_missing_row = row;
      }
    }
    return {};
  }

  const PathPresence& at(std::size_t i) const { return asked_[i].presence; }
  const std::set<std::string>& columns() const { return columns_; }

 private:
  struct Asked {
    PathPresence presence;
    bool exact;
  };
  std::vector<Asked> asked_;
  std::set<std::string> columns_;
};

std::string what_rows_have(const std::set<std::string>& columns, const std::string& name) {
  std::vector<std::string_view> names(columns.begin(), columns.end());
  if (columns.contains(name)) return "; the rows have '" + name + "', but not all of this path";
  if (const auto near = nearest_name(name, names); !near.empty()) return "; did you mean " + std::string(near) + "?";
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < 20; ++i) list += (i == 0 ? "" : ", ") + std::string(names[i]);
  if (names.size() > 20) list += ", …";
  return "; the rows have " + list;
}

std::string of_rows(std::uint64_t missing, const dataset::SeedData& seeds) {
  const bool is_all = seeds.rows_at_hand() == seeds.rows();
  return std::to_string(missing) + " of " + (is_all ? "" : "the first ") + std::to_string(seeds.rows_at_hand()) +
         " seed rows";
}

std::string none_of_rows(const dataset::SeedData& seeds) {
  if (seeds.rows_at_hand() == seeds.rows()) return "no seed row";
  return "none of the first " + std::to_string(seeds.rows_at_hand()) + " seed rows";
}

}  // namespace

bool PathPresence::is_in(const JsonObject& row, const std::vector<std::string>& path, bool exact) {
  const JsonObject* object = &row;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Json* value = object->if_contains(path[i]);
    if (value == nullptr) {
      const bool is_method = std::find(kObjectMethods.begin(), kObjectMethods.end(), path[i]) != kObjectMethods.end();
      // The last attribute of an object may be absent: it prints empty, as in Jinja2.
      return !exact && i > 0 && (is_method || i + 1 == path.size());
    }
    if (i + 1 == path.size()) return true;
    object = value->if_object();
    if (object == nullptr) return !exact;
  }
  return true;
}

void check_seed_variables(const job::JobSpec& spec, const job::CompiledJob& compiled, const dataset::SeedData& seeds,
                          job::Diagnostics& diagnostics) {
  Scan scan;
  std::vector<std::pair<std::size_t, const job::SeedVariable*>> variables;
  for (const job::SeedVariable& variable : compiled.seed_variables) {
    if (!variable.guarded) variables.emplace_back(scan.add(variable.path, false), &variable);
  }
  std::vector<std::pair<std::size_t, const job::TextField*>> required;
  for (const job::TextField& field : spec.templ.schema_requirements) {
    required.emplace_back(scan.add(split_dots(field.text()), true), &field);
  }
  if (Status read = scan.run(seeds); !read) {
    diagnostics.error(read.error());
    return;
  }
  for (const auto& [at, variable] : variables) {
    const PathPresence& presence = scan.at(at);
    if (presence.missing == 0) continue;
    const std::string name = dotted(variable->path);
    if (presence.missing == seeds.rows_at_hand()) {
      diagnostics.error(variable->file, variable->mark, variable->field,
                        none_of_rows(seeds) + " has '" + name + "'" + what_rows_have(scan.columns(), variable->path[0]),
                        variable->excerpt);
    } else {
      diagnostics.warning(variable->file, variable->mark, variable->field,
                          of_rows(presence.missing, seeds) + " lack '" + name + "' (the first is row " +
                              std::to_string(presence.first_missing_row + 1) + "); it is empty there");
    }
  }
  for (const auto& [at, field] : required) {
    const PathPresence& presence = scan.at(at);
    if (presence.missing == 0) continue;
    diagnostics.error(field->file, field->node.mark, field->field,
                      of_rows(presence.missing, seeds) + " lack '" + field->text() +
                          "', which the template requires (the first is row " +
                          std::to_string(presence.first_missing_row + 1) + ")");
  }
  for (std::string_view own : {job::kStepsVariable, job::kSeedRowVariable, job::kRecordIndexVariable}) {
    if (!scan.columns().contains(std::string(own))) continue;
    diagnostics.warning(spec.seed_key.empty() ? spec.seed_data : spec.seed_key, job::Mark{0, 0}, "",
                        "the seed rows have '" + std::string(own) +
                            "', which templates cannot see under that name; say seed_row." + std::string(own));
  }
}

}  // namespace palette::generate
