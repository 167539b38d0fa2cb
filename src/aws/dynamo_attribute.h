// What a DynamoDB item holds: typed values, their wire form, and numbers read whatever way they are written.
//
//   DynamoItem key{{"job_id", Attribute::text("j-1")}};
//   Result<std::int64_t> records = int_of(item, "num_records");   // "200", "2E2", "+200.0"
//
// A number is decimal text, never a double: DynamoDB keeps 38 digits, and gives them back in a form of its own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/money.h"
#include "base/result.h"

namespace palette::aws {

struct Attribute;
using DynamoItem = std::map<std::string, Attribute, std::less<>>;

struct DynamoNumber {
  std::string text;  // as it came: any decimal form
  bool operator==(const DynamoNumber&) const = default;
};
struct DynamoBytes {
  std::string bytes;
  bool operator==(const DynamoBytes&) const = default;
};
// A set: not empty, without duplicates (DynamoDB refuses both).
struct TextSet {
  std::vector<std::string> values;
  bool operator==(const TextSet&) const = default;
};
struct NumberSet {
  std::vector<DynamoNumber> values;
  bool operator==(const NumberSet&) const = default;
};
struct BytesSet {
  std::vector<DynamoBytes> values;
  bool operator==(const BytesSet&) const = default;
};

struct Attribute {
  using List = std::vector<Attribute>;
  using Value = std::variant<std::nullptr_t, bool, std::string, DynamoNumber, DynamoBytes, List, DynamoItem, TextSet,
                             NumberSet, BytesSet>;

  Attribute();  // NULL
  explicit Attribute(Value its_value);
  static Attribute text(std::string_view value);
  static Attribute number(std::int64_t value);
  static Attribute dollars(Money value);
  static Attribute boolean(bool value);
  static Attribute map(DynamoItem members = {});
  static Attribute list(List values = {});

  bool operator==(const Attribute& other) const;

  Value value;
};

// "S", "N", …: the type as DynamoDB names it, for messages.
std::string_view type_name(const Attribute& attribute);

// The wire form: {"S":"…"}, {"N":"12"}, {"L":[…]}; of an item {"name":{"S":"…"},…}.
void append_wire(std::string& out, const Attribute& attribute);
void append_wire(std::string& out, const DynamoItem& item);
// corrupt for what is no attribute value (unknown type, bad number or base64).
Result<Attribute> attribute_from_wire(const Json& wire);
Result<DynamoItem> item_from_wire(const Json& wire);

// The plain decimal of a number in any form: no exponent, no "+", no needless zeros ("1E3" is "1000", "007.50" is
// "7.5"). corrupt for what is no number, has over 38 digits, or an exponent outside DynamoDB's range.
Result<std::string> plain_decimal(std::string_view number);

// Members of an item by name; corrupt, naming the attribute, when it is absent, of another type or cannot be read.
// The number of int_of must be whole; a number may also have been written as a text ("budget_limit": "5.00").
Result<std::int64_t> int_of(const DynamoItem& item, std::string_view name);
Result<Money> money_of(const DynamoItem& item, std::string_view name);
Result<std::string> text_of(const DynamoItem& item, std::string_view name);
Result<const DynamoItem*> map_of(const DynamoItem& item, std::string_view name);
// Is it there, and not NULL?
bool has(const DynamoItem& item, std::string_view name);

// Plain JSON and back: {"a": 1} is a map with a number. A JSON double is written with the fewest digits that read back
// the same. A number comes back as int64, uint64 or a double that prints as the same decimal; one that neither can
// hold comes back as its text. Bytes come back as base64 text, sets as arrays.
Attribute attribute_from_json(const Json& json);
Json json_of(const Attribute& attribute);

}  // namespace palette::aws
