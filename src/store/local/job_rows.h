// The tables in SQLite, and their rows as items. Names are DESIGN.md section 5's; money is decimal dollars and times
// are ISO texts, as in DynamoDB; lists and maps are JSON.
#pragma once

#include <string>

#include "base/result.h"
#include "store/job_store.h"
#include "store/local/sqlite.h"

namespace palette::store {

inline constexpr std::int64_t kSchemaVersion = 1;
inline constexpr std::int64_t kApplicationId = 0x50506c74;  // "PPlt": whose database it is

// The statements that make the tables of kSchemaVersion.
std::string schema_script();

// Column names in the order of the functions below, and as many question marks: "job_id, name, …" and "?, ?, …".
extern const std::string_view kJobColumns, kQueueColumns, kTemplateColumns, kCostColumns;
std::string placeholders(std::string_view columns);

SqlRow to_row(const JobItem& job);
SqlRow to_row(const QueueItem& item);
SqlRow to_row(const TemplateItem& item);
SqlRow to_row(const CostRow& row);

// corrupt when a value is not what to_row() writes.
Result<JobItem> job_from(const SqlRow& row);
Result<QueueItem> queue_item_from(const SqlRow& row);
Result<TemplateItem> template_from(const SqlRow& row);
Result<CostRow> cost_row_from(const SqlRow& row);

}  // namespace palette::store
