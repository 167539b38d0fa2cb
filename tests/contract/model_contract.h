// What every Model must do. An implementation runs it so:
//
//   struct EchoModel {                                    // a new model for each test
//     model::Model& model();                              // answers "one two three …" at greater length than it is
//     asked for model::Model& slow_model();                         // the same, with a wait that is long enough to be
//     cancelled in static constexpr bool kDeterministic = true;        // the same request gives the same answer
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Echo, ModelContract, EchoModel);
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/this_coro.hpp>
#include <string>
#include <utility>
#include <vector>

#include "async/timer.h"
#include "contract/await.h"
#include "model/model.h"

namespace palette::contract {

inline std::shared_ptr<model::ModelRequest> ask(std::int64_t record, std::int64_t max_tokens) {
  auto request = std::make_shared<model::ModelRequest>();
  request->system = "You count.";
  std::string prompt = "one two three four five six seven eight nine ten";
  for (int i = 0; i < 3; ++i) prompt += ". " + prompt;
  request->messages.push_back({model::Message::Role::user, std::move(prompt)});
  request->options.max_tokens = max_tokens;
  request->key = {7, RecordIndex{record}, 1, 1};
  return request;
}

inline async::Task<void> call_into(model::Model* called, std::shared_ptr<model::ModelRequest> request,
                                   std::optional<Result<model::ModelResult>>* answer) {
  answer->emplace(co_await called->call(std::move(request)));
}

// Calls and takes it back as soon as it waits.
inline async::Task<Result<model::ModelResult>> call_and_cancel(model::Model* called,
                                                               std::shared_ptr<model::ModelRequest> request) {
  std::optional<Result<model::ModelResult>> answer;
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(call_into(called, std::move(request), &answer));
  (void)co_await async::sleep_for(1);
  group.cancel();
  co_await group.join();
  co_return std::move(*answer);
}

template <class Factory>
class ModelContract : public ::testing::Test {
 protected:
  Result<model::ModelResult> call(std::shared_ptr<model::ModelRequest> request) {
    return await(factory_.model().call(std::move(request)));
  }

  Factory factory_;
};

TYPED_TEST_SUITE_P(ModelContract);

TYPED_TEST_P(ModelContract, AnswersWithItsNameAndItsUsage) {
  const auto answer = this->call(ask(3, 1000));
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_NE(answer->text, "");
  EXPECT_EQ(answer->stop, model::StopReason::complete);
  EXPECT_EQ(answer->model, this->factory_.model().name());
  EXPECT_EQ(answer->tries, 1);
  EXPECT_GT(answer->usage.input_tokens, 0);
  EXPECT_GT(answer->usage.output_tokens, 0);
  EXPECT_GE(answer->cost, Money{});
}

// What the system text and the messages hold is paid for.
TYPED_TEST_P(ModelContract, ALongerRequestUsesMoreInput) {
  const auto longer = ask(3, 100);
  longer->system += std::string(4000, 's');
  EXPECT_GT(this->call(longer)->usage.input_tokens, this->call(ask(3, 100))->usage.input_tokens + 100);
}

TYPED_TEST_P(ModelContract, HonoursMaxTokens) {
  for (const std::int64_t max_tokens : {1, 2, 5, 17}) {
    const auto answer = this->call(ask(3, max_tokens));
    ASSERT_TRUE(answer) << error_text(answer);
    EXPECT_LE(answer->usage.output_tokens, max_tokens);
  }
}

TYPED_TEST_P(ModelContract, TheSameRequestGivesTheSameAnswer) {
  if (!TypeParam::kDeterministic) GTEST_SKIP() << "not promised by this model";
  TypeParam another;
  for (std::int64_t record = 0; record < 20; ++record) {
    const auto first = this->call(ask(record, 50)), second = await(another.model().call(ask(record, 50)));
    ASSERT_TRUE(first && second) << error_text(first) << error_text(second);
    EXPECT_EQ(first->text, second->text);
    EXPECT_EQ(first->usage, second->usage);
  }
}

TYPED_TEST_P(ModelContract, ManyCallsAtOnceEachGetTheirAnswer) {
  std::vector<async::Task<Result<model::ModelResult>>> tasks;
  for (std::int64_t record = 0; record < 100; ++record)
    tasks.push_back(this->factory_.slow_model().call(ask(record, 50)));
  for (const auto& answer : await(all_of(std::move(tasks)))) EXPECT_TRUE(answer) << error_text(answer);
}

TYPED_TEST_P(ModelContract, ACallThatIsTakenBackGivesCancelled) {
  const auto answer = await(call_and_cancel(&this->factory_.slow_model(), ask(3, 50)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
}

REGISTER_TYPED_TEST_SUITE_P(ModelContract, AnswersWithItsNameAndItsUsage, ALongerRequestUsesMoreInput, HonoursMaxTokens,
                            TheSameRequestGivesTheSameAnswer, ManyCallsAtOnceEachGetTheirAnswer,
                            ACallThatIsTakenBackGivesCancelled);

}  // namespace palette::contract
