#include "jinja/pretty.h"

#include <algorithm>
#include <vector>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/text.h"

namespace palette::jinja {
namespace {

constexpr std::int64_t kWidth = 80;

// pprint sorts dicts by _safe_key: by value where that works, else by the type's name.
bool safe_less(const Value& left, const Value& right) {
  bool ordered = (left.is_number() && right.is_number()) || (left.is_string() && right.is_string());
  if (ordered) return less(left, right);
  return type_name(left) < type_name(right);
}

std::vector<const DictEntry*> sorted_entries(const Value& value) {
  std::vector<const DictEntry*> entries;
  for (const DictEntry& entry : dict_of(value).entries) entries.push_back(&entry);
  std::ranges::stable_sort(entries, [](const DictEntry* a, const DictEntry* b) { return safe_less(a->key, b->key); });
  return entries;
}

// A tuple of groupby has a repr of its own, which pprint leaves alone.
bool is_plain_tuple(const Value& value) { return value.kind() == Kind::tuple && !list_of(value).group; }

// repr, with dicts sorted all the way down.
void append_sorted_repr(std::string& out, const Value& value, std::uint32_t depth) {
  check_value_depth(depth);
  check_operation(out.size(), "pprint");
  count_steps();
  if (value.is_map()) {
    out.push_back('{');
    bool first = true;
    for (const DictEntry* entry : sorted_entries(value)) {
      if (!first) out += ", ";
      first = false;
      append_sorted_repr(out, entry->key, depth + 1);
      out += ": ";
      append_sorted_repr(out, entry->value, depth + 1);
    }
    out.push_back('}');
  } else if (value.kind() == Kind::list || is_plain_tuple(value)) {
    bool list = value.kind() == Kind::list;
    out.push_back(list ? '[' : '(');
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ", ";
      append_sorted_repr(out, value.at(i), depth + 1);
    }
    out += list ? "]" : value.size() == 1 ? ",)" : ")";
  } else {
    append_repr(out, value);
  }
}

class Pretty {
 public:
  void write(const Value& value, std::int64_t indent, std::int64_t allowance, std::uint32_t depth) {
    std::string flat;
    append_sorted_repr(flat, value, depth);
    check_operation(out.size() + flat.size(), "pprint");
    if (static_cast<std::int64_t>(count_points(flat)) <= kWidth - indent - allowance) {
      out += flat;
      return;
    }
    if (value.is_map() && value.size() > 0) return write_dict(value, indent, allowance + 1, depth);
    if (value.kind() == Kind::list) {
      out.push_back('[');
      write_items(value, indent + 1, allowance + 1, depth);
      out.push_back(']');
      return;
    }
    if (is_plain_tuple(value)) {
      out.push_back('(');
      write_items(value, indent + 1, allowance + (value.size() == 1 ? 2 : 1), depth);
      out += value.size() == 1 ? ",)" : ")";
      return;
    }
    if (value.is_string() && !value.is_safe()) return write_text(value, indent, allowance, depth);
    out += flat;
  }

  std::string out;

 private:
  void new_line(std::int64_t indent) {
    out.push_back('\n');
    out.append(static_cast<std::size_t>(indent), ' ');
  }

  void write_items(const Value& value, std::int64_t indent, std::int64_t allowance, std::uint32_t depth) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      bool last = i + 1 == value.size();
      write(value.at(i), indent, last ? allowance : 1, depth + 1);
      if (last) break;
      out.push_back(',');
      new_line(indent);
    }
  }

  void write_dict(const Value& value, std::int64_t indent, std::int64_t allowance, std::uint32_t depth) {
    out.push_back('{');
    std::vector<const DictEntry*> entries = sorted_entries(value);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      bool last = i + 1 == entries.size();
      std::string key;
      append_sorted_repr(key, entries[i]->key, depth + 1);
      out += key + ": ";
      std::int64_t at = indent + 1 + static_cast<std::int64_t>(count_points(key)) + 2;
      write(entries[i]->value, at, last ? allowance : 1, depth + 1);
      if (last) break;
      out.push_back(',');
      new_line(indent + 1);
    }
    out.push_back('}');
  }

  // Long strings break at blanks into several literals; the outermost in brackets.
  void write_text(const Value& value, std::int64_t indent, std::int64_t allowance, std::uint32_t depth) {
    std::vector<std::string_view> lines = split_lines(value.as_string(), true);
    if (depth == 0) {
      ++indent;
      ++allowance;
    }
    std::vector<std::string> pieces;
    std::int64_t room = kWidth - indent;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      std::int64_t last_room = i + 1 == lines.size() ? room - allowance : room;
      std::string whole = repr_text(lines[i]);
      if (static_cast<std::int64_t>(count_points(whole)) <= last_room) {
        pieces.push_back(std::move(whole));
        continue;
      }
      break_line(lines[i], room, i + 1 == lines.size() ? allowance : 0, pieces);
    }
    if (pieces.size() == 1) {
      out += repr_of(value);
      return;
    }
    if (depth == 0) out.push_back('(');
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (i > 0) new_line(indent);
      out += pieces[i];
    }
    if (depth == 0) out.push_back(')');
  }

  // re.findall(r'\S*\s*', line): words with the blanks after them, as many as fit.
  static void break_line(std::string_view line, std::int64_t room, std::int64_t allowance,
                         std::vector<std::string>& pieces) {
    std::vector<std::string_view> parts;
    while (!line.empty()) {
      std::size_t end = line.find_first_of(" \t\n\r\f\v");
      if (end == std::string_view::npos) end = line.size();
      std::size_t blanks = line.find_first_not_of(" \t\n\r\f\v", end);
      if (blanks == std::string_view::npos) blanks = line.size();
      parts.push_back(line.substr(0, blanks));
      line.remove_prefix(blanks);
    }
    std::string current;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      std::string candidate = current + std::string(parts[i]);
      std::int64_t most = i + 1 == parts.size() ? room - allowance : room;
      if (static_cast<std::int64_t>(count_points(repr_text(candidate))) > most) {
        if (!current.empty()) pieces.push_back(repr_text(current));
        current = parts[i];
      } else {
        current = std::move(candidate);
      }
    }
    if (!current.empty()) pieces.push_back(repr_text(current));
  }
};

}  // namespace

std::string pretty_text(const Value& value) {
  Pretty pretty;
  pretty.write(value, 0, 0, 0);
  return std::move(pretty.out);
}

}  // namespace palette::jinja
