#include "base/time.h"

#include <gtest/gtest.h>

namespace palette {
namespace {

TEST(Time, PrintsIso8601WithMilliseconds) {
  EXPECT_EQ(UtcTime{0}.to_iso(), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(UtcTime{1'000'000'000'000}.to_iso(), "2001-09-09T01:46:40.000Z");
  EXPECT_EQ(UtcTime{1'709'164'799'999}.to_iso(), "2024-02-28T23:59:59.999Z");
  EXPECT_EQ(UtcTime{-1}.to_iso(), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(UtcTime{1'000'000'000'000}.to_date(), "2001-09-09");
}

TEST(Time, ReadsBackWhatItPrints) {
  for (std::int64_t ms = -2'000'000'000'000; ms < 4'000'000'000'000; ms += 86'399'987'654) {
    const Result<UtcTime> back = UtcTime::from_iso(UtcTime{ms}.to_iso());
    ASSERT_TRUE(back);
    ASSERT_EQ(back->unix_ms, ms);
  }
}

TEST(Time, ReadsAnyNumberOfFractionDigits) {
  const struct {
    const char* text;
    std::int64_t ms;
  } cases[] = {{"1970-01-01T00:00:01Z", 1'000},        {"1970-01-01T00:00:01.5Z", 1'500},
               {"1970-01-01T00:00:01.25Z", 1'250},     {"1970-01-01T00:00:01.123Z", 1'123},
               {"1970-01-01T00:00:01.123999Z", 1'123}, {"1970-01-01T00:00:01.123456789Z", 1'123},
               {"1970-01-01T00:00:01.001Z", 1'001},    {"2024-02-29T00:00:00Z", 1'709'164'800'000}};
  for (const auto& c : cases) EXPECT_EQ(UtcTime::from_iso(c.text).value_or(UtcTime{-1}).unix_ms, c.ms) << c.text;
}

TEST(Time, RefusesEveryOtherForm) {
  for (const char* text :
       {"", "2026-11-23", "2026-11-23T10:00:00", "2026-11-23T10:00:00+00:00", "2026-11-23 10:00:00Z",
        "2026-11-23T10:00:00.Z", "2026-11-23T10:00:00.1234567890Z", "2026-11-23T10:00:00,5Z", "2026-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T10:60:00Z",
        "2026-11-23T10:00:60Z", "2026-00-10T00:00:00Z", "2026-11-2aT10:00:00Z", "20261123T100000.00Z.",
        "2026-11-23T10:00:00.12xZ", "-026-11-23T10:00:00Z"}) {
    const Result<UtcTime> time = UtcTime::from_iso(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().message, "'" + std::string(text) + "' is not a time like 2026-11-23T10:00:00.123Z");
  }
}

TEST(Time, TheSystemClockIsInThisCenturyAndNeverGoesBack) {
  const Clock& clock = system_clock();
  EXPECT_GT(clock.now(), UtcTime{1'700'000'000'000});
  std::int64_t last = clock.monotonic_ms();
  for (int i = 0; i < 1'000; ++i) {
    const std::int64_t now = clock.monotonic_ms();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace palette
