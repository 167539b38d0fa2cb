// What the statements on the tables have in common. For the .cc files of JobTables.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/job_store.h"
#include "store/local/job_rows.h"
#include "store/local/sqlite.h"

namespace palette::store {

// "INSERT INTO Jobs (…) VALUES (?, …)"
inline std::string write_row(std::string_view verb, std::string_view table, std::string_view columns) {
  return std::string(verb) + " INTO " + std::string(table) + " (" + std::string(columns) + ") VALUES (" +
         placeholders(columns) + ")";
}

inline std::string select(std::string_view columns, std::string_view rest) {
  return "SELECT " + std::string(columns) + " FROM " + std::string(rest);
}

// Every row as an item; the first that cannot be read is the error.
template <class Item>
Result<std::vector<Item>> items_of(const Result<SqlRows>& rows, Result<Item> (*item_from)(const SqlRow&)) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<Item> items;
  items.reserve(rows->size());
  for (const SqlRow& row : *rows) {
    Result<Item> item = item_from(row);
    if (!item) return std::unexpected(item.error());
    items.push_back(std::move(*item));
  }
  return items;
}

template <class Item>
Result<Item> one_of(Result<std::vector<Item>> items, std::string_view what) {
  if (!items) return std::unexpected(items.error());
  if (items->empty()) return fail(ErrorKind::not_found, "there is no " + std::string(what));
  return std::move(items->front());
}

inline Status done(const Result<std::int64_t>& changes) {
  if (!changes) return std::unexpected(changes.error());
  return {};
}

inline Status check_item_of(const QueueItem& item, const JobItem& job) {
  if (item.job == job.id) return {};
  return fail(ErrorKind::bad_input,
              "a queue item of job '" + item.job.text + "' was given with job '" + job.id.text + "'");
}

inline std::unexpected<Error> somebody_was_first(const QueueItem& seen) {
  return fail(ErrorKind::changed, "the queue item '" + seen.position.text + "' is no longer what was seen: look again");
}

inline Status done_if_any(const QueueItem& seen, const Result<std::int64_t>& changes) {
  if (!changes) return std::unexpected(changes.error());
  if (*changes == 0) return somebody_was_first(seen);
  return {};
}

}  // namespace palette::store
