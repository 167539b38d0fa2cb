#include <cmath>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/format.h"
#include "jinja/meter.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/text.h"
#include "jinja/unicode.h"

namespace palette::jinja {
namespace {

// One "%…" of a format.
struct Conversion {
  bool left = false, plus = false, space = false, zero = false, alternate = false;
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char type = 0;
};

class Formatter {
 public:
  Formatter(const Value& format, const Value& values) : text_(format.as_string()), safe_(format.is_safe()) {
    if (values.kind() == Kind::tuple) {
      tuple_ = &list_of(values).items;
    } else {
      single_ = &values;
      if (values.is_map()) mapping_ = &values;
    }
  }

  Value run() {
    while (at_ < text_.size()) {
      std::size_t percent = text_.find('%', at_);
      out_ += text_.substr(at_, percent - at_);
      if (percent == std::string_view::npos) break;
      at_ = percent + 1;
      convert();
      check_operation(out_.size(), "%");
    }
    bool left_over = tuple_ != nullptr ? next_ < tuple_->size() : !mapped_ && next_ == 0 && mapping_ == nullptr;
    // A list, like a dict, may stay unused: it has items to look up.
    if (left_over && !(single_ != nullptr && single_->kind() == Kind::list)) {
      fault("not all arguments converted during string formatting");
    }
    return safe_ ? Value::safe(out_) : Value::of(out_);
  }

 private:
  char peek() const {
    if (at_ >= text_.size()) fault("incomplete format");
    return text_[at_];
  }

  const Value& next_value() {
    if (tuple_ != nullptr) {
      if (next_ >= tuple_->size()) fault("not enough arguments for format string");
      return (*tuple_)[next_++];
    }
    if (next_++ > 0) fault("not enough arguments for format string");
    return *single_;
  }

  std::int64_t size_number() {
    if (peek() == '*') {
      ++at_;
      const Value& value = next_value();
      if (!value.is_int()) fault("* wants int");
      return value.as_int();
    }
    std::int64_t number = 0;
    while (peek() >= '0' && peek() <= '9') {
      number = std::min<std::int64_t>(number * 10 + (text_[at_++] - '0'), INT64_MAX / 100);
    }
    return number;
  }

  void convert() {
    const Value* value = nullptr;
    if (peek() == '(') {
      std::size_t end = text_.find(')', at_);
      if (end == std::string_view::npos) fault("incomplete format key");
      if (mapping_ == nullptr) fault("format requires a mapping");
      std::string_view key = text_.substr(at_ + 1, end - at_ - 1);
      value = mapping_->find(key);
      if (value == nullptr) fault("the format has no value for the key " + repr_text(key));
      mapped_ = true;
      at_ = end + 1;
    }
    const std::size_t begin = at_;
    Conversion how;
    for (;; ++at_) {
      char c = peek();
      if (c == '-') {
        how.left = true;
      } else if (c == '+') {
        how.plus = true;
      } else if (c == ' ') {
        how.space = true;
      } else if (c == '0') {
        how.zero = true;
      } else if (c == '#') {
        how.alternate = true;
      } else {
        break;
      }
    }
    how.width = size_number();
    if (how.width < 0) {
      how.left = true;
      how.width = -how.width;
    }
    if (peek() == '.') {
      ++at_;
      how.precision = std::max<std::int64_t>(size_number(), 0);
    }
    while (peek() == 'l' || peek() == 'h' || peek() == 'L') ++at_;
    how.type = peek();
    ++at_;
    if (how.type == '%') {
      if (at_ != begin + 1) fault("unsupported format character '%'");
      out_.push_back('%');
      return;
    }
    append(how, value != nullptr ? *value : next_value());
  }

  void append(const Conversion& how, const Value& value) {
    switch (how.type) {
      case 's':
        return append_string(how, shown(value));
      case 'r':
      case 'a':
        return append_string(how, escaped(repr_of(value)));
      case 'c':
        return append_character(how, value);
      case 'd':
      case 'i':
      case 'u':
      case 'o':
      case 'x':
      case 'X':
        return append_int(how, value);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        return append_float_number(how, value);
      default:
        fault(std::string("unsupported format character '") + how.type + "'");
    }
  }

