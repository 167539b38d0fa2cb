#include "store/local/row_reader.h"

namespace palette::store {

void RowReader::refuse(const Error& error) {
  if (refused_) return;
  std::string place = "table " + table_;
  if (!row_.empty() && std::holds_alternative<std::string>(row_[0]))
    place += ", '" + std::get<std::string>(row_[0]) + "'";
  refused_ = Error{ErrorKind::corrupt, "column " + std::to_string(next_) + " cannot be read: " + error.message, place};
}

Status RowReader::status() const {
  if (refused_) return std::unexpected(*refused_);
  if (next_ != row_.size()) return fail(ErrorKind::internal, "a row of table " + table_ + " was not read to its end");
  return {};
}

bool RowReader::next_is_null() const {
  return next_ < row_.size() && std::holds_alternative<std::monostate>(row_[next_]);
}

std::string RowReader::text() {
  if (next_ < row_.size()) {
    if (const auto* value = std::get_if<std::string>(&row_[next_++])) return *value;
  }
  refuse({ErrorKind::corrupt, "not a text"});
  return {};
}

std::int64_t RowReader::number() {
  if (next_ < row_.size()) {
    if (const auto* value = std::get_if<std::int64_t>(&row_[next_++])) return *value;
  }
  refuse({ErrorKind::corrupt, "not an integer"});
  return 0;
}

Money RowReader::money() {
  const Result<Money> value = Money::from_decimal(text());
  if (!value) refuse(value.error());
  return value.value_or(Money{});
}

std::optional<Money> RowReader::optional_money() {
  if (!next_is_null()) return money();
  ++next_;
  return std::nullopt;
}

UtcTime RowReader::time() {
  const Result<UtcTime> value = UtcTime::from_iso(text());
  if (!value) refuse(value.error());
  return value.value_or(UtcTime{});
}

std::optional<UtcTime> RowReader::optional_time() {
  if (!next_is_null()) return time();
  ++next_;
  return std::nullopt;
}

Json RowReader::json() {
  Result<Json> value = parse_json(text());
  if (!value) refuse(value.error());
  return value ? std::move(*value) : Json();
}

JsonObject RowReader::object() {
  Json value = json();
  if (value.is_object()) return std::move(value.get_object());
  refuse({ErrorKind::corrupt, "not a JSON object"});
  return {};
}

JsonArray RowReader::array() {
  Json value = json();
  if (value.is_array()) return std::move(value.get_array());
  refuse({ErrorKind::corrupt, "not a JSON array"});
  return {};
}

}  // namespace palette::store
