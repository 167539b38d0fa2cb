#include "store/aws/dynamo_item_reader.h"

#include <utility>

namespace palette::store {
namespace {

using aws::has;

constexpr std::int64_t kSecondsMax = 253'402'300'799;  // the end of the year 9999

// Python's isoformat() says "+00:00" or nothing, and has microseconds.
Result<UtcTime> time_from(std::string text) {
  if (text.ends_with("+00:00")) text.resize(text.size() - 6);
  if (!text.ends_with('Z')) text += 'Z';
  return UtcTime::from_iso(text);
}

}  // namespace

template <class T>
T ItemReader::checked(const Result<T>& value, T otherwise) {
  if (value) return *value;
  refuse(value.error());
  return otherwise;
}

void ItemReader::refuse(Error error) {
  if (error_) return;
  error.kind = ErrorKind::corrupt;
  if (!error.where.empty()) error.message = error.where + ": " + error.message;
  error.where = place_;
  error.line = error.column = 0;
  error_ = std::move(error);
}

Status ItemReader::status() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

std::string ItemReader::text(std::string_view name, std::string_view otherwise) {
  if (!has(item_, name)) return std::string(otherwise);
  return checked(aws::text_of(item_, name), std::string());
}

std::string ItemReader::needed_text(std::string_view name) { return checked(aws::text_of(item_, name), std::string()); }

std::int64_t ItemReader::number(std::string_view name, std::int64_t otherwise) {
  if (!has(item_, name)) return otherwise;
  return checked(aws::int_of(item_, name), otherwise);
}

Money ItemReader::money(std::string_view name, Money otherwise) {
  if (!has(item_, name)) return otherwise;
  return checked(aws::money_of(item_, name), otherwise);
}

std::optional<Money> ItemReader::optional_money(std::string_view name) {
  if (!has(item_, name)) return {};
  return checked(aws::money_of(item_, name), Money{});
}

std::optional<UtcTime> ItemReader::time(std::string_view name) {
  if (!has(item_, name)) return {};
  if (std::holds_alternative<aws::DynamoNumber>(item_.find(name)->second.value)) {
    const std::int64_t seconds = number(name);
    if (seconds >= 0 && seconds <= kSecondsMax) return UtcTime{seconds * 1'000};
    refuse({ErrorKind::corrupt, "attribute '" + std::string(name) + "' is no time in seconds since 1970"});
    return {};
  }
  const Result<UtcTime> time = time_from(text(name));
  if (time) return *time;
  refuse(time.error().at("attribute '" + std::string(name) + "'"));
  return {};
}

const aws::DynamoItem* ItemReader::map(std::string_view name) {
  if (!has(item_, name)) return nullptr;
  return checked<const aws::DynamoItem*>(aws::map_of(item_, name), nullptr);
}

JsonArray ItemReader::array(std::string_view name) {
  if (!has(item_, name)) return {};
  Json json = aws::json_of(item_.find(name)->second);
  if (json.is_array()) return std::move(json.get_array());
  refuse({ErrorKind::corrupt, "attribute '" + std::string(name) + "' is no list (L)"});
  return {};
}

}  // namespace palette::store
