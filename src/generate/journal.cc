#include "generate/journal.h"

#include "generate/lines.h"
#include "job/extents.h"

namespace palette::generate {
namespace {

// What a later attempt knows wins; what only the earlier one knows stays.
void merge_into(RecordState& older, RecordState newer) {
  for (std::size_t i = 0; i < newer.steps.size(); ++i) {
    if (newer.steps[i]) older.steps[i] = std::move(newer.steps[i]);
  }
  older.round = newer.round;
  if (newer.finished_at) {
    older.finished_at = newer.finished_at;
    older.failure = std::move(newer.failure);
  }
}

}  // namespace

async::Task<Result<RecordsByIndex>> read_journals(store::ObjectStore& objects, JobId job, PartNumber part,
                                                  StepIds step_ids, std::function<bool(RecordIndex)> wanted) {
  RecordsByIndex out;
  // Listed in the order of the attempts: their numbers are padded alike up to 9999, which no part reaches.
  const Result<std::vector<store::ObjectInfo>> journals =
      co_await store::list_all(objects, job::journal_prefix(job, part));
  if (!journals) co_return std::unexpected(journals.error());
  for (const store::ObjectInfo& journal : *journals) {
    const Result<store::Object> object = co_await objects.get(journal.key);
    if (!object) co_return std::unexpected(object.error());
    std::uint32_t number = 0;
    for (const std::string_view line : Lines(object->body)) {
      ++number;
      Result<RecordState> state = parse_journal_line(line, step_ids);
      if (!state) {
        Error error = state.error().at(objects.location(journal.key));
        error.line = number;
        co_return std::unexpected(error);
      }
      if (!wanted(state->index)) continue;
      const auto [entry, added] = out.try_emplace(state->index.value);
      if (added) {
        entry->second = std::move(*state);
      } else {
        merge_into(entry->second, std::move(*state));
      }
    }
  }
  co_return out;
}

async::Task<Status> remove_journals(store::ObjectStore& objects, JobId job, PartNumber part) {
  const Result<std::vector<store::ObjectInfo>> journals =
      co_await store::list_all(objects, job::journal_prefix(job, part));
  if (!journals) co_return std::unexpected(journals.error());
  for (const store::ObjectInfo& journal : *journals) {
    if (Status removed = co_await objects.remove(journal.key); !removed) co_return removed;
  }
  co_return Status{};
}

}  // namespace palette::generate
