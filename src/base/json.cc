#include "base/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/limits.h"

namespace palette {
namespace {

// 1-based line and column (in bytes) of the byte at `offset`.
std::pair<std::uint32_t, std::uint32_t> position_at(std::string_view text, std::size_t offset) {
  std::uint32_t line = 1, column = 1;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return {line, column};
}

template <class Int>
void append_digits(std::string& out, Int value) {
  char buffer[24];
  auto [end, ec] = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end);
}

// RFC 8259, section 7: the quotation mark, the backslash and the control characters must be escaped.
bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

// Whether one of the eight bytes does. A byte is below n (at most 128) if subtracting n borrows into its highest bit,
// which it did not have. A borrow out of a byte may make the next one look so too, but then that byte did need it.
bool any_needs_escape(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighest = 0x8080808080808080;
  const std::uint64_t quote = word ^ (kOnes * '"'), backslash = word ^ (kOnes * '\\');  // zero where it stands
  const std::uint64_t found =
      ((word - kOnes * 0x20) & ~word) | ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash);
  return (found & kHighest) != 0;
}

// Where the first byte from `at` on stands that needs an escape; text.size() if none does.
std::size_t next_escape(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;
  for (; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if (any_needs_escape(word)) break;
  }
  while (at < text.size() && !needs_escape(text[at])) ++at;
  return at;
}

void append_array(std::string& out, const JsonArray& array) {
  out += '[';
  bool first = true;
  for (const Json& item : array) {
    if (!first) out += ',';
    first = false;
    append_json(out, item);
  }
  out += ']';
}

// Builds the value as boost::json::parser does, but for doubles: Boost 1.81 rounds about one in ten of those with many
// digits wrongly in the last place, and makes infinity of those that are too large.
struct ExactHandler {
  using Code = boost::system::error_code;
  using Text = boost::json::string_view;

  static constexpr std::size_t max_object_size = JsonObject::max_size();
  static constexpr std::size_t max_array_size = JsonArray::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  unsigned char room[1024];  // for a stack that is not deep
  boost::json::value_stack stack{{}, room, sizeof room};
  std::string number;  // the parts of one that is not told at once

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t n, Code&) { return stack.push_object(n), true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t n, Code&) { return stack.push_array(n), true; }
  bool on_key_part(Text text, std::size_t, Code&) { return stack.push_chars(text), true; }
  bool on_key(Text text, std::size_t, Code&) { return stack.push_key(text), true; }
  bool on_string_part(Text text, std::size_t, Code&) { return stack.push_chars(text), true; }
  bool on_string(Text text, std::size_t, Code&) { return stack.push_string(text), true; }
  bool on_number_part(Text text, Code&) { return number.append(text.data(), text.size()), true; }
  bool on_int64(std::int64_t value, Text, Code&) { return number.clear(), stack.push_int64(value), true; }
  bool on_uint64(std::uint64_t value, Text, Code&) { return number.clear(), stack.push_uint64(value), true; }
  bool on_double(double, Text text, Code& ec) {
    number.append(text.data(), text.size());
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    // Too small is as good as zero; too large is an error.
    if (error == std::errc::result_out_of_range) value = std::strtod(number.c_str(), nullptr);
    number.clear();
    if (!std::isfinite(value)) {
      ec = boost::json::make_error_code(boost::json::error::exponent_overflow);
      return false;
    }
    return stack.push_double(value), true;
  }
  bool on_bool(bool value, Code&) { return stack.push_bool(value), true; }
  bool on_null(Code&) { return stack.push_null(), true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

}  // namespace

Result<Json> parse_json(std::string_view text) { return parse_json(text, {}); }

Result<Json> parse_json(std::string_view text, boost::json::storage_ptr storage) {
  boost::json::parse_options options;
  options.max_depth = limits::kJsonDepth;
  boost::json::basic_parser<ExactHandler> parser(options);
  parser.handler().stack.reset(std::move(storage));
  boost::system::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
    ec = boost::json::make_error_code(boost::json::error::extra_data);
  }
  if (ec) {
    Error error{ErrorKind::bad_input, "this is not valid JSON: " + ec.message()};
    std::tie(error.line, error.column) = position_at(text, used);
    return std::unexpected(error);
  }
  return parser.handler().stack.release();
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t start = 0;
  for (std::size_t at = next_escape(text, 0); at < text.size(); at = next_escape(text, start)) {
    out.append(text, start, at - start);
    start = at + 1;
    const auto c = static_cast<unsigned char>(text[at]);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, start);
  out += '"';
}

void append_integer(std::string& out, std::int64_t value) { append_digits(out, value); }

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[32];
  auto [end, ec] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  out += digits;
  if (digits.find_first_of(".eE") == std::string_view::npos) out += ".0";
}

void append_json(std::string& out, const JsonObject& object) {
  out += '{';
  bool first = true;
  for (const auto& member : object) {
    if (!first) out += ',';
    first = false;
    append_json_string(out, member.key());
    out += ':';
    append_json(out, member.value());
  }
  out += '}';
}

void append_json(std::string& out, const Json& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      out += "null";
      break;
    case boost::json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case boost::json::kind::int64:
      append_digits(out, value.get_int64());
      break;
    case boost::json::kind::uint64:
      append_digits(out, value.get_uint64());
      break;
    case boost::json::kind::double_:
      append_double(out, value.get_double());
      break;
    case boost::json::kind::string:
      append_json_string(out, value.get_string());
      break;
    case boost::json::kind::array:
      append_array(out, value.get_array());
      break;
    case boost::json::kind::object:
      append_json(out, value.get_object());
      break;
  }
}

std::string to_json_text(const Json& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string_view json_kind_name(const Json& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "a boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
      return "an integer";
    case boost::json::kind::double_:
      return "a number";
    case boost::json::kind::string:
      return "a string";
    case boost::json::kind::array:
      return "a list";
    case boost::json::kind::object:
      return "an object";
  }
  return "unknown";
}

Result<std::string> json_string(const JsonObject& object, std::string_view key) {
  const Json* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) {
    return fail(ErrorKind::corrupt, "'" + std::string(key) + "' is missing or is not a string");
  }
  return std::string(value->get_string());
}

Result<std::int64_t> json_int(const JsonObject& object, std::string_view key) {
  const Json* value = object.if_contains(key);
  if (value != nullptr && value->is_int64()) return value->get_int64();
  return fail(ErrorKind::corrupt, "'" + std::string(key) + "' is missing or is not an integer");
}

Result<const JsonObject*> json_object(const JsonObject& object, std::string_view key) {
  const Json* value = object.if_contains(key);
  if (value != nullptr && value->is_object()) return &value->get_object();
  return fail(ErrorKind::corrupt, "'" + std::string(key) + "' is missing or is not an object");
}

}  // namespace palette
