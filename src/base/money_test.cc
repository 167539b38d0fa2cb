#include "base/money.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"

namespace palette {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::string why_not(std::string_view text) {
  const Result<Money> money = Money::from_decimal(text);
  return money ? "read as " + money->to_decimal() : money.error().message;
}

TEST(Money, ReadsAndPrintsDecimalsExactly) {
  const struct {
    const char* text;
    std::int64_t pico;
    const char* printed;
  } cases[] = {
      {"5", 5'000'000'000'000, "5"},
      {"5.00", 5'000'000'000'000, "5"},
      {"+5.", 5'000'000'000'000, "5"},
      {".5", 500'000'000'000, "0.5"},
      {"-0.5", -500'000'000'000, "-0.5"},
      {"0.0125", 12'500'000'000, "0.0125"},
      {"0.000000000001", 1, "0.000000000001"},
      {"0.0000000000010", 1, "0.000000000001"},
      {"1e-6", 1'000'000, "0.000001"},
      {"2.5E+3", 2'500'000'000'000'000, "2500"},
      {"120e-13", 12, "0.000000000012"},
      {"0", 0, "0"},
      {"-0", 0, "0"},
      {"0e50", 0, "0"},
      {"0.00000000000000000000", 0, "0"},
      {"9223372.036854775807", kMax, "9223372.036854775807"},
      {"-9223372.036854775807", -kMax, "-9223372.036854775807"},
  };
  for (const auto& c : cases) {
    const Result<Money> money = Money::from_decimal(c.text);
    ASSERT_TRUE(money) << c.text << ": " << money.error().message;
    EXPECT_EQ(money->pico, c.pico) << c.text;
    EXPECT_EQ(money->to_decimal(), c.printed) << c.text;
  }
}

TEST(Money, RefusesWhatItCannotKeepExactly) {
  EXPECT_EQ(why_not("9223372.036854775808"), "'9223372.036854775808' is not an amount of US dollars: it is too large");
  EXPECT_EQ(why_not("1e7"), "'1e7' is not an amount of US dollars: it is too large");
  EXPECT_EQ(why_not("1e100"), "'1e100' is not an amount of US dollars: it is too large");
  EXPECT_EQ(why_not("0.0000000000001"),
            "'0.0000000000001' is not an amount of US dollars: at most 12 digits after the point are kept");
}

TEST(Money, RefusesWhatIsNoDecimal) {
  EXPECT_EQ(why_not(""), "'' is not an amount of US dollars: there are no digits");
  EXPECT_EQ(why_not("."), "'.' is not an amount of US dollars: there are no digits");
  for (const char* text : {"five", "1.2.3", "$5", "1 ", " 1", "1,5", "--1", "+-1", "0x10", "nan", "inf"}) {
    EXPECT_EQ(why_not(text),
              "'" + std::string(text) + "' is not an amount of US dollars: digits and one decimal point are expected");
  }
  for (const char* text : {"1e", "1e+", "1e+-5", "1e1.5", "1e999", "1e99999999999"}) {
    EXPECT_EQ(why_not(text), "'" + std::string(text) + "' is not an amount of US dollars: the exponent cannot be read");
  }
}

TEST(Money, PrintsTheSmallestNumber) {
  EXPECT_EQ(Money{std::numeric_limits<std::int64_t>::min()}.to_decimal(), "-9223372.036854775808");
}

TEST(Money, EveryAmountReadsBackTheSame) {
  CounterRandom random(11, 0, stream_of("money"));
  for (int i = 0; i < 20'000; ++i) {
    // All magnitudes alike, not only the largest.
    const auto pico = static_cast<std::int64_t>(random.next() >> (1 + random.below(63)));
    const Money money{i % 2 == 0 ? pico : -pico};
    const std::string text = money.to_decimal();
    const Result<Money> back = Money::from_decimal(text);
    ASSERT_TRUE(back) << text;
    ASSERT_EQ(*back, money) << text;
    ASSERT_TRUE(text.find('.') == std::string::npos || text.back() != '0') << text;
  }
}

TEST(Money, SumsHoldInAnyOrder) {
  CounterRandom random(12, 0, stream_of("money"));
  Money forward, backward;
  std::vector<Money> amounts;
  for (int i = 0; i < 1'000; ++i)
    amounts.push_back(Money{static_cast<std::int64_t>(random.below(1'000'000'000'000'000))});
  for (const Money amount : amounts) forward += amount;
  for (auto it = amounts.rbegin(); it != amounts.rend(); ++it) backward = backward + *it;
  EXPECT_EQ(forward, backward);
  for (const Money amount : amounts) forward = forward - amount;
  EXPECT_EQ(forward, Money{});
}

// A sum that wrapped would be a budget that is never used up.
TEST(Money, SumsStayAtTheEndOfTheRange) {
  const struct {
    std::int64_t a, b, sum, difference;
  } cases[] = {
      {1, 2, 3, -1},
      {kMax, 0, kMax, kMax},
      {kMax, 1, kMax, kMax - 1},
      {kMax, kMax, kMax, 0},
      {-kMax, -1, -kMax - 1, -kMax + 1},
      {-kMax, -2, -kMax, -kMax + 2},
      {-kMax, -kMax, -kMax, 0},
      {-kMax, 2, -kMax + 2, -kMax},
      {kMax, -1, kMax - 1, kMax},
      {kMax, -kMax, 0, kMax},
      {-kMax, kMax, 0, -kMax},
  };
  for (const auto& c : cases) {
    EXPECT_EQ((Money{c.a} + Money{c.b}).pico, c.sum) << c.a << " + " << c.b;
    EXPECT_EQ((Money{c.a} - Money{c.b}).pico, c.difference) << c.a << " - " << c.b;
    Money added{c.a}, taken{c.a};
    added += Money{c.b};
    taken -= Money{c.b};
    EXPECT_EQ(added.pico, c.sum);
    EXPECT_EQ(taken.pico, c.difference);
  }
}

TEST(Money, OfManyThingsIsExactOrTheEndOfTheRange) {
  const struct {
    std::int64_t count, each, product;
  } cases[] = {
      {0, kMax, 0},
      {7, 3'000'000, 21'000'000},
      {1'000'000'007, 9'000'000'001, 9'000'000'064'000'000'007},
      {kMax, 1, kMax},
      {kMax, 2, kMax},
      {2, kMax / 2, kMax - 1},
      {3, kMax / 2, kMax},
      {-3, kMax / 2, -kMax},
      {3, -(kMax / 2), -kMax},
      {-3, -(kMax / 2), kMax},
      {-2, 5, -10},
  };
  for (const auto& c : cases) EXPECT_EQ(Money::of(c.count, c.each).pico, c.product) << c.count << " x " << c.each;
}

TEST(Money, NoBudgetCoversASumThatIsTooLarge) {
  Money spent;
  for (int i = 0; i < 100; ++i) spent += Money::of(1'000'000'000, 1'000'000'000);
  EXPECT_EQ(spent.pico, kMax);
  EXPECT_GT(spent, Money::from_decimal("9000000").value());
}

}  // namespace
}  // namespace palette
