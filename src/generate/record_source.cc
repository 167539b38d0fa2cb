#include "generate/record_source.h"

#include <algorithm>

#include "generate/lines.h"

namespace palette::generate {

RecordSource::RecordSource(store::ObjectStore& objects, PartContext context, StepIds step_ids, ResumeState state)
    : objects_(objects), context_(std::move(context)), step_ids_(std::move(step_ids)), state_(std::move(state)) {}

async::Task<Result<std::optional<SourceBatch>>> RecordSource::next() {
  while (next_batch_ <= context_.last_batch().value) {
    const BatchNumber batch{next_batch_++};
    SourceBatch out;
    if (state_.checkpoint.completed.contains(batch.value)) {
      const auto rounds = state_.retry_rounds.find(batch.value);
      const std::int64_t last_round = rounds == state_.retry_rounds.end() ? 0 : rounds->second;
      out.bodies.reserve(static_cast<std::size_t>(last_round + 1));
      for (std::int64_t round = 0; round <= last_round; ++round) {
        const std::string key = job::batch_key(context_.job, batch, round);
        if (Status added = co_await add_object(&out, batch, key); !added) co_return std::unexpected(added.error());
      }
      if (last_round > 0) std::sort(out.lines.begin(), out.lines.end());
    } else {
      add_journal(out, batch);
    }
    if (!out.lines.empty()) co_return out;
  }
  co_return std::nullopt;
}

async::Task<Status> RecordSource::add_object(SourceBatch* out, BatchNumber batch, std::string key) {
  Result<store::Object> object = co_await objects_.get(key);
  if (!object) co_return std::unexpected(object.error());
  const std::string& body = out->bodies.emplace_back(std::move(object->body));
  const job::RecordRange range = context_.extents.records_of(batch);
  for (const std::string_view line : Lines(body)) {
    const Result<RecordIndex> index = index_of_line(line, context_.job);
    if (!index || index->value < range.first || index->value >= range.first + range.count) {
      co_return fail(ErrorKind::corrupt, "a line is no record of this batch", objects_.location(key));
    }
    if (index->value < context_.num_records) out->lines.emplace_back(index->value, line);
  }
  co_return Status{};
}

void RecordSource::add_journal(SourceBatch& out, BatchNumber batch) {
  const job::RecordRange range = context_.extents.records_of(batch);
  const auto first = state_.journal.lower_bound(range.first),
             last = state_.journal.lower_bound(range.first + range.count);
  out.bodies.reserve(static_cast<std::size_t>(range.count));
  for (auto entry = first; entry != last; ++entry) {
    const auto& [index, state] = *entry;
    if (!state.succeeded() || index >= context_.num_records) continue;
    std::string& body = out.bodies.emplace_back();
    append_record_line(body, context_.job, step_ids_, state);
    out.lines.emplace_back(index, body);
  }
}

}  // namespace palette::generate
