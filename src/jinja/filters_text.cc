#include <string>

#include "jinja/attribute_path.h"
#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/format.h"
#include "jinja/iterate.h"
#include "jinja/meter.h"
#include "jinja/methods.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/registry.h"
#include "jinja/run.h"
#include "jinja/text.h"
#include "jinja/unicode.h"
#include "jinja/wrap.h"

namespace palette::jinja {
namespace {

// soft_str: a string as it is (safe or not), anything else as its text.
Value soft_text(const Value& value) { return value.is_string() ? value : Value::of(text_of(value)); }

Value like(const Value& model, std::string_view text) { return model.is_safe() ? Value::safe(text) : Value::of(text); }

Value only_subject(const Arguments& arguments) { return soft_text(*bind(arguments, {"s"}, 1)[0]); }

Value upper(Arguments& arguments) {
  Value text = only_subject(arguments);
  return like(text, to_upper(text.as_string()));
}

Value lower(Arguments& arguments) {
  Value text = only_subject(arguments);
  return like(text, to_lower(text.as_string()));
}

Value capitalize(Arguments& arguments) {
  Value text = only_subject(arguments);
  return like(text, to_capitalized(text.as_string()));
}

Value string(Arguments& arguments) { return only_subject(arguments); }

// Words begin after blanks and after - ( { [ <: not as str.title has it.
Value title(Arguments& arguments) {
  Value value = only_subject(arguments);
  std::string_view text = value.as_string();
  std::string out;
  std::size_t word = 0;
  auto flush = [&](std::size_t end) {
    if (end == word) return;
    std::string_view item = text.substr(word, end - word);
    std::size_t first = point_offset(item, 1);
    out += to_upper(item.substr(0, first));
    out += to_lower(item.substr(first));
  };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    char32_t point = next_point(text, at);
    bool gap = is_space_point(point) || point == '-' || point == '(' || point == '{' || point == '[' || point == '<';
    if (!gap) continue;
    flush(begin);
    out += text.substr(begin, at - begin);
    word = at;
  }
  flush(text.size());
  return like(value, out);
}

Value trim(Arguments& arguments) {
  auto given = bind(arguments, {"value", "chars"}, 1);
  Value text = soft_text(*given[0]);
  if (given[1] == nullptr || given[1]->is_none()) return like(text, strip_space(text.as_string(), Side::both));
  if (!given[1]->is_string()) fault("trim wants a string of characters, found " + std::string(kind_name(*given[1])));
  return like(text, strip_chars(text.as_string(), given[1]->as_string(), Side::both));
}

Value center(Arguments& arguments) {
  auto given = bind(arguments, {"value", "width"}, 1);
  Value text = soft_text(*given[0]);
  Value width = Value::of(integer_or(given[1], 80, arguments, "width"));
  Arguments inner{arguments.run, "center", {&width, 1}, {}};
  return call_method(text, MethodId::center, inner);
}

Value replace(Arguments& arguments) {
  auto given = bind(arguments, {"s", "old", "new", "count"}, 3);
  std::int64_t most = given[3] == nullptr || given[3]->is_none() ? -1 : integer_or(given[3], -1, arguments, "count");
  if (!arguments.run.autoescape) {
    return Value::of(replace_text(text_of(*given[0]), text_of(*given[1]), text_of(*given[2]), most));
  }
  Value subject = soft_text(*given[0]);
  if (given[1]->is_safe() || (given[2]->is_safe() && !subject.is_safe())) {
    std::string escaped;
    append_escaped_value(escaped, subject);
    subject = Value::safe(escaped);
  }
  auto part = [&](const Value& value) {
    std::string text;
    if (subject.is_safe()) {
      append_escaped_value(text, value);
    } else {
      append_text(text, value);
    }
    return text;
  };
  return like(subject, replace_text(subject.as_string(), part(*given[1]), part(*given[2]), most));
}

Value format(Arguments& arguments) {
  if (arguments.positional.empty()) fault("format wants a value");
  if (arguments.positional.size() > 1 && !arguments.keywords.empty()) {
    fault("format cannot take positional and keyword arguments at the same time");
  }
  Value text = soft_text(arguments.positional[0]);
  if (arguments.keywords.empty()) {
    std::vector<Value> rest(arguments.positional.begin() + 1, arguments.positional.end());
    return format_percent(text, make_list(std::move(rest), Kind::tuple));
  }
  Value mapping = make_dict();
  for (const Keyword& keyword : arguments.keywords) dict_of(mapping).set_text(keyword.name, keyword.value);
  return format_percent(text, mapping);
}

Value indent(Arguments& arguments) {
  auto given = bind(arguments, {"s", "width", "first", "blank"}, 1);
  if (!given[0]->is_string()) {
    if (given[0]->is_undefined()) fail_undefined(*given[0]);
    fault("indent wants a string, found " + std::string(kind_name(*given[0])));
  }
  std::string indention;
  if (given[1] != nullptr && given[1]->is_string()) {
    indention = given[1]->as_string();
  } else {
    std::int64_t width = integer_or(given[1], 4, arguments, "width");
    if (width > 0) check_operation(static_cast<std::uint64_t>(width), "indent");
    indention.assign(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' ');
  }
  bool blank = truth_or(given[3], false);
  std::string text = std::string(given[0]->as_string()) + "\n";  // keeps a last empty line
  std::string out = truth_or(given[2], false) ? indention : "";
  bool first_line = true;
  for (std::string_view line : split_lines(text, false)) {
    if (!first_line) {
      out.push_back('\n');
      if (blank || !line.empty()) out += indention;
    }
    first_line = false;
    out += line;
    check_operation(out.size(), "indent");
  }
  return like(*given[0], out);
}

Value truncate(Arguments& arguments) {
  auto given = bind(arguments, {"s", "length", "killwords", "end", "leeway"}, 1);
  std::int64_t length = integer_or(given[1], 255, arguments, "length");
  std::string end = text_or(given[3], "...");
  std::int64_t leeway = given[4] == nullptr || given[4]->is_none() ? 5 : integer_or(given[4], 5, arguments, "leeway");
  auto end_points = static_cast<std::int64_t>(count_points(end));
  if (length < end_points) {
    fault("expected length >= " + std::to_string(end_points) + ", got " + std::to_string(length));
  }
  if (leeway < 0) fault("expected leeway >= 0, got " + std::to_string(leeway));
  std::int64_t size = length_of(*given[0]);
  if (size < 0) fault("object of type '" + std::string(type_name(*given[0])) + "' has no len()");
  if (size <= length + leeway) return *given[0];
  if (!given[0]->is_string()) fault("truncate wants a string, found " + std::string(kind_name(*given[0])));
  std::string_view kept = point_range(given[0]->as_string(), 0, static_cast<std::size_t>(length - end_points));
  if (!truth_or(given[2], false)) {
    std::size_t blank = kept.rfind(' ');
    if (blank != std::string_view::npos) kept = kept.substr(0, blank);
  }
  return like(*given[0], std::string(kept) + end);
}

Value word_count(Arguments& arguments) {
  Value value = only_subject(arguments);
  std::string_view text = value.as_string();
  std::int64_t words = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    bool word = is_word_point(next_point(text, at));
    words += word && !inside ? 1 : 0;
    inside = word;
  }
  return Value::of(words);
}

