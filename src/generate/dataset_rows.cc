#include "generate/dataset_rows.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "async/task_group.h"
#include "generate/pipeline.h"
#include "generate/record_line.h"

namespace palette::generate {
namespace {

constexpr std::size_t kFetchesAtOnce = 16;

}  // namespace

struct ColumnRows::Fetching {
  std::vector<RecordIndex> records;
  std::size_t next = 0;
  Status status = {};
};

ColumnRows::ColumnRows(const PreparedJob& job) : job_(job) {
  if (!job.compiled.columns.empty()) rows_.emplace(*job.seeds, job.spec.seed_sampling, job.spec.seed);
}

async::Task<Status> ColumnRows::fetch_rows(std::vector<RecordIndex> records) {
  fetched_.clear();
  if (!rows_) co_return Status{};
  std::erase_if(records, [this](RecordIndex index) { return rows_->is_at_hand(index); });
  if (records.empty()) co_return Status{};
  Fetching fetching{std::move(records)};
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  for (std::size_t i = 0; i < std::min(kFetchesAtOnce, fetching.records.size()); ++i)
    group.spawn(fetch_some(&fetching));
  co_await group.join();
  co_return fetching.status;
}

async::Task<void> ColumnRows::fetch_some(Fetching* fetching) {
  while (fetching->next < fetching->records.size() && fetching->status) {
    const RecordIndex index = fetching->records[fetching->next++];
    const Result<std::shared_ptr<const SeedRow>> row = co_await rows_->fetch(index);
    if (row)
      fetched_[index.value] = *row;
    else if (fetching->status)
      fetching->status = std::unexpected(row.error());
  }
}

Result<std::shared_ptr<const SeedRow>> ColumnRows::seed_row_of(RecordIndex index) {
  const auto found = fetched_.find(index.value);
  if (found != fetched_.end()) return found->second;
  return rows_->of_record(index);
}

Result<JsonObject> ColumnRows::row_of(RecordIndex index, std::string_view record_line) {
  const Result<RecordLine> parts = split_record_line(record_line);
  if (!parts) return std::unexpected(parts.error());
  const Result<Json> results = parse_json(parts->generation_result);
  if (!results || !results->is_object())
    return fail(ErrorKind::corrupt, "the generation_result of the record cannot be read");
  const auto steps = read_generation_result(results->get_object(), job_.compiled.step_ids);
  if (!steps) return std::unexpected(steps.error());
  const Result<std::shared_ptr<const SeedRow>> row = seed_row_of(index);
  if (!row) return std::unexpected(row.error());

  std::vector<const StepOutcome*> visible;
  for (const auto& step : *steps) visible.push_back(step ? &*step : nullptr);
  const jinja::Value context = record_context((*row)->values, index, job_.compiled.step_ids, visible);
  const jinja::RenderOptions options = render_options(job_.spec, index);
  JsonObject out;
  for (const auto& [name, column] : job_.compiled.columns) {
    Json& cell = out[name];
    Error error;
    if (column.is_single_expression()) {
      Result<jinja::Value> value = column.evaluate(context, options);
      if (value) {
        cell = value->to_json();
        continue;
      }
      error = value.error();
    } else {
      Result<std::string> text = column.render(context, options);
      if (text) {
        cell = boost::json::string(*text);
        continue;
      }
      error = text.error();
    }
    Trouble& trouble = troubles_[name];
    if (trouble.records++ == 0) trouble.first = "record " + std::to_string(index.value) + ": " + error.text();
  }
  return out;
}

std::vector<std::string> ColumnRows::notes() const {
  std::vector<std::string> out;
  for (const auto& [name, trouble] : troubles_) {
    out.push_back("column '" + name + "' could not be rendered for " + std::to_string(trouble.records) +
                  " records and is null there; the first is " + trouble.first);
  }
  return out;
}

Result<std::vector<dataset::Cell>> record_cells(std::string_view record_line) {
  const Result<RecordLine> parts = split_record_line(record_line);
  if (!parts) return std::unexpected(parts.error());
  return std::vector<dataset::Cell>{parts->id, parts->job_id, parts->timestamp, parts->seed_data_keys,
                                    parts->generation_result};
}

std::vector<dataset::Cell> row_cells(const dataset::Schema& schema, const JsonObject& row) {
  std::vector<dataset::Cell> cells;
  cells.reserve(schema.size());
  for (const dataset::Column& column : schema) {
    const Json* value = row.if_contains(column.name);
    cells.push_back(value == nullptr || value->is_null() ? dataset::Cell{} : dataset::Cell{value});
  }
  return cells;
}

}  // namespace palette::generate
