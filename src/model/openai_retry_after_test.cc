#include "model/openai_retry_after.h"

#include <gtest/gtest.h>

namespace palette::model {
namespace {

constexpr std::int64_t kNow = 1'793'000'000'000;  // 2026-10-26T07:33:20Z

TEST(OpenAiRetryAfter, DurationsAreRead) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"1s", 1'000},   {"6m0s", 360'000},  {"120ms", 120}, {"1h2m3.5s", 3'723'500},
      {"0.0125s", 13}, {"7.66s", 7'660},   {"12", 12'000}, {"0.5", 500},
      {"0s", 0},       {"2d", 86'400'000}, {"1e9s", -1},   {"", -1},
      {"s", -1},       {"-1s", -1},        {"1x", -1},     {"1s 2s", -1},
      {"nan", -1},     {"inf", -1},        {"1m2", -1},    {"2026-10-26T08:53:20Z", -1},
  };
  for (const auto& [text, ms] : cases) EXPECT_EQ(duration_ms(text).value_or(-1), ms) << text;
}

struct WaitCase {
  WaitHeaders headers;
  std::int64_t ms;
};

TEST(OpenAiRetryAfter, TheFirstThatSaysItIsHeard) {
  const WaitCase cases[] = {
      {{}, 0},
      {{.retry_after = "3"}, 3'000},
      {{.retry_after = "0.25"}, 250},
      {{.retry_after = "Mon, 26 Oct 2026 07:33:30 GMT"}, 10'000},
      {{.retry_after = "Mon, 26 Oct 2026 07:33:10 GMT"}, 0},
      {{.retry_after = "Mon, 26 Oct 2027 08:53:10 GMT"}, 86'400'000},
      {{.retry_after = "999999999999999999999"}, 86'400'000},
      {{.retry_after_ms = "1500", .retry_after = "3"}, 1'500},
      {{.retry_after_ms = "soon", .retry_after = "3"}, 3'000},
      {{.retry_after = "-1"}, 0},
      {{.retry_after = "soon"}, 0},
      {{.remaining_requests = "0", .reset_requests = "1s", .remaining_tokens = "0", .reset_tokens = "6m0s"}, 360'000},
      {{.remaining_requests = "0", .reset_requests = "120ms", .remaining_tokens = "10", .reset_tokens = "6m0s"}, 120},
      {{.remaining_requests = "5", .reset_requests = "1s"}, 0},
      {{.reset_requests = "1s"}, 0},
      {{.retry_after = "2", .remaining_requests = "0", .reset_requests = "1h"}, 2'000},
  };
  for (const WaitCase& one : cases) {
    EXPECT_EQ(wait_ms(one.headers, kNow), one.ms) << one.headers.retry_after << " " << one.headers.reset_requests;
  }
}

}  // namespace
}  // namespace palette::model
