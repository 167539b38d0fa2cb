#include "aws/dynamo_attribute.h"

#include <charconv>
#include <utility>

#include "aws/dynamo_base64.h"

namespace palette::aws {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

std::string where(std::string_view name) { return "attribute '" + std::string(name) + "'"; }

std::unexpected<Error> other_type(const Attribute& attribute, std::string_view expected) {
  return fail(ErrorKind::corrupt,
              "it is of type " + std::string(type_name(attribute)) + "; " + std::string(expected) + " is expected");
}

const Attribute* find(const DynamoItem& item, std::string_view name) {
  const auto found = item.find(name);
  return found == item.end() ? nullptr : &found->second;
}

std::unexpected<Error> absent(std::string_view name) { return fail(ErrorKind::corrupt, "it is missing", where(name)); }

// The plain decimal of an N, or of an S that holds a number.
Result<std::string> decimal_of(const Attribute& attribute) {
  if (const auto* number = std::get_if<DynamoNumber>(&attribute.value)) return plain_decimal(number->text);
  if (const auto* text = std::get_if<std::string>(&attribute.value)) return plain_decimal(*text);
  return other_type(attribute, "a number (N)");
}

template <class Number>
bool reads_as(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

Json json_number(const std::string& text) {
  const Result<std::string> plain = plain_decimal(text);
  if (!plain) return Json(boost::json::string(text));
  if (std::int64_t whole = 0; reads_as(*plain, whole)) return Json(whole);
  if (std::uint64_t large = 0; reads_as(*plain, large)) return Json(large);
  double real = 0;
  if (reads_as(*plain, real)) {
    std::string printed;
    append_double(printed, real);
    const Result<std::string> again = plain_decimal(printed);
    if (again && *again == *plain) return Json(real);
  }
  return Json(boost::json::string(*plain));
}

DynamoNumber number_from_double(double real) {
  std::string text;
  append_double(text, real);  // NaN and infinities do not come from JSON
  return {std::move(text)};
}

}  // namespace

Attribute::Attribute() : value(nullptr) {}
Attribute::Attribute(Value its_value) : value(std::move(its_value)) {}
Attribute Attribute::text(std::string_view value) { return Attribute(Value(std::string(value))); }
Attribute Attribute::number(std::int64_t value) { return Attribute(Value(DynamoNumber{std::to_string(value)})); }
Attribute Attribute::dollars(Money value) { return Attribute(Value(DynamoNumber{value.to_decimal()})); }
Attribute Attribute::boolean(bool value) { return Attribute(Value(value)); }
Attribute Attribute::map(DynamoItem members) { return Attribute(Value(std::move(members))); }
Attribute Attribute::list(List values) { return Attribute(Value(std::move(values))); }

bool Attribute::operator==(const Attribute& other) const { return value == other.value; }

std::string_view type_name(const Attribute& attribute) {
  static constexpr std::string_view kNames[] = {"NULL", "BOOL", "S", "N", "B", "L", "M", "SS", "NS", "BS"};
  return kNames[attribute.value.index()];
}

bool has(const DynamoItem& item, std::string_view name) {
  const Attribute* found = find(item, name);
  return found != nullptr && !std::holds_alternative<std::nullptr_t>(found->value);
}

Result<std::int64_t> int_of(const DynamoItem& item, std::string_view name) {
  const Attribute* found = find(item, name);
  if (found == nullptr) return absent(name);
  const Result<std::string> plain = decimal_of(*found);
  if (!plain) return std::unexpected(plain.error().at(where(name)));
  std::int64_t number = 0;
  if (reads_as(*plain, number)) return number;
  return fail(ErrorKind::corrupt, *plain + " is no whole number of 64 bits", where(name));
}

Result<Money> money_of(const DynamoItem& item, std::string_view name) {
  const Attribute* found = find(item, name);
  if (found == nullptr) return absent(name);
  const Result<std::string> plain = decimal_of(*found);
  if (!plain) return std::unexpected(plain.error().at(where(name)));
  Result<Money> money = Money::from_decimal(*plain);
  if (money) return money;
  Error error = money.error().at(where(name));
  error.kind = ErrorKind::corrupt;
  return std::unexpected(std::move(error));
}

Result<std::string> text_of(const DynamoItem& item, std::string_view name) {
  const Attribute* found = find(item, name);
  if (found == nullptr) return absent(name);
  if (const auto* text = std::get_if<std::string>(&found->value)) return *text;
  return std::unexpected(other_type(*found, "a text (S)").error().at(where(name)));
}

Result<const DynamoItem*> map_of(const DynamoItem& item, std::string_view name) {
  const Attribute* found = find(item, name);
  if (found == nullptr) return absent(name);
  if (const auto* map = std::get_if<DynamoItem>(&found->value)) return map;
  return std::unexpected(other_type(*found, "a map (M)").error().at(where(name)));
}

Attribute attribute_from_json(const Json& json) {
  switch (json.kind()) {
    case boost::json::kind::null:
      return Attribute();
    case boost::json::kind::bool_:
      return Attribute::boolean(json.get_bool());
    case boost::json::kind::int64:
      return Attribute::number(json.get_int64());
    case boost::json::kind::uint64:
      return Attribute(DynamoNumber{std::to_string(json.get_uint64())});
    case boost::json::kind::double_:
      return Attribute(number_from_double(json.get_double()));
    case boost::json::kind::string:
      return Attribute::text(json.get_string());
    case boost::json::kind::array: {
      Attribute::List list;
      for (const Json& value : json.get_array()) list.push_back(attribute_from_json(value));
      return Attribute::list(std::move(list));
    }
    case boost::json::kind::object: {
      DynamoItem map;
      for (const auto& member : json.get_object()) map.emplace(member.key(), attribute_from_json(member.value()));
      return Attribute::map(std::move(map));
    }
  }
  std::unreachable();
}

Json json_of(const Attribute& attribute) {
  const auto array_of = [](const auto& values) {
    JsonArray array;
    for (const auto& value : values) array.push_back(json_of(Attribute(Attribute::Value(value))));
    return Json(std::move(array));
  };
  return std::visit(Overloaded{[](std::nullptr_t) { return Json(nullptr); }, [](bool value) { return Json(value); },
                               [](const std::string& text) { return Json(boost::json::string(text)); },
                               [](const DynamoNumber& number) { return json_number(number.text); },
                               [](const DynamoBytes& bytes) {
                                 std::string wire;
                                 append_base64(wire, bytes.bytes);
                                 return Json(boost::json::string(wire));
                               },
                               [](const Attribute::List& list) {
                                 JsonArray array;
                                 for (const Attribute& value : list) array.push_back(json_of(value));
                                 return Json(std::move(array));
                               },
                               [](const DynamoItem& map) {
                                 JsonObject object;
                                 for (const auto& [name, value] : map) object[name] = json_of(value);
                                 return Json(std::move(object));
                               },
                               [&](const TextSet& set) { return array_of(set.values); },
                               [&](const NumberSet& set) { return array_of(set.values); },
                               [&](const BytesSet& set) { return array_of(set.values); }},
                    attribute.value);
}

}  // namespace palette::aws
