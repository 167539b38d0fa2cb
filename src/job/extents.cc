#include "job/extents.h"

#include <algorithm>
#include <charconv>

namespace palette::job {

Extents Extents::of(std::int64_t num_records, std::int64_t interval) {
  return Extents({Extent{0, num_records, 1, interval}});
}

Result<Extents> Extents::from_json(const JsonArray& array) {
  std::vector<Extent> list;
  Extents out;
  for (const Json& item : array) {
    const JsonObject* object = item.if_object();
    if (object == nullptr) return fail(ErrorKind::corrupt, "an extent is not an object");
    const auto first_record = json_int(*object, "first_record"), count = json_int(*object, "count");
    const auto first_batch = json_int(*object, "first_batch"), interval = json_int(*object, "interval");
    for (const auto* number : {&first_record, &count, &first_batch, &interval}) {
      if (!*number) return std::unexpected(number->error());
    }
    const Extent extent{*first_record, *count, *first_batch, *interval};
    if (extent.first_record != out.records() || extent.first_batch != out.batches() + 1 || extent.count < 1 ||
        extent.interval < 1) {
      return fail(ErrorKind::corrupt, "the extents of the job do not follow one another");
    }
    out.list_.push_back(extent);
  }
  return out;
}

JsonArray Extents::to_json() const {
  JsonArray array;
  for (const Extent& e : list_) {
    JsonObject object;
    object["first_record"] = e.first_record;
    object["count"] = e.count;
    object["first_batch"] = e.first_batch;
    object["interval"] = e.interval;
    array.emplace_back(std::move(object));
  }
  return array;
}

std::int64_t Extents::records() const { return list_.empty() ? 0 : list_.back().first_record + list_.back().count; }

std::int64_t Extents::batches() const {
  return list_.empty() ? 0 : list_.back().first_batch + list_.back().batches() - 1;
}

RecordRange Extents::records_of(BatchNumber batch) const {
  auto after = std::upper_bound(list_.begin(), list_.end(), batch.value,
                                [](std::int64_t number, const Extent& e) { return number < e.first_batch; });
  const Extent& extent = *std::prev(after);
  const std::int64_t offset = (batch.value - extent.first_batch) * extent.interval;
  return RecordRange{extent.first_record + offset, std::min(extent.interval, extent.count - offset)};
}

BatchNumber Extents::batch_of(RecordIndex index) const {
  auto after = std::upper_bound(list_.begin(), list_.end(), index.value,
                                [](std::int64_t record, const Extent& e) { return record < e.first_record; });
  const Extent& extent = *std::prev(after);
  return BatchNumber{extent.first_batch + (index.value - extent.first_record) / extent.interval};
}

PartNumber Extents::part_of(BatchNumber batch, std::int64_t parts) const {
  auto after = std::upper_bound(list_.begin(), list_.end(), batch.value,
                                [](std::int64_t number, const Extent& e) { return number < e.first_batch; });
  const Extent& extent = *std::prev(after);
  // Part i + 1 has the offsets from floor(i * batches / parts) up to the next part's.
  const std::int64_t offset = batch.value - extent.first_batch;
  return PartNumber{1 + ((offset + 1) * parts - 1) / extent.batches()};
}

void Extents::extend_to(std::int64_t num_records, std::int64_t interval) {
  if (num_records <= records()) return;
  list_.push_back(Extent{records(), num_records - records(), batches() + 1, interval});
}

std::string outputs_prefix(const JobId& job) { return "jobs/" + job.text + "/outputs/batch-"; }
std::string failures_prefix(const JobId& job) { return "jobs/" + job.text + "/failures/batch-"; }

std::string batch_key(const JobId& job, BatchNumber batch, std::int64_t round) {
  return outputs_prefix(job) + zero_padded(batch.value, 4) + (round == 0 ? "" : "-r" + std::to_string(round)) +
         ".jsonl";
}

std::string failures_key(const JobId& job, BatchNumber batch, AttemptNumber attempt) {
  return failures_prefix(job) + zero_padded(batch.value, 4) + "-" + zero_padded(attempt.value, 4) + ".jsonl";
}

std::string journal_prefix(const JobId& job, PartNumber part) {
  return "journal/" + job.text + "/attempt-" + zero_padded(part.value, 4) + "-";
}

std::string journal_key(const JobId& job, PartNumber part, AttemptNumber attempt) {
  return journal_prefix(job, part) + zero_padded(attempt.value, 4) + ".jsonl";
}

std::string checkpoint_key(const JobId& job, PartNumber part) {
  return "jobs/" + job.text + "/checkpoint" + (part.value == 1 ? "" : "-" + zero_padded(part.value, 4)) + ".json";
}

std::string spec_key(const JobId& job) { return "jobs/" + job.text + "/spec.json"; }

Result<BatchObject> parse_batch_key(const std::string& key) {
  const auto bad = [&] { return fail(ErrorKind::corrupt, "this is not the name of a batch", key); };
  const std::size_t slash = key.rfind('/');
  std::string_view name = std::string_view(key).substr(slash == std::string::npos ? 0 : slash + 1);
  if (!name.starts_with("batch-") || !name.ends_with(".jsonl")) return bad();
  name = name.substr(6, name.size() - 12);
  BatchObject out;
  const auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), out.batch.value);
  if (ec != std::errc{} || out.batch.value < 1) return bad();
  std::string_view rest(end, static_cast<std::size_t>(name.data() + name.size() - end));
  if (rest.empty()) return out;
  if (rest[0] != '-') return bad();
  rest.remove_prefix(1);
  const bool round = rest.starts_with('r');
  if (round) rest.remove_prefix(1);
  std::int64_t& number = round ? out.round : out.attempt.value;
  const auto [end2, ec2] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (ec2 != std::errc{} || end2 != rest.data() + rest.size() || number < 1) return bad();
  return out;
}

}  // namespace palette::job
