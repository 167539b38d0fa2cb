#include "generate/seed_rows.h"

#include "base/limits.h"
#include "job/plan.h"

namespace palette::generate {
namespace {

// A parsed row takes about four times its text.
constexpr std::size_t kParsedOverText = 4;
constexpr std::size_t kRowsKeptMax = 100'000;

Result<std::shared_ptr<const SeedRow>> parse_seed_row(const std::string& text, std::uint64_t row) {
  const Result<Json> json = parse_json(text);
  if (!json) return std::unexpected(json.error());
  const JsonObject* object = &json->get_object();
  auto out = std::make_shared<SeedRow>();
  out->text_bytes = text.size();
  const Json* id = object->if_contains("_id");
  const bool named = id != nullptr && (id->is_string() || id->is_number());
  out->keys_text = named ? to_json_text(*id) : std::to_string(row);
  out->values = jinja::Value::from_json(*object);
  return out;
}

}  // namespace

SeedRows::SeedRows(const dataset::SeedData& seeds, job::SeedSampling sampling, std::uint64_t seed)
    : seeds_(seeds), sampling_(sampling), seed_(seed) {
  if (seeds.rows() <= kRowsKeptMax) kept_.resize(seeds.rows());
}

std::uint64_t SeedRows::row_of(RecordIndex index) const {
  return job::seed_row_of(sampling_, seed_, index, seeds_.rows());
}

bool SeedRows::is_at_hand(RecordIndex index) const {
  if (seeds_.rows_at_hand() == seeds_.rows()) return true;
  const std::uint64_t row = row_of(index);
  return row < seeds_.rows_at_hand() || (row < kept_.size() && kept_[row]);
}

Result<std::shared_ptr<const SeedRow>> SeedRows::of_record(RecordIndex index) { return at_hand(row_of(index)); }

Result<std::shared_ptr<const SeedRow>> SeedRows::sample_of(RecordIndex index) {
  return at_hand(is_at_hand(index) ? row_of(index) : row_of(index) % seeds_.rows_at_hand());
}

async::Task<Result<std::shared_ptr<const SeedRow>>> SeedRows::fetch(RecordIndex index) {
  const std::uint64_t row = row_of(index);
  if (is_at_hand(index)) co_return at_hand(row);
  const Result<std::string> text = co_await seeds_.row_text_of(row);
  if (!text) co_return std::unexpected(text.error());
  Result<std::shared_ptr<const SeedRow>> parsed = parse_seed_row(*text, row);
  if (!parsed) co_return parsed;
  co_return keep(row, std::move(*parsed));
}

Result<std::shared_ptr<const SeedRow>> SeedRows::at_hand(std::uint64_t row) {
  if (row < kept_.size() && kept_[row]) return kept_[row];
  const Result<std::string> text = seeds_.row_text(row);
  if (!text) return std::unexpected(text.error());
  Result<std::shared_ptr<const SeedRow>> parsed = parse_seed_row(*text, row);
  if (!parsed) return parsed;
  return keep(row, std::move(*parsed));
}

std::shared_ptr<const SeedRow> SeedRows::keep(std::uint64_t row, std::shared_ptr<const SeedRow> parsed) {
  const std::size_t bytes = parsed->text_bytes;
  if (row < kept_.size() && !kept_[row] && (kept_bytes_ + bytes) * kParsedOverText <= limits::kSeedCacheBytes) {
    kept_bytes_ += bytes;
    kept_[row] = parsed;
  }
  return parsed;
}

}  // namespace palette::generate
