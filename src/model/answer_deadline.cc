#include "model/answer_deadline.h"

#include <algorithm>

namespace palette::model {
namespace {

constexpr std::int64_t kBase_ms = 60'000;
constexpr std::int64_t kToken_ms = 50;  // a slow model says 20 tokens a second
constexpr std::int64_t kTokensUnknown = 16'384;
constexpr std::int64_t kLongest_ms = 900'000;
constexpr std::int64_t kShortest_ms = 15'000;
constexpr std::int64_t kAnswersKnown = 20;
constexpr std::int64_t kAnswersOfPace = 10;
constexpr std::int64_t kOverdueLeast_ms = 1'000;
constexpr std::int64_t kFactor = 10;
constexpr std::int64_t kFactorMax = 10'000;

}  // namespace

std::int64_t AnswerDeadline::for_call_ms(std::int64_t output_tokens) const {
  const std::int64_t tokens = output_tokens > 0 ? output_tokens : kTokensUnknown;
  const std::int64_t generous_ms = std::min(kLongest_ms, kBase_ms + kToken_ms * std::min(tokens, kLongest_ms));
  if (answers_ < kAnswersKnown) return generous_ms;
  return std::clamp(factor_ * slowest_ms_, kShortest_ms, generous_ms);
}

std::optional<std::int64_t> AnswerDeadline::overdue_ms() const {
  if (answers_ < kAnswersOfPace) return std::nullopt;
  return std::max(kOverdueLeast_ms, kFactor * slowest_ms_);
}

void AnswerDeadline::on_answer(std::int64_t took_ms, std::int64_t now_ms) {
  ++answers_;
  answered_ms_ = now_ms;
  slowest_ms_ = std::max(took_ms, slowest_ms_ - (slowest_ms_ + 4'095) / 4'096);  // rounded up: small ones decay too
  factor_ = std::max(kFactor, factor_ / 2);
}

void AnswerDeadline::on_timeout(std::int64_t started_ms) {
  if (answered_ms_ < started_ms) factor_ = std::min(kFactorMax, factor_ * 2);
}

}  // namespace palette::model
