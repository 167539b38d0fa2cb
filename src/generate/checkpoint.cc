#include "generate/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace palette::generate {
namespace {

constexpr int kSaveTriesMax = 20;

std::unexpected<Error> corrupt(std::string message) {
  return fail(ErrorKind::corrupt, "the checkpoint cannot be read: " + message);
}

bool read_int(std::string_view text, std::int64_t& value) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && end == text.data() + text.size();
}

std::string failed_key(std::int64_t batch, std::int64_t round) {
  return std::to_string(batch) + (round == 0 ? "" : "-r" + std::to_string(round));
}

// "17" or "17-r2".
bool parse_failed_key(std::string_view key, std::int64_t& batch, std::int64_t& round) {
  const std::size_t dash = key.find("-r");
  round = 0;
  if (dash != std::string_view::npos && !read_int(key.substr(dash + 2), round)) return false;
  return read_int(key.substr(0, dash), batch);
}

Status read_completed(const JsonObject& root, Checkpoint& out) {
  const Json* ranges = root.if_contains("completed_batches");
  if (ranges == nullptr || !ranges->is_array()) return corrupt("completed_batches is not a list");
  for (const Json& range : ranges->get_array()) {
    const JsonArray* pair = range.if_array();
    if (pair == nullptr || pair->size() != 2 || !pair->at(0).is_int64() || !pair->at(1).is_int64()) {
      return corrupt("completed_batches holds something else than [first, last]");
    }
    const std::int64_t first = pair->at(0).get_int64(), last = pair->at(1).get_int64();
    if (first < 1 || last < first || last - first > 10'000'000)
      return corrupt("completed_batches holds a range that cannot be");
    for (std::int64_t batch = first; batch <= last; ++batch) out.completed.add(batch);
  }
  return {};
}

Status read_failed(const JsonObject& root, Checkpoint& out) {
  const auto failed = json_object(root, "failed");
  if (!failed) return corrupt("failed is missing");
  for (const auto& member : **failed) {
    std::int64_t batch = 0, round = 0;
    if (!parse_failed_key(member.key(), batch, round) || !member.value().is_int64() || member.value().get_int64() < 0)
      return corrupt("failed holds something else than batch: count");
    out.failed[batch][round] = member.value().get_int64();
  }
  return {};
}

// {"<attempt>": {"<name>": {…}}}
Status read_by_attempt(const JsonObject& root, std::string_view key, std::map<std::int64_t, UsageByModel>& out) {
  const auto attempts = json_object(root, key);
  if (!attempts) return corrupt(std::string(key) + " is missing");
  for (const auto& member : **attempts) {
    std::int64_t attempt = 0;
    if (!read_int(member.key(), attempt) || !member.value().is_object())
      return corrupt(std::string(key) + " holds something else than attempt: figures");
    Result<UsageByModel> figures = usage_from_json(member.value().get_object());
    if (!figures) return corrupt(figures.error().message);
    out[attempt] = std::move(*figures);
  }
  return {};
}

JsonObject by_attempt_to_json(const std::map<std::int64_t, UsageByModel>& attempts) {
  JsonObject out;
  for (const auto& [attempt, figures] : attempts) out[std::to_string(attempt)] = usage_to_json(figures);
  return out;
}

// Of each figure the larger one: an attempt's only grow.
void join_by_attempt(std::map<std::int64_t, UsageByModel>& mine, const std::map<std::int64_t, UsageByModel>& theirs) {
  for (const auto& [attempt, figures] : theirs) {
    for (const auto& [name, other] : figures) {
      ModelUsage& own = mine[attempt][name];
      own.calls = std::max(own.calls, other.calls);
      own.usage.input_tokens = std::max(own.usage.input_tokens, other.usage.input_tokens);
      own.usage.output_tokens = std::max(own.usage.output_tokens, other.usage.output_tokens);
      own.usage.cache_read_tokens = std::max(own.usage.cache_read_tokens, other.usage.cache_read_tokens);
      own.usage.cache_write_tokens = std::max(own.usage.cache_write_tokens, other.usage.cache_write_tokens);
      own.cost = std::max(own.cost, other.cost);
    }
  }
}

UsageByModel total_by_name(const std::map<std::int64_t, UsageByModel>& attempts) {
  UsageByModel out;
  for (const auto& [attempt, figures] : attempts) out += figures;
  return out;
}

