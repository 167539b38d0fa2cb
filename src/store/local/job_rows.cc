#include "store/local/job_rows.h"

#include <algorithm>
#include <charconv>

#include "store/local/row_reader.h"

namespace palette::store {
namespace {

SqlValue nullable(const std::optional<UtcTime>& time) { return time ? SqlValue(time->to_iso()) : SqlValue(); }
SqlValue nullable(const std::optional<Money>& money) { return money ? SqlValue(money->to_decimal()) : SqlValue(); }

// {"1": {"attempt": 1, …}, …}
std::string parts_text(const std::map<std::int64_t, PartProgress>& parts) {
  JsonObject object;
  for (const auto& [number, part] : parts) {
    JsonObject figures{
        {"attempt", part.attempt.value}, {"slice_no", part.slice_no}, {"last_slice", part.last_slice.to_decimal()},
        {"records", part.records},       {"failed", part.failed},     {"tokens", part.tokens},
        {"cost", part.cost.to_decimal()}};
    if (part.fruitless > 0) figures["fruitless"] = part.fruitless;
    if (!part.last_cause.empty()) figures["last_cause"] = part.last_cause;
    object[std::to_string(number)] = std::move(figures);
  }
  return to_json_text(object);
}

Result<PartProgress> part_from(const Json& value) {
  if (!value.is_object()) return fail(ErrorKind::corrupt, "a part is not an object");
  const JsonObject& object = value.get_object();
  PartProgress part;
  const std::pair<std::string_view, std::int64_t*> numbers[] = {{"attempt", &part.attempt.value},
                                                                {"slice_no", &part.slice_no},
                                                                {"records", &part.records},
                                                                {"failed", &part.failed},
                                                                {"tokens", &part.tokens}};
  for (const auto& [key, target] : numbers) {
    const Result<std::int64_t> number = json_int(object, key);
    if (!number) return std::unexpected(number.error());
    *target = *number;
  }
  const std::pair<std::string_view, Money*> amounts[] = {{"cost", &part.cost}, {"last_slice", &part.last_slice}};
  for (const auto& [key, target] : amounts) {
    const Result<std::string> text = json_string(object, key);
    if (!text) return std::unexpected(text.error());
    const Result<Money> amount = Money::from_decimal(*text);
    if (!amount) return std::unexpected(amount.error());
    *target = *amount;
  }
  if (object.contains("fruitless")) {
    const Result<std::int64_t> fruitless = json_int(object, "fruitless");
    if (!fruitless) return std::unexpected(fruitless.error());
    part.fruitless = *fruitless;
  }
  if (object.contains("last_cause")) {
    Result<std::string> cause = json_string(object, "last_cause");
    if (!cause) return std::unexpected(cause.error());
    part.last_cause = std::move(*cause);
  }
  return part;
}

std::map<std::int64_t, PartProgress> read_parts(RowReader& reader) {
  std::map<std::int64_t, PartProgress> parts;
  for (const auto& member : reader.object()) {
    const std::string_view key = member.key();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
    const Result<PartProgress> part = part_from(member.value());
    if (error != std::errc{} || end != key.data() + key.size()) {
      reader.refuse({ErrorKind::corrupt, "'" + std::string(key) + "' is not the number of a part"});
    } else if (!part) {
      reader.refuse(part.error());
    } else {
      parts.emplace(number, *part);
    }
  }
  return parts;
}

// The value of an enumeration whose names run from 0 without a gap.
template <class Enum>
Enum read_name(RowReader& reader, std::initializer_list<Enum> values) {
  const std::string text = reader.text();
  for (const Enum value : values) {
    if (to_string(value) == text) return value;
  }
  reader.refuse({ErrorKind::corrupt, "'" + text + "' is not one of the names that are known"});
  return *values.begin();
}

template <class Item>
Result<Item> checked(const RowReader& reader, Item item) {
  if (Status ok = reader.status(); !ok) return std::unexpected(ok.error());
  return item;
}

}  // namespace

const std::string_view kJobColumns =
    "job_id, name, user_id, identity_hash, status, stop_reason, error_message, spec_fields, num_records, budget_limit, "
    "unallocated, extents, parts, parts_ended, records_generated, records_failed, tokens_used, cost_estimate, "
    "created_at, "
    "started_at, completed_at, updated_at, task_arn, revision";
const std::string_view kQueueColumns =
    "status, position, job_id, part, kind, attempt, owner, lease_expires_at, not_before, started_at";
const std::string_view kTemplateColumns = "template_id, version, name, template_definition, created_at";
const std::string_view kCostColumns = "job_id, timestamp, fields";

std::string schema_script() {
  return R"(
    CREATE TABLE Jobs (
      job_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, user_id TEXT NOT NULL, identity_hash TEXT NOT NULL,
      status TEXT NOT NULL, stop_reason TEXT NOT NULL, error_message TEXT NOT NULL, spec_fields TEXT NOT NULL,
      num_records INTEGER NOT NULL, budget_limit TEXT, unallocated TEXT NOT NULL, extents TEXT NOT NULL,
      parts TEXT NOT NULL, parts_ended INTEGER NOT NULL, records_generated INTEGER NOT NULL,
      records_failed INTEGER NOT NULL, tokens_used INTEGER NOT NULL, cost_estimate TEXT NOT NULL,
      created_at TEXT NOT NULL, started_at TEXT, completed_at TEXT, updated_at TEXT NOT NULL,
      task_arn TEXT NOT NULL, revision INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX JobsByName ON Jobs (name, created_at);
    CREATE TABLE Queue (
      status TEXT NOT NULL, position TEXT NOT NULL UNIQUE, job_id TEXT NOT NULL, part INTEGER NOT NULL,
      kind TEXT NOT NULL, attempt INTEGER NOT NULL, owner TEXT NOT NULL, lease_expires_at TEXT, not_before TEXT,
      started_at TEXT, PRIMARY KEY (status, position)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX QueueByJob ON Queue (job_id);
    CREATE TABLE Templates (
      template_id TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, template_definition TEXT NOT NULL,
      created_at TEXT NOT NULL, PRIMARY KEY (template_id, version)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE CostTracking (
      job_id TEXT NOT NULL, timestamp TEXT NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (job_id, timestamp)
    ) STRICT, WITHOUT ROWID;
    PRAGMA application_id = )" +
         std::to_string(kApplicationId) + "; PRAGMA user_version = " + std::to_string(kSchemaVersion) + ";";
}

std::string placeholders(std::string_view columns) {
  std::string marks = "?";
  for (auto commas = std::ranges::count(columns, ','); commas > 0; --commas) marks += ", ?";
  return marks;
}

SqlRow to_row(const JobItem& job) {
  return {job.id.text,
          job.name,
          job.user_id,
          job.identity_hash,
          std::string(job::to_string(job.status)),
          job.stop_reason,
          job.error_message,
          to_json_text(job.spec_fields),
          job.num_records,
          nullable(job.budget_limit),
          job.unallocated.to_decimal(),
          to_json_text(job.extents),
          parts_text(job.parts),
          job.parts_ended,
          job.records_generated,
          job.records_failed,
          job.tokens_used,
          job.cost_estimate.to_decimal(),
          job.created_at.to_iso(),
          nullable(job.started_at),
          nullable(job.completed_at),
          job.updated_at.to_iso(),
          job.task_arn,
          job.revision};
}

Result<JobItem> job_from(const SqlRow& row) {
  RowReader reader(row, "Jobs");
  JobItem job;
  job.id.text = reader.text();
  job.name = reader.text();
  job.user_id = reader.text();
  job.identity_hash = reader.text();
  const Result<job::JobStatus> status = job::job_status_from(reader.text());
  if (!status) reader.refuse(status.error());
  job.status = status.value_or(job::JobStatus::queued);
  job.stop_reason = reader.text();
  job.error_message = reader.text();
  job.spec_fields = reader.object();
  job.num_records = reader.number();
  job.budget_limit = reader.optional_money();
  job.unallocated = reader.money();
  job.extents = reader.array();
  job.parts = read_parts(reader);
  job.parts_ended = reader.number();
  job.records_generated = reader.number();
  job.records_failed = reader.number();
  job.tokens_used = reader.number();
  job.cost_estimate = reader.money();
  job.created_at = reader.time();
  job.started_at = reader.optional_time();
  job.completed_at = reader.optional_time();
  job.updated_at = reader.time();
  job.task_arn = reader.text();
  job.revision = reader.number();
  return checked(reader, std::move(job));
}

SqlRow to_row(const QueueItem& item) {
  return {std::string(to_string(item.status)), item.position.text,       item.job.text, item.part.value,
          std::string(to_string(item.kind)),   item.attempt.value,       item.owner,    nullable(item.lease_expires_at),
          nullable(item.not_before),           nullable(item.started_at)};
}

Result<QueueItem> queue_item_from(const SqlRow& row) {
  RowReader reader(row, "Queue");
  QueueItem item;
  item.status = read_name(reader, {QueueStatus::queued, QueueStatus::running, QueueStatus::parked});
  item.position.text = reader.text();
  item.job.text = reader.text();
  item.part.value = reader.number();
  item.kind = read_name(reader, {WorkKind::generate, WorkKind::export_});
  item.attempt.value = reader.number();
  item.owner = reader.text();
  item.lease_expires_at = reader.optional_time();
  item.not_before = reader.optional_time();
  item.started_at = reader.optional_time();
  return checked(reader, std::move(item));
}

SqlRow to_row(const TemplateItem& item) {
  return {item.id, item.version, item.name, item.definition, item.created_at.to_iso()};
}

Result<TemplateItem> template_from(const SqlRow& row) {
  RowReader reader(row, "Templates");
  TemplateItem item;
  item.id = reader.text();
  item.version = reader.number();
  item.name = reader.text();
  item.definition = reader.text();
  item.created_at = reader.time();
  return checked(reader, std::move(item));
}

SqlRow to_row(const CostRow& row) { return {row.job.text, row.timestamp_key, to_json_text(row.fields)}; }

Result<CostRow> cost_row_from(const SqlRow& row) {
  RowReader reader(row, "CostTracking");
  CostRow cost;
  cost.job.text = reader.text();
  cost.timestamp_key = reader.text();
  cost.fields = reader.object();
  return checked(reader, std::move(cost));
}

}  // namespace palette::store
