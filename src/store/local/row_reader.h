// Reads the values of a row one after the other; the first that is not what it should be is remembered.
//
//   RowReader reader(row, "Jobs");
//   item.id.text = reader.text();
//   item.num_records = reader.number();
//   if (Status ok = reader.status(); !ok) return std::unexpected(ok.error());
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "store/local/sqlite.h"

namespace palette::store {

class RowReader {
 public:
  // `row` must outlive the reader; `table` is for messages.
  RowReader(const SqlRow& row, std::string_view table) : row_(row), table_(table) {}

  std::string text();
  std::int64_t number();
  Money money();
  std::optional<Money> optional_money();
  UtcTime time();
  std::optional<UtcTime> optional_time();
  JsonObject object();
  JsonArray array();

  // Remembers `error` as the row's.
  void refuse(const Error& error);
  // corrupt when a value was refused, or when some are left.
  Status status() const;

 private:
  bool next_is_null() const;
  Json json();

  const SqlRow& row_;
  std::string table_;
  std::size_t next_ = 0;
  std::optional<Error> refused_;
};

}  // namespace palette::store
