#include "dataset/parquet_module_columns.h"

#include <arrow/builder.h>
#include <arrow/type.h>

#include <limits>

#include "base/time.h"

namespace palette::dataset {
namespace {

constexpr std::size_t kFixedBytes = 8;  // a number, or a text's offset and its share of the null bits

std::string_view kind_name(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::null:
      return "null";
    case ColumnKind::boolean:
      return "bool";
    case ColumnKind::int64:
      return "int64";
    case ColumnKind::float64:
      return "double";
    case ColumnKind::string:
      return "string";
    case ColumnKind::timestamp_ms:
      return "timestamp";
    case ColumnKind::list:
      return "list";
    case ColumnKind::structure:
      return "struct";
    case ColumnKind::json_text:
      return "JSON text";
  }
  return "unknown";
}

arrow::Status misfit(ColumnKind kind, std::string_view found) {
  return arrow::Status::Invalid(found, " does not fit its type ", kind_name(kind));
}

// The integer, if it is one that an int64 holds.
bool is_int64(const Json& value, std::int64_t& out) {
  if (value.is_int64()) {
    out = value.get_int64();
    return true;
  }
  if (!value.is_uint64() || value.get_uint64() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return false;
  }
  out = static_cast<std::int64_t>(value.get_uint64());
  return true;
}

arrow::Status append_text(arrow::ArrayBuilder& builder, std::string_view text, std::size_t& bytes) {
  bytes += text.size();
  return static_cast<arrow::StringBuilder&>(builder).Append(text);
}

arrow::Status append_time(arrow::ArrayBuilder& builder, std::string_view text) {
  const auto time = UtcTime::from_iso(text);
  if (!time) return misfit(ColumnKind::timestamp_ms, "'" + std::string(text) + "'");
  return static_cast<arrow::TimestampBuilder&>(builder).Append(time->unix_ms);
}

arrow::Status append_value(arrow::ArrayBuilder& builder, const ColumnType& type, const Json& value, std::size_t& bytes);

arrow::Status append_list(arrow::ArrayBuilder& builder, const ColumnType& type, const JsonArray& items,
                          std::size_t& bytes) {
  auto& list = static_cast<arrow::ListBuilder&>(builder);
  ARROW_RETURN_NOT_OK(list.Append());
  for (const Json& item : items) {
    ARROW_RETURN_NOT_OK(append_value(*list.value_builder(), type.children[0], item, bytes));
  }
  return arrow::Status::OK();
}

arrow::Status append_structure(arrow::ArrayBuilder& builder, const ColumnType& type, const JsonObject& object,
                               std::size_t& bytes) {
  auto& structure = static_cast<arrow::StructBuilder&>(builder);
  ARROW_RETURN_NOT_OK(structure.Append());
  std::size_t known = 0;
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    arrow::ArrayBuilder& child = *structure.field_builder(static_cast<int>(i));
    const Json* value = object.if_contains(type.field_names[i]);
    known += value != nullptr;
    ARROW_RETURN_NOT_OK(value == nullptr ? child.AppendNull() : append_value(child, type.children[i], *value, bytes));
  }
  if (known != object.size()) return misfit(ColumnKind::structure, "an object with further keys");
  return arrow::Status::OK();
}

arrow::Status append_value(arrow::ArrayBuilder& builder, const ColumnType& type, const Json& value,
                           std::size_t& bytes) {
  bytes += kFixedBytes;
  if (value.is_null()) return builder.AppendNull();
  std::int64_t integer = 0;
  switch (type.kind) {
    case ColumnKind::null:
      break;
    case ColumnKind::boolean:
      if (value.is_bool()) return static_cast<arrow::BooleanBuilder&>(builder).Append(value.get_bool());
      break;
    case ColumnKind::int64:
      if (is_int64(value, integer)) return static_cast<arrow::Int64Builder&>(builder).Append(integer);
      break;
    case ColumnKind::float64:
      if (value.is_number()) return static_cast<arrow::DoubleBuilder&>(builder).Append(value.to_number<double>());
      break;
    case ColumnKind::string:
      if (value.is_string()) return append_text(builder, value.get_string(), bytes);
      break;
    case ColumnKind::timestamp_ms:
      if (value.is_string()) return append_time(builder, value.get_string());
      break;
    case ColumnKind::list:
      if (value.is_array()) return append_list(builder, type, value.get_array(), bytes);
      break;
    case ColumnKind::structure:
      if (value.is_object()) return append_structure(builder, type, value.get_object(), bytes);
      break;
    case ColumnKind::json_text:
      return append_text(builder, to_json_text(value), bytes);
  }
  return misfit(type.kind, json_kind_name(value));
}

}  // namespace

std::shared_ptr<arrow::DataType> arrow_type(const ColumnType& type) {
  switch (type.kind) {
    case ColumnKind::boolean:
      return arrow::boolean();
    case ColumnKind::int64:
      return arrow::int64();
    case ColumnKind::float64:
      return arrow::float64();
    case ColumnKind::timestamp_ms:
      return arrow::timestamp(arrow::TimeUnit::MILLI, "UTC");
    case ColumnKind::list:
      return arrow::list(arrow_type(type.children[0]));
    case ColumnKind::structure: {
      arrow::FieldVector fields;
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        fields.push_back(arrow::field(type.field_names[i], arrow_type(type.children[i])));
      }
      return arrow::struct_(fields);
    }
    case ColumnKind::null:
    case ColumnKind::string:
    case ColumnKind::json_text:
      break;
  }
  return arrow::utf8();
}

arrow::Status append_cell(arrow::ArrayBuilder& builder, const ColumnType& type, const Cell& cell, std::size_t& bytes) {
  if (const auto* value = std::get_if<const Json*>(&cell)) return append_value(builder, type, **value, bytes);
  bytes += kFixedBytes;
  const auto* text = std::get_if<std::string_view>(&cell);
  if (text == nullptr) return builder.AppendNull();
  if (type.kind == ColumnKind::string || type.kind == ColumnKind::json_text) return append_text(builder, *text, bytes);
  if (type.kind == ColumnKind::timestamp_ms) return append_time(builder, *text);
  return misfit(type.kind, "a text");
}

Error error_of(const arrow::Status& status, ErrorKind kind) {
  const std::string message = status.message();
  return Error{kind, message.substr(0, message.find('\n'))};
}

}  // namespace palette::dataset
