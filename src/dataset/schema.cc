#include "dataset/schema.h"

#include <algorithm>
#include <limits>

#include "base/time.h"

namespace palette::dataset {
namespace {

constexpr std::int64_t kExactInDouble = std::int64_t{1} << 53;
constexpr std::size_t kTimestampBytes = 24;  // 2026-11-23T10:00:00.123Z

ColumnType text_type(bool mixed) {
  ColumnType type{.kind = ColumnKind::json_text};
  type.mixed = mixed;
  return type;
}

// A nested type with JSON text inside becomes JSON text as a whole.
void lift_json_text(ColumnType& type) {
  bool found = false, mixed = false;
  for (const ColumnType& child : type.children) {
    found = found || child.kind == ColumnKind::json_text;
    mixed = mixed || child.mixed;
  }
  if (found) type = text_type(mixed);
}

bool are(const ColumnType& a, const ColumnType& b, ColumnKind one, ColumnKind other) {
  return (a.kind == one && b.kind == other) || (a.kind == other && b.kind == one);
}

ColumnType int_type(std::int64_t value) {
  ColumnType type{.kind = ColumnKind::int64};
  type.beyond_double = value > kExactInDouble || value < -kExactInDouble;
  return type;
}

ColumnType string_type(std::string_view text) {
  const bool is_time = text.size() == kTimestampBytes && UtcTime::from_iso(text).has_value();
  return ColumnType{.kind = is_time ? ColumnKind::timestamp_ms : ColumnKind::string};
}

ColumnType list_type(const JsonArray& items) {
  ColumnType type{.kind = ColumnKind::list, .children = {ColumnType{}}};
  for (const Json& item : items) type.children[0].merge(column_type_of(item));
  lift_json_text(type);
  return type;
}

ColumnType structure_type(const JsonObject& object) {
  if (object.empty()) return text_type(false);
  ColumnType type{.kind = ColumnKind::structure};
  for (const auto& member : object) {
    type.field_names.emplace_back(member.key());
    type.children.push_back(column_type_of(member.value()));
  }
  lift_json_text(type);
  return type;
}

void join_fields(ColumnType& type, const ColumnType& other) {
  for (std::size_t i = 0; i < other.children.size(); ++i) {
    const auto found = std::ranges::find(type.field_names, other.field_names[i]);
    if (found == type.field_names.end()) {
      type.field_names.push_back(other.field_names[i]);
      type.children.push_back(other.children[i]);
    } else {
      type.children[static_cast<std::size_t>(found - type.field_names.begin())].merge(other.children[i]);
    }
  }
}

}  // namespace

void ColumnType::merge(const ColumnType& other) {
  if (other.kind == ColumnKind::null) return;
  if (kind == ColumnKind::null) {
    *this = other;
  } else if (kind == other.kind) {
    if (kind == ColumnKind::list) children[0].merge(other.children[0]);
    if (kind == ColumnKind::structure) join_fields(*this, other);
    mixed = mixed || other.mixed;
    beyond_double = beyond_double || other.beyond_double;
    lift_json_text(*this);
  } else if (are(*this, other, ColumnKind::int64, ColumnKind::float64) && !beyond_double && !other.beyond_double) {
    kind = ColumnKind::float64;
  } else if (are(*this, other, ColumnKind::string, ColumnKind::timestamp_ms)) {
    kind = ColumnKind::string;
  } else {
    *this = text_type(true);
  }
}

ColumnType column_type_of(const Json& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return ColumnType{};
    case boost::json::kind::bool_:
      return ColumnType{.kind = ColumnKind::boolean};
    case boost::json::kind::int64:
      return int_type(value.get_int64());
    case boost::json::kind::uint64: {
      constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
      if (value.get_uint64() > kMax) return text_type(false);
      return int_type(static_cast<std::int64_t>(value.get_uint64()));
    }
    case boost::json::kind::double_:
      return ColumnType{.kind = ColumnKind::float64};
    case boost::json::kind::string:
      return string_type(value.get_string());
    case boost::json::kind::array:
      return list_type(value.get_array());
    case boost::json::kind::object:
      return structure_type(value.get_object());
  }
  return ColumnType{};
}

Schema record_schema() {
  return {{"id", {.kind = ColumnKind::string}},
          {"job_id", {.kind = ColumnKind::string}},
          {"timestamp", {.kind = ColumnKind::timestamp_ms}},
          {"seed_data_keys", {.kind = ColumnKind::json_text}},
          {"generation_result", {.kind = ColumnKind::json_text}}};
}

void infer(Schema& schema, const JsonObject& row) {
  std::size_t position = 0;
  for (const auto& member : row) {
    const std::string_view name = member.key();
    // Rows mostly have the same keys in the same order.
    auto found = position < schema.size() && schema[position].name == name
                     ? schema.begin() + static_cast<std::ptrdiff_t>(position)
                     : std::ranges::find(schema, name, &Column::name);
    if (found == schema.end()) found = schema.insert(found, Column{std::string(name), {}});
    found->type.merge(column_type_of(member.value()));
    ++position;
  }
}

}  // namespace palette::dataset
