#include "generate/cost_book.h"

#include <utility>

namespace palette::generate {
namespace {

constexpr std::int64_t kKept_s = 90 * 24 * 3600;

constexpr std::int64_t kHour_ms = 3'600'000;
constexpr std::int64_t kParts = 1'000'000'000'000;  // hours are written as amounts are: with 12 decimals

JsonObject amounts(Money models, const Infrastructure& infrastructure) {
  JsonObject out;
  out["bedrock"] = models.to_decimal();
  out["fargate"] = infrastructure.compute.to_decimal();
  out["s3"] = infrastructure.s3.to_decimal();
  out["dynamodb"] = infrastructure.dynamodb.to_decimal();
  out["total"] = (models + infrastructure.total()).to_decimal();
  return out;
}

std::string hours_text(std::int64_t ms) { return Money::of(ms, kParts / kHour_ms).to_decimal(); }

Result<Money> amount_in(const JsonObject& amounts, std::string_view name) {
  const auto text = json_string(amounts, name);
  if (!text) return std::unexpected(text.error());
  return Money::from_decimal(*text);
}

// What the newest row of a part says of all before it.
struct Told {
  Money total;
  std::int64_t tokens = 0;
  Infrastructure infrastructure;
};

Result<Told> told_by(const store::CostRow& row) {
  const std::unexpected<Error> unreadable =
      fail(ErrorKind::corrupt, "the cost row " + row.timestamp_key + " of the job " + row.job.text + " cannot be read");
  const auto amounts = json_object(row.fields, "estimated_cost");
  const auto tokens = json_int(row.fields, "bedrock_tokens"), operations = json_int(row.fields, "s3_operations");
  const auto hours = json_string(row.fields, "fargate_hours");
  if (!amounts || !tokens || !operations || !hours) return unreadable;
  const auto total = amount_in(**amounts, "total"), compute = amount_in(**amounts, "fargate"),
             s3 = amount_in(**amounts, "s3"), dynamodb = amount_in(**amounts, "dynamodb"),
             hour_parts = Money::from_decimal(*hours);
  if (!total || !compute || !s3 || !dynamodb || !hour_parts) return unreadable;
  return Told{*total, *tokens, {*compute, *s3, *dynamodb, hour_parts->pico / (kParts / kHour_ms), *operations}};
}

}  // namespace

CostBook::CostBook(store::JobStore& jobs, PartContext context, const Ledger& ledger, const Clock& clock)
    : jobs_(jobs), context_(std::move(context)), ledger_(ledger), clock_(clock) {}

async::Task<Status> CostBook::open(Money spent, std::int64_t tokens) {
  std::optional<store::CostRow> last;
  if (context_.attempt.value > 1) {  // else there can be no row of the part yet
    auto read = co_await jobs_.last_cost_row(context_.job, context_.part);
    if (!read) co_return std::unexpected(read.error());
    last = std::move(*read);
  }
  if (last) {
    const Result<Told> told = told_by(*last);
    if (!told) co_return std::unexpected(told.error());
    told_ = told->total;
    tokens_told_ = told->tokens;
    infrastructure_before_ = told->infrastructure;
  }
  spent_before_ = spent;
  tokens_before_ = tokens;
  if (total() != told_ || tokens != tokens_told_) note("derived", BatchNumber{0}, 0);
  co_return co_await write();
}

void CostBook::batch_committed(BatchNumber batch, std::int64_t records) { note("batch", batch, records); }

void CostBook::note(std::string_view reason, BatchNumber batch, std::int64_t records) {
  const Money total = this->total();
  Infrastructure infrastructure = infrastructure_before_;
  infrastructure += ledger_.infrastructure();
  const UtcTime now = clock_.now();
  store::CostRow row;
  row.job = context_.job;
  row.timestamp_key = now.to_iso() + "#" + std::to_string(context_.part.value) + "#" +
                      std::to_string(context_.attempt.value) + "#" + zero_padded(++sequence_, 6);
  const std::int64_t tokens = tokens_before_ + total_of(ledger_.by_model()).tokens();
  row.fields["reason"] = reason;
  if (batch.value > 0) row.fields["batch"] = batch.value;
  row.fields["records_generated"] = records;
  row.fields["bedrock_tokens"] = tokens;
  row.fields["bedrock_tokens_delta"] = tokens - tokens_told_;
  row.fields["fargate_hours"] = hours_text(infrastructure.compute_ms);
  row.fields["s3_operations"] = infrastructure.s3_operations;
  row.fields["estimated_cost"] = amounts(total - infrastructure.total(), infrastructure);
  row.fields["delta_usd"] = (total - told_).to_decimal();
  row.fields["models"] = usage_to_json(ledger_.by_model());
  row.fields["ttl"] = now.unix_ms / 1'000 + kKept_s;
  told_ = total;
  tokens_told_ = tokens;
  pending_.push_back(std::move(row));
}

async::Task<Status> CostBook::write() {
  if (pending_.empty()) co_return Status{};
  // They stay until they are there: the same keys again replace them.
  const std::size_t count = pending_.size();
  Status put = co_await jobs_.put_cost_rows(pending_);
  if (put) pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  co_return put;
}

async::Task<Status> CostBook::close() {
  if (total() != told_) note("end", BatchNumber{0}, 0);
  co_return co_await write();
}

async::Task<Result<Infrastructure>> infrastructure_spent(store::JobStore& jobs, JobId job, std::int64_t parts) {
  Infrastructure sum;
  for (std::int64_t part = store::kExportPart.value; part <= parts; ++part) {
    const auto last = co_await jobs.last_cost_row(job, PartNumber{part});
    if (!last) co_return std::unexpected(last.error());
    if (!*last) continue;
    const Result<Told> told = told_by(**last);
    if (!told) co_return std::unexpected(told.error());
    sum += told->infrastructure;
  }
  co_return sum;
}

}  // namespace palette::generate
