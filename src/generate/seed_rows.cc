#include "generate/seed_rows.h"

#include "base/limits.h"
#include "job/plan.h"

namespace palette::generate {
namespace {

// A parsed row takes about four times its text.
constexpr std::size_t kParsedOverText = 4;
constexpr std::size_t kRowsKeptMax = 100'000;

}  // namespace

SeedRows::SeedRows(const dataset::SeedData& seeds, job::SeedSampling sampling, std::uint64_t seed)
    : seeds_(seeds), sampling_(sampling), seed_(seed) {
  if (seeds.rows() <= kRowsKeptMax) kept_.resize(seeds.rows());
}

Result<std::shared_ptr<const SeedRow>> SeedRows::of_record(RecordIndex index) {
  const std::uint64_t row = job::seed_row_of(sampling_, seed_, index, seeds_.rows());
  if (row < kept_.size() && kept_[row]) return kept_[row];
  Result<std::shared_ptr<const SeedRow>> read_row = read(row);
  if (!read_row) return read_row;
  const std::size_t bytes = (*read_row)->text_bytes;
  if (row < kept_.size() && (kept_bytes_ + bytes) * kParsedOverText <= limits::kSeedCacheBytes) {
    kept_bytes_ += bytes;
    kept_[row] = *read_row;
  }
  return read_row;
}

Result<std::shared_ptr<const SeedRow>> SeedRows::read(std::uint64_t row) const {
  const Result<std::string> text = seeds_.row_text(row);
  if (!text) return std::unexpected(text.error());
  const Result<Json> json = parse_json(*text);
  if (!json) return std::unexpected(json.error());
  const JsonObject* object = &json->get_object();
  auto out = std::make_shared<SeedRow>();
  out->text_bytes = text->size();
  const Json* id = object->if_contains("_id");
  const bool named = id != nullptr && (id->is_string() || id->is_number());
  out->keys_text = named ? to_json_text(*id) : std::to_string(row);
  out->values = jinja::Value::from_json(*object);
  return out;
}

}  // namespace palette::generate
