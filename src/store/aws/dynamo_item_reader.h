// An item's attributes one by one, with the first complaint kept: what is absent has its default, what is there must be
// readable.
//
//   ItemReader reader(item, "table Jobs, 'j-1'");
//   job.name = reader.text("name");
//   if (Status ok = reader.status(); !ok) …   // corrupt: "table Jobs, 'j-1': attribute 'tokens_used' …"
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/dynamo_attribute.h"
#include "base/time.h"

namespace palette::store {

class ItemReader {
 public:
  // `item` must outlive it. `place` is for messages.
  ItemReader(const aws::DynamoItem& item, std::string place) : item_(item), place_(std::move(place)) {}

  std::string text(std::string_view name, std::string_view otherwise = "");
  // A key, say: it must be there.
  std::string needed_text(std::string_view name);
  std::int64_t number(std::string_view name, std::int64_t otherwise = 0);
  Money money(std::string_view name, Money otherwise = {});
  std::optional<Money> optional_money(std::string_view name);
  // ISO 8601 with "Z", "+00:00" or nothing behind it (UTC in any case), or seconds since 1970 as a number.
  std::optional<UtcTime> time(std::string_view name);
  // Null when it is absent.
  const aws::DynamoItem* map(std::string_view name);
  JsonArray array(std::string_view name);

  // Keeps the first; its kind becomes corrupt.
  void refuse(Error error);
  Status status() const;

 private:
  template <class T>
  T checked(const Result<T>& value, T otherwise);

  const aws::DynamoItem& item_;
  std::string place_;
  std::optional<Error> error_;
};

}  // namespace palette::store
