#include "model/minute_rate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "base/random.h"

namespace palette::model {
namespace {

struct Start {
  std::int64_t at_ms = 0;
  double used = 0;
};

// The most that was used by what started within 60 s.
double most_in_a_minute(const std::vector<Start>& starts) {
  double most = 0, sum = 0;
  std::size_t oldest = 0;
  for (const Start& start : starts) {
    sum += start.used;
    for (; starts[oldest].at_ms <= start.at_ms - 60'000; ++oldest) sum -= starts[oldest].used;
    most = std::max(most, sum);
  }
  return most;
}

struct Load {
  std::int64_t per_minute;
  std::int64_t wanted_max;  // of one call; it uses between nothing and all of it
  std::int64_t latency_ms;  // then what was not used is given back
};

// Callers who never rest, for some minutes of a clock that is set by hand.
std::vector<Start> simulate(const Load& load, std::int64_t minutes) {
  CounterRandom random(5, static_cast<std::uint64_t>(load.per_minute), stream_of("rates"));
  MinuteRate rate(load.per_minute);
  std::vector<Start> starts;
  struct GiveBack {
    double unused;
    std::int64_t taken_ms;
  };
  std::multimap<std::int64_t, GiveBack> to_come;
  const std::int64_t begin_ms = 123'456;
  double wanted = static_cast<double>(1 + random.below(static_cast<std::uint64_t>(load.wanted_max)));
  for (std::int64_t now_ms = begin_ms; now_ms < begin_ms + minutes * 60'000;) {
    while (!to_come.empty() && to_come.begin()->first <= now_ms) {
      rate.give_back(to_come.begin()->second.unused, to_come.begin()->second.taken_ms);
      to_come.erase(to_come.begin());
    }
    if (rate.fits(wanted, now_ms)) {
      rate.take(wanted, now_ms);
      const double used = std::floor(wanted * random.unit());
      starts.push_back({now_ms, load.latency_ms == 0 ? wanted : used});
      if (load.latency_ms > 0) to_come.emplace(now_ms + load.latency_ms, GiveBack{wanted - used, now_ms});
      wanted = static_cast<double>(1 + random.below(static_cast<std::uint64_t>(load.wanted_max)));
    } else {
      const std::int64_t wait_ms = rate.wait_ms(wanted, now_ms);
      EXPECT_GT(wait_ms, 0) << "it does not fit, and yet nothing is to be waited for";
      if (wait_ms <= 0) break;
      now_ms += load.latency_ms > 0 ? std::min<std::int64_t>(wait_ms, 7) : wait_ms;
    }
  }
  return starts;
}

TEST(MinuteRate, WhatStartsWithinAnyMinuteIsNeverMoreThanAllowed) {
  const Load loads[] = {
      {1, 1, 0},
      {2, 1, 0},
      {7, 1, 0},
      {60, 1, 0},
      {100, 1, 0},
      {3'000, 1, 0},
      {60'000, 100, 0},
      {60'000, 1'000, 0},
      {60'000, 9'000, 0},  // nine times a second's share
      {60'000, 60'000, 0},
      {1'000, 1'000, 0},
      {60'000, 9'000, 1'500},
      {10'000, 5'000, 70'000},
  };
  for (const Load& load : loads) {
    const std::vector<Start> starts = simulate(load, 12);
    EXPECT_LE(most_in_a_minute(starts), static_cast<double>(load.per_minute))
        << load.per_minute << " a minute, calls of up to " << load.wanted_max;
  }
}

TEST(MinuteRate, NearlyAllOfWhatIsAllowedIsUsed) {
  const std::pair<Load, double> cases[] = {{{60, 1, 0}, 0.97},
                                           {{3'000, 1, 0}, 0.97},
                                           {{60'000, 1'000, 0}, 0.95},
                                           {{60'000, 9'000, 0}, 0.85}};  // calls that do not fill a minute exactly
  for (const auto& [load, part] : cases) {
    double used = 0;
    for (const Start& start : simulate(load, 20)) used += start.used;
    EXPECT_GT(used, part * 20 * static_cast<double>(load.per_minute)) << load.wanted_max;
  }
}

TEST(MinuteRate, ACallOfMoreThanAMinutesShareGoesWhenNothingElseDid) {
  MinuteRate rate(600);
  EXPECT_TRUE(rate.fits(2'000, 0));
  rate.take(1, 0);
  EXPECT_FALSE(rate.fits(2'000, 1'000));
  EXPECT_FALSE(rate.fits(2'000, 60'999));
  EXPECT_TRUE(rate.fits(2'000, 61'000));
  rate.take(2'000, 61'000);
  EXPECT_FALSE(rate.fits(1, 61'000 + 198'000)) << "it was more than three minutes' share";
  EXPECT_TRUE(rate.fits(1, 61'000 + 200'000));
}

TEST(MinuteRate, ASecondsShareGoesAtOnceAndTheRestIsSpread) {
  MinuteRate rate(600);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(rate.fits(1, 7));
    rate.take(1, 7);
  }
  EXPECT_FALSE(rate.fits(1, 7));
  EXPECT_EQ(rate.wait_ms(1, 7), 100);
  EXPECT_FALSE(rate.fits(1, 106));
  EXPECT_TRUE(rate.fits(1, 107));
}

TEST(MinuteRate, SaysExactlyHowLongToWait) {
  for (const double each : {1.0, 35.0, 100.0, 700.0}) {
    MinuteRate rate(6'000);
    std::int64_t now_ms = 40;
    for (int i = 0; i < 400; ++i) {
      if (const std::int64_t wait_ms = rate.wait_ms(each, now_ms); wait_ms > 0) {
        ASSERT_FALSE(rate.fits(each, now_ms + wait_ms - 1)) << each << ", call " << i;
        now_ms += wait_ms;
      }
      ASSERT_TRUE(rate.fits(each, now_ms)) << each << ", call " << i;
      rate.take(each, now_ms);
    }
  }
}

TEST(MinuteRate, WhatIsGivenBackCanBeTakenAgain) {
  MinuteRate rate(600);
  rate.take(600, 1'000);
  EXPECT_FALSE(rate.fits(1, 2'000));
  rate.give_back(599, 1'000);
  EXPECT_TRUE(rate.fits(10, 2'000));
  rate.take(10, 2'000);
  EXPECT_FALSE(rate.fits(1, 2'000)) << "a second's share, however much came back";
}

TEST(MinuteRate, WhatComesBackAfterItsMinuteCountsForNobody) {
  MinuteRate rate(60);
  rate.take(60, 1'000);
  EXPECT_FALSE(rate.fits(1, 61'999));
  EXPECT_TRUE(rate.fits(1, 62'000));
  rate.give_back(60, 1'000);
  int more = 0;
  for (std::int64_t now_ms = 62'000; now_ms < 122'000; now_ms += 100) {
    if (!rate.fits(1, now_ms)) continue;
    rate.take(1, now_ms);
    ++more;
  }
  EXPECT_EQ(more, 60);
}

}  // namespace
}  // namespace palette::model