Value word_wrap(Arguments& arguments) {
  auto given = bind(arguments, {"s", "width", "break_long_words", "wrapstring", "break_on_hyphens"}, 1);
  if (!given[0]->is_string()) {
    if (given[0]->is_undefined()) fail_undefined(*given[0]);
    fault("wordwrap wants a string, found " + std::string(kind_name(*given[0])));
  }
  WrapOptions options;
  options.width = integer_or(given[1], 79, arguments, "width");
  options.break_long_words = truth_or(given[2], true);
  options.break_on_hyphens = truth_or(given[4], true);
  bool own = given[3] != nullptr && !given[3]->is_none();
  std::string separator = own ? text_of(*given[3]) : arguments.run.settings.newline_sequence;
  std::string out;
  bool first_line = true;
  for (std::string_view line : split_lines(given[0]->as_string(), false)) {
    if (!first_line) out += separator;
    first_line = false;
    bool first = true;
    for (const std::string& piece : wrapped(line, options)) {
      if (!first) out += separator;
      first = false;
      out += piece;
      check_operation(out.size(), "wordwrap");
    }
  }
  // textwrap gives plain text; only a safe wrapstring makes it safe again.
  return own && given[3]->is_safe() ? Value::safe(out) : Value::of(out);
}

Value join(Arguments& arguments) {
  auto given = bind(arguments, {"value", "d", "attribute"}, 1);
  std::vector<Value> items = items_of(*given[0]);
  if (given[2] != nullptr && !given[2]->is_none()) {
    AttributePath path(arguments.run, *given[2]);
    for (Value& item : items) item = path.get(item);
  }
  bool escaping = false;
  if (arguments.run.autoescape) {
    escaping = given[1] != nullptr && given[1]->is_safe();
    for (const Value& item : items) escaping |= item.is_safe();
  }
  std::string separator;
  if (given[1] != nullptr) {
    if (escaping) {
      append_escaped_value(separator, *given[1]);
    } else {
      append_text(separator, *given[1]);
    }
  }
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += separator;
    if (escaping) {
      append_escaped_value(out, items[i]);
    } else {
      append_text(out, items[i]);
    }
    check_operation(out.size(), "join");
  }
  return escaping ? Value::safe(out) : Value::of(out);
}

}  // namespace

void add_text_filters(Registry& registry) {
  auto add = [&](const char* name, Builtin builtin) { registry.filters[name].builtin = builtin; };
  add("upper", upper);
  add("lower", lower);
  add("capitalize", capitalize);
  add("title", title);
  add("string", string);
  add("trim", trim);
  add("center", center);
  add("replace", replace);
  add("format", format);
  add("indent", indent);
  add("truncate", truncate);
  add("wordcount", word_count);
  add("wordwrap", word_wrap);
  add("join", join);
}

}  // namespace palette::jinja