// The first batch of the checkpoint's part that is not committed; one beyond the last when all are.
std::int64_t first_missing(const Checkpoint& checkpoint, const job::Extents& extents, std::int64_t parts) {
  const std::int64_t last = extents.batches();
  std::int64_t batch = 1;
  while (batch <= last) {
    if (checkpoint.completed.contains(batch)) {
      batch = checkpoint.completed.contiguous_from(batch) + 1;
    } else if (extents.part_of(BatchNumber{batch}, parts) != checkpoint.part) {
      ++batch;
    } else {
      return batch;
    }
  }
  return last + 1;
}

}  // namespace

void BatchSet::add(std::int64_t batch) {
  auto next = ranges_.upper_bound(batch);
  if (next != ranges_.begin()) {
    auto before = std::prev(next);
    if (batch <= before->second) return;
    if (batch == before->second + 1) {
      before->second = batch;
      if (next != ranges_.end() && next->first == batch + 1) {
        before->second = next->second;
        ranges_.erase(next);
      }
      return;
    }
  }
  if (next != ranges_.end() && next->first == batch + 1) {
    const std::int64_t last = next->second;
    ranges_.erase(next);
    ranges_[batch] = last;
    return;
  }
  ranges_[batch] = batch;
}

bool BatchSet::contains(std::int64_t batch) const {
  const auto after = ranges_.upper_bound(batch);
  return after != ranges_.begin() && batch <= std::prev(after)->second;
}

std::int64_t BatchSet::size() const {
  std::int64_t count = 0;
  for (const auto& [first, last] : ranges_) count += last - first + 1;
  return count;
}

std::int64_t BatchSet::contiguous_from(std::int64_t first) const {
  const auto after = ranges_.upper_bound(first);
  if (after == ranges_.begin() || std::prev(after)->second < first) return first - 1;
  return std::prev(after)->second;
}

Checkpoint Checkpoint::join(const Checkpoint& a, const Checkpoint& b) {
  Checkpoint out = a;
  out.revision = std::max(a.revision, b.revision);
  out.started_at = std::min(a.started_at, b.started_at);
  for (const auto& [first, last] : b.completed.ranges()) {
    for (std::int64_t batch = first; batch <= last; ++batch) out.completed.add(batch);
  }
  for (const auto& [batch, rounds] : b.failed) {
    for (const auto& [round, count] : rounds) {
      std::int64_t& mine = out.failed[batch].try_emplace(round, count).first->second;
      mine = std::max(mine, count);
    }
  }
  join_by_attempt(out.usage, b.usage);
  join_by_attempt(out.steps, b.steps);
  join_by_attempt(out.waste, b.waste);
  return out;
}

std::int64_t Checkpoint::records_failed() const {
  std::int64_t count = 0;
  for (const auto& [batch, rounds] : failed) {
    if (completed.contains(batch)) count += rounds.rbegin()->second;
  }
  return count;
}

std::int64_t Checkpoint::records_generated(const job::Extents& extents) const {
  std::int64_t records = 0;
  for (const auto& [first, last] : completed.ranges()) {
    if (first > extents.batches()) break;
    const job::RecordRange end = extents.records_of(BatchNumber{std::min(last, extents.batches())});
    records += end.first + end.count - extents.records_of(BatchNumber{first}).first;
  }
  return records - records_failed();
}

UsageByModel Checkpoint::usage_total() const { return total_by_name(usage); }
UsageByStep Checkpoint::steps_total() const { return total_by_name(steps); }
UsageByModel Checkpoint::waste_total() const { return total_by_name(waste); }

Money Checkpoint::cost() const { return total_of(usage_total()).cost + total_of(waste_total()).cost; }

void Checkpoint::book(AttemptNumber attempt, const Spending& spending) {
  usage[attempt.value] += spending.models;
  steps[attempt.value] += spending.steps;
}

std::string Checkpoint::to_text(const job::Extents& extents, std::int64_t parts, UtcTime now) const {
  JsonObject root;
  root["job_id"] = job.text;
  root["part"] = part.value;
  root["revision"] = revision;
  JsonArray ranges;
  for (const auto& [first, last] : completed.ranges()) ranges.push_back(JsonArray{first, last});
  root["completed_batches"] = std::move(ranges);
  JsonObject failures;
  for (const auto& [batch, rounds] : failed) {
    for (const auto& [round, count] : rounds) failures[failed_key(batch, round)] = count;
  }
  root["failed"] = std::move(failures);
  root["usage"] = by_attempt_to_json(usage);
  root["steps"] = by_attempt_to_json(steps);
  root["waste"] = by_attempt_to_json(waste);
  root["started_at"] = started_at.to_iso();

  const ModelUsage total = total_of(usage_total());
  root["records_generated"] = records_generated(extents);
  root["records_failed"] = records_failed();
  const std::int64_t missing = first_missing(*this, extents, parts);
  root["current_batch"] = std::min(missing, extents.batches());
  root["tokens_used"] = total.tokens();
  root["cost_accumulated"] = cost().to_decimal();
  root["last_updated"] = now.to_iso();
  root["completed"] = missing > extents.batches();
  return to_json_text(root) + "\n";
}

