#include "generate/cost_book.h"

#include <utility>

namespace palette::generate {
namespace {

constexpr std::int64_t kKept_s = 90 * 24 * 3600;

JsonObject amounts(Money models, Money infrastructure) {
  JsonObject out;
  out["bedrock"] = models.to_decimal();
  out["fargate"] = infrastructure.to_decimal();
  out["s3"] = "0";
  out["dynamodb"] = "0";
  out["total"] = (models + infrastructure).to_decimal();
  return out;
}

Result<Money> total_in(const store::CostRow& row) {
  const auto amounts = json_object(row.fields, "estimated_cost");
  if (!amounts) return std::unexpected(amounts.error());
  const auto total = json_string(**amounts, "total");
  if (!total) return std::unexpected(total.error());
  return Money::from_decimal(*total);
}

}  // namespace

CostBook::CostBook(store::JobStore& jobs, PartContext context, const Ledger& ledger, const Clock& clock)
    : jobs_(jobs), context_(std::move(context)), ledger_(ledger), clock_(clock) {}

async::Task<Status> CostBook::open(Money spent, std::int64_t tokens) {
  const auto last = co_await jobs_.last_cost_row(context_.job, context_.part);
  if (!last) co_return std::unexpected(last.error());
  if (*last) {
    const Result<Money> total = total_in(**last);
    const auto told_tokens = json_int((*last)->fields, "bedrock_tokens");
    if (!total || !told_tokens) {
      co_return fail(ErrorKind::corrupt,
                     "the cost row " + (*last)->timestamp_key + " of the job " + context_.job.text + " cannot be read");
    }
    told_ = *total;
    tokens_told_ = *told_tokens;
  }
  spent_before_ = spent;
  tokens_before_ = tokens;
  if (spent != told_ || tokens != tokens_told_) note("derived", BatchNumber{0}, 0);
  co_return co_await write();
}

void CostBook::batch_committed(BatchNumber batch, std::int64_t records) { note("batch", batch, records); }

void CostBook::note(std::string_view reason, BatchNumber batch, std::int64_t records) {
  const Money total = spent_before_ + ledger_.spent();
  const Money infrastructure = ledger_.infrastructure();
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
  row.fields["fargate_hours"] = "0";
  row.fields["s3_operations"] = 0;
  row.fields["estimated_cost"] = amounts(total - infrastructure, infrastructure);
  row.fields["delta_usd"] = (total - told_).to_decimal();
  row.fields["models"] = usage_to_json(ledger_.by_model());
  row.fields["ttl"] = now.unix_ms / 1'000 + kKept_s;
  told_ = total;
  tokens_told_ = tokens;
  pending_.push_back(std::move(row));
}

async::Task<Status> CostBook::write() {
  if (pending_.empty()) co_return Status{};
  co_return co_await jobs_.put_cost_rows(std::exchange(pending_, {}));
}

async::Task<Status> CostBook::close() {
  if (spent_before_ + ledger_.spent() != told_) note("end", BatchNumber{0}, 0);
  co_return co_await write();
}

}  // namespace palette::generate