  // Markup % x escapes what it takes in.
  std::string escaped(const std::string& text) const {
    if (!safe_) return text;
    std::string out;
    append_escaped(out, text);
    return out;
  }

  std::string shown(const Value& value) const {
    std::string out;
    if (safe_) {
      append_escaped_value(out, value);
    } else {
      append_text(out, value);
    }
    return out;
  }

  void append_string(const Conversion& how, std::string text) {
    if (how.precision >= 0) text = point_range(text, 0, static_cast<std::size_t>(how.precision));
    pad(how, text, 0, false);
  }

  void append_character(const Conversion& how, const Value& value) {
    std::string text;
    if (value.is_int()) {
      if (value.as_int() < 0 || value.as_int() > 0x10FFFF) fault("%c arg not in range(0x110000)");
      append_point(text, static_cast<char32_t>(value.as_int()));
    } else if (value.is_string() && code_points(value) == 1) {
      text = value.as_string();
    } else {
      fault("%c requires int or char");
    }
    pad(how, text, 0, false);
  }

  std::string sign(const Conversion& how, bool negative) const {
    return negative ? "-" : how.plus ? "+" : how.space ? " " : "";
  }

  void append_int(const Conversion& how, const Value& value) {
    bool whole = value.is_int() || value.is_bool();
    bool decimal = how.type == 'd' || how.type == 'i' || how.type == 'u';
    if (!whole && !(decimal && value.is_double())) {
      if (value.is_undefined()) fail_undefined(value);
      fault(std::string("%") + how.type + " format: " + (decimal ? "a real number" : "an integer") +
            " is required, not " + std::string(type_name(value)));
    }
    std::int64_t number = 0;
    if (whole) {
      number = value.as_int();
    } else {
      double real = value.as_double();
      if (!(std::fabs(real) < 9.2e18)) fault("cannot convert the float to a 64-bit integer");
      number = static_cast<std::int64_t>(real);
    }
    auto bits = static_cast<std::uint64_t>(number);
    std::string digits = int_digits(number < 0 ? 0 - bits : bits, decimal ? 'd' : how.type, false);
    if (how.precision > static_cast<std::int64_t>(digits.size())) {
      check_operation(static_cast<std::uint64_t>(how.precision), "%");
      digits.insert(0, static_cast<std::size_t>(how.precision) - digits.size(), '0');
    }
    std::string front = sign(how, number < 0);
    if (how.alternate && !decimal) front += std::string("0") + how.type;
    pad(how, front + digits, front.size(), true);
  }

  void append_float_number(const Conversion& how, const Value& value) {
    if (!value.is_number()) {
      if (value.is_undefined()) fail_undefined(value);
      fault("must be real number, not " + std::string(type_name(value)));
    }
    double number = value.as_double();
    std::string front = sign(how, std::signbit(number) && !std::isnan(number));
    std::string digits = float_digits(std::fabs(number), how.type, how.precision, how.alternate);
    pad(how, front + digits, front.size(), true);
  }

  void pad(const Conversion& how, const std::string& text, std::size_t sign_length, bool number) {
    FormatSpec spec;
    spec.width = how.width;
    spec.align = how.left ? '<' : number && how.zero ? '=' : '>';
    if (spec.align == '=') spec.fill = "0";
    out_ += padded(text, sign_length, spec, '>');
  }

  std::string_view text_;
  bool safe_;
  const std::vector<Value>* tuple_ = nullptr;
  const Value* single_ = nullptr;
  const Value* mapping_ = nullptr;
  std::size_t next_ = 0;
  std::size_t at_ = 0;
  bool mapped_ = false;
  std::string out_;
};

}  // namespace

Value format_percent(const Value& format, const Value& values) { return Formatter(format, values).run(); }

}  // namespace palette::jinja