Result<Checkpoint> Checkpoint::from_text(std::string_view text) {
  const Result<Json> json = parse_json(text);
  if (!json) return corrupt(json.error().message);
  const JsonObject* root = json->if_object();
  if (root == nullptr) return corrupt("it is not an object");
  const auto job = json_string(*root, "job_id");
  const auto started = json_string(*root, "started_at");
  const auto part = json_int(*root, "part"), revision = json_int(*root, "revision");
  if (!job || !started || !part || !revision) return corrupt("job_id, part, revision or started_at is missing");
  const Result<UtcTime> started_at = UtcTime::from_iso(*started);
  if (!started_at) return corrupt(started_at.error().message);
  Checkpoint out{JobId{*job}, PartNumber{*part}, *revision, {}, {}, {}, {}, {}, *started_at};
  if (Status read = read_completed(*root, out); !read) return std::unexpected(read.error());
  if (Status read = read_failed(*root, out); !read) return std::unexpected(read.error());
  if (Status read = read_by_attempt(*root, "usage", out.usage); !read) return std::unexpected(read.error());
  if (Status read = read_by_attempt(*root, "steps", out.steps); !read) return std::unexpected(read.error());
  if (Status read = read_by_attempt(*root, "waste", out.waste); !read) return std::unexpected(read.error());
  return out;
}

async::Task<Result<std::optional<Checkpoint>>> load_checkpoint(store::ObjectStore& objects, JobId job,
                                                               PartNumber part) {
  const std::string key = job::checkpoint_key(job, part);
  const Result<store::Object> object = co_await objects.get(key);
  if (!object && object.error().kind == ErrorKind::not_found) co_return std::nullopt;
  if (!object) co_return std::unexpected(object.error());
  Result<Checkpoint> checkpoint = Checkpoint::from_text(object->body);
  if (!checkpoint) co_return std::unexpected(checkpoint.error().at(objects.location(key)));
  if (checkpoint->job != job || checkpoint->part != part) {
    co_return fail(
        ErrorKind::corrupt,
        "the checkpoint is of the job " + checkpoint->job.text + ", part " + std::to_string(checkpoint->part.value),
        objects.location(key));
  }
  co_return std::move(*checkpoint);
}

async::Task<Result<SavedCheckpoint>> save_checkpoint(store::ObjectStore& objects, SavedCheckpoint mine,
                                                     job::Extents extents, std::int64_t parts, UtcTime now) {
  const std::string key = job::checkpoint_key(mine.checkpoint.job, mine.checkpoint.part);
  for (int attempt = 0; attempt < kSaveTriesMax; ++attempt) {
    store::PutCondition condition;
    if (!mine.etag.empty()) {
      condition.if_match = std::exchange(mine.etag, {});  // known once; read when it has changed
    } else if (const Result<store::Object> stored = co_await objects.get(key); stored) {
      const Result<Checkpoint> theirs = Checkpoint::from_text(stored->body);
      if (!theirs) co_return std::unexpected(theirs.error().at(objects.location(key)));
      mine.checkpoint = Checkpoint::join(mine.checkpoint, *theirs);
      condition.if_match = stored->etag;
    } else if (stored.error().kind == ErrorKind::not_found) {
      condition.if_absent = true;
    } else {
      co_return std::unexpected(stored.error());
    }
    ++mine.checkpoint.revision;
    const Result<std::string> put = co_await objects.put(key, mine.checkpoint.to_text(extents, parts, now), condition);
    if (put) {
      mine.etag = *put;
      co_return mine;
    }
    const ErrorKind kind = put.error().kind;
    const bool raced = kind == ErrorKind::changed || kind == ErrorKind::already_exists || kind == ErrorKind::conflict ||
                       kind == ErrorKind::not_found;
    if (!raced) co_return std::unexpected(put.error());
  }
  co_return fail(ErrorKind::conflict, "the checkpoint was changed by others 20 times in a row", key);
}

}  // namespace palette::generate
