#include "dataset/parquet_module_values.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/time.h"
#include "base/utf8.h"

namespace palette::dataset {
namespace {

constexpr std::int64_t kMsPerDay = 86'400'000;
constexpr std::int64_t kYear0_s = -62'167'219'200;      // 0000-01-01T00:00:00Z
constexpr std::int64_t kYear10000_s = 253'402'300'800;  // 10000-01-01T00:00:00Z

struct Unit {
  std::int64_t per_second;
  int digits;
};

Unit unit_of(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return {1, 0};
    case arrow::TimeUnit::MILLI:
      return {1'000, 3};
    case arrow::TimeUnit::MICRO:
      return {1'000'000, 6};
    case arrow::TimeUnit::NANO:
      return {1'000'000'000, 9};
  }
  return {1, 0};
}

// Appends, in quotes, characters [from, from + size) of the ISO form of a time, the fraction of a second and `zone`.
Status append_time(std::string& out, std::int64_t value, Unit unit, std::size_t from, std::size_t size,
                   std::string_view zone) {
  std::int64_t seconds = value / unit.per_second;
  std::int64_t fraction = value % unit.per_second;
  if (fraction < 0) {
    fraction += unit.per_second;
    --seconds;
  }
  if (seconds < kYear0_s || seconds >= kYear10000_s) {
    return fail(ErrorKind::bad_input, "a time outside of the years 0000 to 9999");
  }
  out += '"';
  out += UtcTime{seconds * 1'000}.to_iso().substr(from, size);
  if (unit.digits > 0) out += fmt::format(".{:0{}}", fraction, unit.digits);
  out += zone;
  out += '"';
  return {};
}

Status append_text(std::string& out, std::string_view text) {
  if (find_invalid_utf8(text) != std::string_view::npos)
    return fail(ErrorKind::bad_input, "the text is not valid UTF-8");
  append_json_string(out, text);
  return {};
}

// The fewest digits that read back as the same float.
void append_float(std::string& out, float value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  out += std::isfinite(value) ? digits : "null";
  if (std::isfinite(value) && digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

Status append_items(std::string& out, const arrow::Array& items, std::int64_t start, std::int64_t count) {
  out += '[';
  for (std::int64_t i = start; i < start + count; ++i) {
    if (i > start) out += ',';
    if (Status added = append_json(out, items, i); !added) return added;
  }
  out += ']';
  return {};
}

template <class List>
Status append_list(std::string& out, const arrow::Array& values, std::int64_t index) {
  const auto& list = static_cast<const List&>(values);
  return append_items(out, *list.values(), list.value_offset(index), list.value_length(index));
}

Status append_struct(std::string& out, const arrow::StructArray& values, std::int64_t index) {
  out += '{';
  for (int i = 0; i < values.num_fields(); ++i) {
    if (i > 0) out += ',';
    if (Status added = append_text(out, values.type()->field(i)->name()); !added) return added;
    out += ':';
    if (Status added = append_json(out, *values.field(i), index); !added) return added;
  }
  out += '}';
  return {};
}

Status append_map(std::string& out, const arrow::MapArray& values, std::int64_t index) {
  out += '{';
  const std::int64_t start = values.value_offset(index);
  for (std::int64_t i = start; i < start + values.value_length(index); ++i) {
    if (i > start) out += ',';
    std::string key;
    if (Status added = append_json(key, *values.keys(), i); !added) return added;
    if (key.starts_with('"')) {
      out += key;
    } else {
      append_json_string(out, key);
    }
    out += ':';
    if (Status added = append_json(out, *values.items(), i); !added) return added;
  }
  out += '}';
  return {};
}

template <class Integers>
Status append_integer(std::string& out, const arrow::Array& values, std::int64_t index) {
  out += std::to_string(static_cast<const Integers&>(values).Value(index));
  return {};
}

template <class Texts>
Status append_string(std::string& out, const arrow::Array& values, std::int64_t index) {
  return append_text(out, static_cast<const Texts&>(values).GetView(index));
}

template <class Times>
Status append_time_of_day(std::string& out, const arrow::Array& values, std::int64_t index) {
  const auto unit = static_cast<const arrow::TimeType&>(*values.type()).unit();
  return append_time(out, static_cast<const Times&>(values).Value(index), unit_of(unit), 11, 8, "");
}

Status append_timestamp(std::string& out, const arrow::Array& values, std::int64_t index) {
  const auto& type = static_cast<const arrow::TimestampType&>(*values.type());
  const auto value = static_cast<const arrow::TimestampArray&>(values).Value(index);
  return append_time(out, value, unit_of(type.unit()), 0, 19, type.timezone().empty() ? "" : "Z");
}

Status append_number(std::string& out, const arrow::Array& values, std::int64_t index) {
  switch (values.type_id()) {
    case arrow::Type::BOOL:
      out += static_cast<const arrow::BooleanArray&>(values).Value(index) ? "true" : "false";
      return {};
    case arrow::Type::INT8:
      return append_integer<arrow::Int8Array>(out, values, index);
    case arrow::Type::INT16:
      return append_integer<arrow::Int16Array>(out, values, index);
    case arrow::Type::INT32:
      return append_integer<arrow::Int32Array>(out, values, index);
    case arrow::Type::INT64:
      return append_integer<arrow::Int64Array>(out, values, index);
    case arrow::Type::UINT8:
      return append_integer<arrow::UInt8Array>(out, values, index);
    case arrow::Type::UINT16:
      return append_integer<arrow::UInt16Array>(out, values, index);
    case arrow::Type::UINT32:
      return append_integer<arrow::UInt32Array>(out, values, index);
    case arrow::Type::UINT64:
      return append_integer<arrow::UInt64Array>(out, values, index);
    case arrow::Type::FLOAT:
      append_float(out, static_cast<const arrow::FloatArray&>(values).Value(index));
      return {};
    case arrow::Type::DOUBLE:
      append_double(out, static_cast<const arrow::DoubleArray&>(values).Value(index));
      return {};
    default:
      return fail(ErrorKind::bad_input, "the type " + values.type()->ToString() + " has no JSON form");
  }
}

Status append_text_or_time(std::string& out, const arrow::Array& values, std::int64_t index) {
  switch (values.type_id()) {
    case arrow::Type::STRING:
      return append_string<arrow::StringArray>(out, values, index);
    case arrow::Type::LARGE_STRING:
      return append_string<arrow::LargeStringArray>(out, values, index);
    case arrow::Type::STRING_VIEW:
      return append_string<arrow::StringViewArray>(out, values, index);
    case arrow::Type::DATE32:
      return append_time(out, static_cast<const arrow::Date32Array&>(values).Value(index) * (kMsPerDay / 1'000), {1, 0},
                         0, 10, "");
    case arrow::Type::DATE64:
      return append_time(out, static_cast<const arrow::Date64Array&>(values).Value(index) / 1'000, {1, 0}, 0, 10, "");
    case arrow::Type::TIMESTAMP:
      return append_timestamp(out, values, index);
    case arrow::Type::TIME32:
      return append_time_of_day<arrow::Time32Array>(out, values, index);
    case arrow::Type::TIME64:
      return append_time_of_day<arrow::Time64Array>(out, values, index);
    case arrow::Type::DECIMAL32:
      return append_text(out, static_cast<const arrow::Decimal32Array&>(values).FormatValue(index));
    case arrow::Type::DECIMAL64:
      return append_text(out, static_cast<const arrow::Decimal64Array&>(values).FormatValue(index));
    case arrow::Type::DECIMAL128:
      return append_text(out, static_cast<const arrow::Decimal128Array&>(values).FormatValue(index));
    case arrow::Type::DECIMAL256:
      return append_text(out, static_cast<const arrow::Decimal256Array&>(values).FormatValue(index));
    default:
      return append_number(out, values, index);
  }
}

}  // namespace

const arrow::DataType* type_without_json(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::STRUCT:
      break;
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      if (map.key_type()->num_fields() > 0) return map.key_type().get();
      if (const auto* inner = type_without_json(*map.key_type())) return inner;
      return type_without_json(*map.item_type());
    }
    case arrow::Type::DICTIONARY:
      return type_without_json(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::EXTENSION:
      return type_without_json(*static_cast<const arrow::ExtensionType&>(type).storage_type());
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
    case arrow::Type::DURATION:
      return &type;
    default:
      return arrow::is_primitive(type.id()) || arrow::is_decimal(type.id()) || arrow::is_string(type.id()) ||
                     type.id() == arrow::Type::STRING_VIEW || type.id() == arrow::Type::NA
                 ? nullptr
                 : &type;
  }
  for (const auto& field : type.fields()) {
    if (const auto* inner = type_without_json(*field->type())) return inner;
  }
  return nullptr;
}

Status append_json(std::string& out, const arrow::Array& values, std::int64_t index) {
  if (values.IsNull(index)) {
    out += "null";
    return {};
  }
  switch (values.type_id()) {
    case arrow::Type::LIST:
      return append_list<arrow::ListArray>(out, values, index);
    case arrow::Type::LARGE_LIST:
      return append_list<arrow::LargeListArray>(out, values, index);
    case arrow::Type::FIXED_SIZE_LIST:
      return append_list<arrow::FixedSizeListArray>(out, values, index);
    case arrow::Type::STRUCT:
      return append_struct(out, static_cast<const arrow::StructArray&>(values), index);
    case arrow::Type::MAP:
      return append_map(out, static_cast<const arrow::MapArray&>(values), index);
    case arrow::Type::DICTIONARY: {
      const auto& encoded = static_cast<const arrow::DictionaryArray&>(values);
      return append_json(out, *encoded.dictionary(), encoded.GetValueIndex(index));
    }
    case arrow::Type::EXTENSION:
      return append_json(out, *static_cast<const arrow::ExtensionArray&>(values).storage(), index);
    default:
      return append_text_or_time(out, values, index);
  }
}

}  // namespace palette::dataset
