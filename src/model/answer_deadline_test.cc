#include "model/answer_deadline.h"

#include <gtest/gtest.h>

namespace palette::model {
namespace {

void answers(AnswerDeadline& deadline, int count, std::int64_t took_ms) {
  for (int i = 0; i < count; ++i) deadline.on_answer(took_ms, 0);
}

TEST(AnswerDeadline, IsGenerousWhileThePaceIsNotKnown) {
  const std::pair<std::int64_t, std::int64_t> cases[] = {
      {1, 60'050},  {400, 80'000},        {4'096, 264'800},     {16'384, 879'200},
      {0, 879'200}, {1'000'000, 900'000}, {INT64_MAX, 900'000},
  };
  AnswerDeadline deadline;
  for (const auto& [tokens, ms] : cases) EXPECT_EQ(deadline.for_call_ms(tokens), ms) << tokens;
  answers(deadline, 19, 10);
  for (const auto& [tokens, ms] : cases) EXPECT_EQ(deadline.for_call_ms(tokens), ms) << tokens;
}

TEST(AnswerDeadline, AfterTwentyAnswersItIsTenTimesTheSlowest) {
  AnswerDeadline deadline;
  answers(deadline, 25, 3'000);
  answers(deadline, 25, 200);
  // The slowest loses a millisecond with each answer.
  EXPECT_EQ(deadline.for_call_ms(4'096), 10 * (3'000 - 25));
  deadline.on_answer(20'000, 0);
  EXPECT_EQ(deadline.for_call_ms(4'096), 200'000);
}

TEST(AnswerDeadline, IsNeverShorterThanFifteenSecondsNorLongerThanAtFirst) {
  AnswerDeadline fast, slow;
  answers(fast, 50, 0);
  EXPECT_EQ(fast.for_call_ms(400), 15'000);
  answers(slow, 50, 70'000);
  EXPECT_EQ(slow.for_call_ms(400), 80'000);
}

TEST(AnswerDeadline, ATimeoutDoublesItAndAnswersBringItBack) {
  AnswerDeadline deadline;
  answers(deadline, 50, 2'000);
  ASSERT_EQ(deadline.for_call_ms(16'384), 20'000);
  deadline.on_timeout(1);
  EXPECT_EQ(deadline.for_call_ms(16'384), 40'000);
  deadline.on_timeout(1);
  EXPECT_EQ(deadline.for_call_ms(16'384), 80'000);
  for (int i = 0; i < 100; ++i) deadline.on_timeout(1);
  EXPECT_EQ(deadline.for_call_ms(16'384), 879'200) << "never past the first";
  answers(deadline, 20, 2'000);
  EXPECT_EQ(deadline.for_call_ms(16'384), 20'000);
}

TEST(AnswerDeadline, ATimeoutWhileOthersAreAnsweredIsTheCallsOwn) {
  AnswerDeadline deadline;
  answers(deadline, 50, 2'000);
  deadline.on_answer(2'000, 5'000);
  for (int i = 0; i < 10; ++i) deadline.on_timeout(4'999);
  EXPECT_EQ(deadline.for_call_ms(16'384), 20'000);
  deadline.on_timeout(5'001);
  EXPECT_EQ(deadline.for_call_ms(16'384), 40'000);
}

TEST(AnswerDeadline, TellsWhatIsOverdueOnceThePaceIsKnown) {
  AnswerDeadline deadline;
  answers(deadline, 9, 300);
  EXPECT_EQ(deadline.overdue_ms(), std::nullopt);
  answers(deadline, 1, 300);
  EXPECT_EQ(deadline.overdue_ms(), 3'000);
  AnswerDeadline fast;
  answers(fast, 10, 5);
  EXPECT_EQ(fast.overdue_ms(), 1'000);
}

TEST(AnswerDeadline, ForgetsASlowAnswerInTime) {
  AnswerDeadline deadline;
  answers(deadline, 50, 100);
  for (const std::int64_t slow_ms : {4'000, 80'000}) {
    deadline.on_answer(slow_ms, 0);
    EXPECT_GT(deadline.for_call_ms(16'384), 9 * slow_ms);
    answers(deadline, 20'000, 100);
    EXPECT_EQ(deadline.for_call_ms(16'384), 15'000) << slow_ms;
  }
}

}  // namespace
}  // namespace palette::model
