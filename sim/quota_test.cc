#include "quota.h"

#include <gtest/gtest.h>

namespace palette::sim {
namespace {

TEST(Quota, RequestsLeaveTheWindowAfterAMinute) {
  Quota quota;
  const Quota::Limits limits{.rpm = 2};
  EXPECT_FALSE(quota.admit(10, limits, 0));
  EXPECT_FALSE(quota.admit(10, limits, 1'000));
  const auto refusal = quota.admit(10, limits, 59'999);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, QuotaKind::requests);
  EXPECT_EQ(refusal->wait_ms, 1);
  EXPECT_FALSE(quota.admit(10, limits, 60'000));
  EXPECT_TRUE(quota.admit(10, limits, 60'999));
  EXPECT_FALSE(quota.admit(10, limits, 61'000));
}

TEST(Quota, TokensAreReservedAndSettled) {
  Quota quota;
  const Quota::Limits limits{.tpm = 100};
  ASSERT_FALSE(quota.admit(80, limits, 0));
  const Quota::Ticket first = quota.ticket();
  const auto refusal = quota.admit(21, limits, 10);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, QuotaKind::tokens);
  quota.settle(first, 30);
  EXPECT_FALSE(quota.admit(70, limits, 20));
  EXPECT_EQ(quota.tokens(), 100);
}

TEST(Quota, ACallSettlesAboveItsReservation) {
  Quota quota;
  ASSERT_FALSE(quota.admit(10, {.tpm = 100}, 0));
  quota.settle(quota.ticket(), 95);  // burn-down
  EXPECT_TRUE(quota.admit(10, {.tpm = 100}, 1));
}

TEST(Quota, ATicketOfTheLastMinuteChangesNothing) {
  Quota quota;
  ASSERT_FALSE(quota.admit(80, {.tpm = 100}, 0));
  const Quota::Ticket old = quota.ticket();
  ASSERT_FALSE(quota.admit(50, {.tpm = 100}, 60'000));
  quota.settle(old, 0);
  EXPECT_EQ(quota.tokens(), 50);
}

TEST(Quota, TicketsFromBeforeAClearAreVoid) {
  Quota quota;
  ASSERT_FALSE(quota.admit(80, {.tpm = 100}, 0));
  const Quota::Ticket old = quota.ticket();
  quota.clear();
  ASSERT_FALSE(quota.admit(70, {.tpm = 100}, 1));
  quota.settle(old, 0);
  EXPECT_EQ(quota.tokens(), 70);
}

}  // namespace
}  // namespace palette::sim
