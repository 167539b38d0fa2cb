// Attributes as DynamoDB's JSON (dynamo_attribute.h), and the base64 of their bytes.
#include <array>
#include <cstdint>
#include <utility>

#include "aws/dynamo_attribute.h"
#include "aws/dynamo_base64.h"
#include "base/limits.h"

namespace palette::aws {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNotInAlphabet = 64;

constexpr std::array<std::uint8_t, 256> kDigitOf = [] {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNotInAlphabet);
  for (std::uint8_t i = 0; i < kAlphabet.size(); ++i) digits[static_cast<unsigned char>(kAlphabet[i])] = i;
  return digits;
}();

std::unexpected<Error> no_attribute(std::string_view why) {
  return fail(ErrorKind::corrupt, "an attribute value of DynamoDB cannot be read: " + std::string(why));
}

template <class Values, class AppendOne>
void append_array(std::string& out, const Values& values, AppendOne append_one) {
  out += '[';
  const char* comma = "";
  for (const auto& value : values) {
    out += std::exchange(comma, ",");
    append_one(value);
  }
  out += ']';
}

void append_bytes(std::string& out, const DynamoBytes& bytes) {
  out += '"';
  append_base64(out, bytes.bytes);
  out += '"';
}

// The value alone, without its type.
struct AppendValue {
  std::string& out;

  void operator()(std::nullptr_t) const { out += "true"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(const std::string& text) const { append_json_string(out, text); }
  void operator()(const DynamoNumber& number) const { append_json_string(out, number.text); }
  void operator()(const DynamoBytes& bytes) const { append_bytes(out, bytes); }
  void operator()(const DynamoItem& map) const { append_wire(out, map); }
  void operator()(const Attribute::List& list) const {
    append_array(out, list, [this](const Attribute& value) { append_wire(out, value); });
  }
  void operator()(const TextSet& set) const {
    append_array(out, set.values, [this](const std::string& text) { append_json_string(out, text); });
  }
  void operator()(const NumberSet& set) const {
    append_array(out, set.values, [this](const DynamoNumber& number) { append_json_string(out, number.text); });
  }
  void operator()(const BytesSet& set) const {
    append_array(out, set.values, [this](const DynamoBytes& bytes) { append_bytes(out, bytes); });
  }
};

Result<std::string> read_text(const Json& json) {
  if (json.is_string()) return std::string(json.get_string());
  return no_attribute("a string is expected, " + std::string(json_kind_name(json)) + " was found");
}

Result<DynamoNumber> read_number(const Json& json) {
  Result<std::string> text = read_text(json);
  if (!text) return std::unexpected(text.error());
  if (const Result<std::string> plain = plain_decimal(*text); !plain) return std::unexpected(plain.error());
  return DynamoNumber{std::move(*text)};
}

Result<DynamoBytes> read_bytes(const Json& json) {
  const Result<std::string> text = read_text(json);
  if (!text) return std::unexpected(text.error());
  Result<std::string> bytes = bytes_from_base64(*text);
  if (!bytes) return std::unexpected(bytes.error());
  return DynamoBytes{std::move(*bytes)};
}

template <class One>
Result<Attribute> as_attribute(Result<One> one) {
  if (!one) return std::unexpected(std::move(one.error()));
  return Attribute(Attribute::Value(std::move(*one)));
}

template <class Set, class One>
Result<Attribute> read_set(const Json& json, Result<One> (*read_one)(const Json&)) {
  if (!json.is_array()) return no_attribute("a set is expected, " + std::string(json_kind_name(json)) + " was found");
  Set set;
  for (const Json& value : json.get_array()) {
    Result<One> one = read_one(value);
    if (!one) return std::unexpected(std::move(one.error()));
    set.values.push_back(std::move(*one));
  }
  return Attribute(Attribute::Value(std::move(set)));
}

// parse_json has bounded the depth already (limits::kJsonDepth).
Result<Attribute> read_list(const Json& json) {
  if (!json.is_array()) return no_attribute("a list is expected, " + std::string(json_kind_name(json)) + " was found");
  Attribute::List list;
  for (const Json& value : json.get_array()) {
    Result<Attribute> one = attribute_from_wire(value);
    if (!one) return one;
    list.push_back(std::move(*one));
  }
  return Attribute::list(std::move(list));
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < here ? static_cast<unsigned char>(bytes[at + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) out += k <= here ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=';
  }
}

Result<std::string> bytes_from_base64(std::string_view text) {
  const auto bad = [] { return no_attribute("its bytes are no base64"); };
  if (text.size() % 4 != 0) return bad();
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const std::size_t kept = at + 4 == text.size() ? 4 - padding : 4;
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::uint8_t digit = k < kept ? kDigitOf[static_cast<unsigned char>(text[at + k])] : std::uint8_t{0};
      if (digit == kNotInAlphabet) return bad();
      bits = bits << 6 | digit;
    }
    for (std::size_t k = 0; k + 1 < kept; ++k) out += static_cast<char>(bits >> (16 - 8 * k) & 255);
  }
  return out;
}

void append_wire(std::string& out, const Attribute& attribute) {
  out += "{\"";
  out += type_name(attribute);
  out += "\":";
  std::visit(AppendValue{out}, attribute.value);
  out += '}';
}

void append_wire(std::string& out, const DynamoItem& item) {
  out += '{';
  const char* comma = "";
  for (const auto& [name, attribute] : item) {
    out += std::exchange(comma, ",");
    append_json_string(out, name);
    out += ':';
    append_wire(out, attribute);
  }
  out += '}';
}

Result<Attribute> attribute_from_wire(const Json& wire) {
  if (!wire.is_object() || wire.get_object().size() != 1) return no_attribute("an object with one type is expected");
  const auto& member = *wire.get_object().begin();
  const std::string_view type = member.key();
  const Json& value = member.value();
  if (type == "S") return as_attribute(read_text(value));
  if (type == "N") return as_attribute(read_number(value));
  if (type == "B") return as_attribute(read_bytes(value));
  if (type == "M") return as_attribute(item_from_wire(value));
  if (type == "L") return read_list(value);
  if (type == "SS") return read_set<TextSet>(value, read_text);
  if (type == "NS") return read_set<NumberSet>(value, read_number);
  if (type == "BS") return read_set<BytesSet>(value, read_bytes);
  if (type == "NULL") return Attribute();
  if (type == "BOOL" && value.is_bool()) return Attribute::boolean(value.get_bool());
  return no_attribute("'" + std::string(type) + "' is no type, or its value is of another");
}

Result<DynamoItem> item_from_wire(const Json& wire) {
  if (!wire.is_object()) return no_attribute("a map is expected, " + std::string(json_kind_name(wire)) + " was found");
  DynamoItem item;
  for (const auto& member : wire.get_object()) {
    Result<Attribute> attribute = attribute_from_wire(member.value());
    if (!attribute) return std::unexpected(attribute.error().at("attribute '" + std::string(member.key()) + "'"));
    item.emplace(member.key(), std::move(*attribute));
  }
  return item;
}

}  // namespace palette::aws
