#include "job/node_reader.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/json.h"
#include "base/nearest.h"

namespace palette::job {
namespace {

std::string decimal(double value) {
  std::string out;
  append_double(out, value);
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out;
}

constexpr std::size_t kKeysTold = 8;

std::string joined(std::span<const std::string_view> names) {
  std::string out;
  for (std::string_view name : names) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

// A number that someone put in quotes.
std::string hint_for(const Node& found) {
  double value = 0;
  const char* const end = found.text.data() + found.text.size();
  const bool quoted = found.kind == Node::Kind::string && found.indent == 1 && !found.text.empty() &&
                      std::from_chars(found.text.data(), end, value).ptr == end;
  return quoted ? " (write it without quotes)" : "";
}

}  // namespace

std::string NodeReader::path_of(const Member& member) const {
  return path(member.key.empty() ? "''" : std::string_view(member.key));
}

std::string NodeReader::path(std::string_view key) const {
  if (key.empty()) return field_;
  return field_.empty() ? std::string(key) : field_ + "." + std::string(key);
}

void NodeReader::complain(std::string_view key, const Node& at, std::string message) {
  diagnostics_.error(file_, at.mark, path(key), std::move(message));
}

void NodeReader::complain_missing(std::string_view key, std::string_view what) {
  diagnostics_.error(file_, node_.mark, path(key), "missing; " + std::string(what));
}

bool NodeReader::is_object_of(std::span<const std::string_view> known) {
  if (node_.kind != Node::Kind::map) {
    const bool is_empty_file = field_.empty() && node_.kind == Node::Kind::null;
    complain("", node_,
             (is_empty_file ? "the file is empty" : "found " + node_.describe()) + "; an object with keys such as " +
                 joined(known.first(std::min(known.size(), kKeysTold))) + " is expected");
    return false;
  }
  std::map<std::string_view, std::uint32_t> lines;  // of the first of each key
  for (const Member& member : node_.members) {
    if (diagnostics_.full()) break;
    if (const auto [first, is_new] = lines.emplace(member.key, member.mark.line); !is_new) {
      diagnostics_.error(file_, member.mark, path_of(member),
                         "this key is there twice; the first is in line " + std::to_string(first->second));
    } else if (std::find(known.begin(), known.end(), member.key) == known.end()) {
      std::string message = "this key is not known";
      if (const auto near = nearest_name(member.key, known); !near.empty()) {
        message += "; did you mean " + std::string(near) + "?";
      } else {
        message += (known.size() == 1 ? "; the only one is " : "; known are ") + joined(known);
      }
      diagnostics_.error(file_, member.mark, path_of(member), message);
    }
  }
  return true;
}

const Node* NodeReader::any(std::string_view key) const {
  const Node* found = node_.find(key);
  return found == nullptr || found->kind == Node::Kind::null ? nullptr : found;
}

std::optional<std::string> NodeReader::string(std::string_view key, std::size_t bytes_max) {
  const Node* found = any(key);
  if (found == nullptr) return std::nullopt;
  if (found->kind != Node::Kind::string) {
    complain(key, *found,
             "found " + found->describe() + "; a text is expected" +
                 (found->kind == Node::Kind::list || found->kind == Node::Kind::map ? "" : " (put it in quotes)"));
    return std::nullopt;
  }
  if (found->text.size() > bytes_max) {
    complain(key, *found,
             "found a text of " + std::to_string(found->text.size()) + " bytes; at most " + std::to_string(bytes_max) +
                 " are allowed");
    return std::nullopt;
  }
  return found->text;
}

std::optional<std::int64_t> NodeReader::integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const Node* found = any(key);
  if (found == nullptr) return std::nullopt;
  if (found->kind == Node::Kind::integer && found->integer >= min && found->integer <= max) return found->integer;
  complain(key, *found,
           "found " + found->describe() + "; an integer of " + std::to_string(min) + " to " + std::to_string(max) +
               " is allowed" + hint_for(*found));
  return std::nullopt;
}

std::optional<double> NodeReader::number(std::string_view key, double min, double max) {
  const Node* found = any(key);
  if (found == nullptr) return std::nullopt;
  const bool numeric = found->kind == Node::Kind::integer || found->kind == Node::Kind::number;
  if (numeric && found->number >= min && found->number <= max) return found->number;
  complain(key, *found,
           "found " + found->describe() + "; a number of " + decimal(min) + " to " + decimal(max) + " is allowed" +
               hint_for(*found));
  return std::nullopt;
}

std::optional<bool> NodeReader::boolean(std::string_view key) {
  const Node* found = any(key);
  if (found == nullptr) return std::nullopt;
  if (found->kind == Node::Kind::boolean) return found->boolean;
  complain(key, *found, "found " + found->describe() + "; true or false is expected");
  return std::nullopt;
}

std::vector<std::string> NodeReader::strings(std::string_view key, std::size_t count_max, std::size_t bytes_max) {
  const Node* found = any(key);
  if (found == nullptr) return {};
  std::vector<const Node*> nodes;
  if (found->kind == Node::Kind::list) {
    for (const Node& item : found->items) nodes.push_back(&item);
  } else {
    nodes.push_back(found);
  }
  if (nodes.empty() || nodes.size() > count_max) {
    complain(key, *found,
             "found " + std::to_string(nodes.size()) + " entries; 1 to " + std::to_string(count_max) + " are allowed");
    return {};
  }
  std::vector<std::string> out;
  for (const Node* node : nodes) {
    if (node->kind != Node::Kind::string || node->text.empty() || node->text.size() > bytes_max) {
      complain(key, *node,
               "found " + node->describe() + "; a text of 1 to " + std::to_string(bytes_max) +
                   " bytes, or a list of such, is expected");
      return {};
    }
    out.push_back(node->text);
  }
  return out;
}

}  // namespace palette::job
