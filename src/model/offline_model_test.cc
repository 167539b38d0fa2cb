#include "model/offline_model.h"

#include <chrono>
#include <set>

#include "contract/model_contract.h"

namespace palette::contract {
namespace {

std::shared_ptr<model::Model> offline(const std::string& name) {
  static const auto corpus = std::make_shared<const model::NgramCorpus>(
      "The cat sat on the mat. The cat ate the fish. A dog sat on the cat! Who ate the dog? The fish sat on a mat.");
  return model::make_offline_model(name, job::parse_model_name(name).value(), corpus);
}

struct Echo {
  model::Model& model() { return *model_; }
  model::Model& slow_model() { return *slow_; }
  static constexpr bool kDeterministic = true;
  std::shared_ptr<model::Model> model_ = offline("offline/echo");
  std::shared_ptr<model::Model> slow_ = offline("offline/echo?latency_ms=30");
};
INSTANTIATE_TYPED_TEST_SUITE_P(Echo, ModelContract, Echo);

struct Ngram {
  model::Model& model() { return *model_; }
  model::Model& slow_model() { return *slow_; }
  static constexpr bool kDeterministic = true;
  std::shared_ptr<model::Model> model_ = offline("offline");
  std::shared_ptr<model::Model> slow_ = offline("offline?latency_ms=30");
};
INSTANTIATE_TYPED_TEST_SUITE_P(Ngram, ModelContract, Ngram);

}  // namespace
}  // namespace palette::contract

namespace palette::model {
namespace {

using contract::await, contract::error_text, contract::offline;

std::shared_ptr<ModelRequest> request_of(std::string prompt, std::int64_t record = 0, int attempt = 1,
                                         std::uint32_t stream = 1) {
  auto request = std::make_shared<ModelRequest>();
  request->messages.push_back({Message::Role::user, std::move(prompt)});
  request->key = {7, RecordIndex{record}, stream, attempt};
  return request;
}

TEST(OfflineModel, EchoGivesBackTheLastMessage) {
  const auto echo = offline("offline/echo");
  std::shared_ptr<ModelRequest> request = request_of("first");
  request->messages.push_back({Message::Role::user, "second é\n"});
  const auto answer = await(echo->call(request));
  ASSERT_TRUE(answer) << error_text(answer);
  EXPECT_EQ(answer->text, "second é\n");
  EXPECT_EQ(answer->model, "offline/echo");
  EXPECT_EQ(answer->cost, Money{});
}

// A token is four bytes, and a code point is never cut.
TEST(OfflineModel, EchoIsCutAtMaxTokensAndWholeWithout) {
  const auto echo = offline("offline/echo");
  std::shared_ptr<ModelRequest> request = request_of("abcdefghé");
  EXPECT_EQ(await(echo->call(request))->text, "abcdefghé");
  request->options.max_tokens = 2;
  EXPECT_EQ(await(echo->call(request))->text, "abcdefgh");
  request = request_of("abcdefgé");
  request->options.max_tokens = 2;
  const auto cut = await(echo->call(request));
  EXPECT_EQ(cut->text, "abcdefg");
  EXPECT_EQ(cut->stop, StopReason::complete);
  EXPECT_EQ(await(echo->call(request_of(std::string(100'000, 'x'))))->text.size(), 100'000u);
}

TEST(OfflineModel, UsageIsAQuarterOfTheBytesRoundedUp) {
  std::shared_ptr<ModelRequest> request = request_of("12345");
  request->system = "1234";
  EXPECT_EQ(await(offline("offline/echo")->call(request))->usage, (Usage{3, 2}));
}

TEST(OfflineModel, NgramAnswersDependOnRecordStepAndPrompt) {
  const auto ngram = offline("offline");
  const auto text = [&](const std::shared_ptr<ModelRequest>& request) { return await(ngram->call(request))->text; };
  std::set<std::string> by_record, by_step, by_prompt;
  for (int i = 0; i < 30; ++i) {
    by_record.insert(text(request_of("p", i)));
    by_step.insert(text(request_of("p", 0, 1, static_cast<std::uint32_t>(i))));
    by_prompt.insert(text(request_of("p" + std::to_string(i))));
  }
  EXPECT_GT(by_record.size(), 5u);
  EXPECT_GT(by_step.size(), 5u);
  EXPECT_GT(by_prompt.size(), 5u);
  // The try takes no part: what is asked again answers the same.
  EXPECT_EQ(text(request_of("p", 0, 1)), text(request_of("p", 0, 2)));
}

std::vector<bool> failures(const std::string& name, int attempt, int records = 1000) {
  const auto model = offline(name);
  std::vector<bool> out;
  for (int record = 0; record < records; ++record) out.push_back(!await(model->call(request_of("p", record, attempt))));
  return out;
}

TEST(OfflineModel, FailRateIsDrawnByRecordAndTry) {
  const std::vector<bool> first = failures("offline/echo?fail_rate=0.3", 1);
  const auto count = std::count(first.begin(), first.end(), true);
  EXPECT_GT(count, 240);
  EXPECT_LT(count, 360);
  EXPECT_EQ(failures("offline/echo?fail_rate=0.3", 1), first) << "the same record and try fail again";
  const std::vector<bool> second = failures("offline/echo?fail_rate=0.3", 2);
  EXPECT_NE(second, first);
  int both = 0;
  for (std::size_t i = 0; i < first.size(); ++i) both += first[i] && second[i];
  EXPECT_GT(both, 40) << "tries are drawn independently of each other";
  EXPECT_LT(both, 150);
  EXPECT_EQ(failures("offline/echo?fail_rate=1", 1, 20), std::vector<bool>(20, true));
  EXPECT_EQ(failures("offline/echo?fail_rate=0", 1, 20), std::vector<bool>(20, false));
}

TEST(OfflineModel, FailsAsItsNameSays) {
  const auto kind_of = [](const std::string& kind) {
    return await(offline("offline/echo?fail_rate=1" + kind)->call(request_of("p"))).error().kind;
  };
  EXPECT_EQ(kind_of(""), ErrorKind::unavailable);
  EXPECT_EQ(kind_of("&fail_kind=throttled"), ErrorKind::throttled);
  EXPECT_EQ(kind_of("&fail_kind=timeout"), ErrorKind::timeout);
  EXPECT_EQ(kind_of("&fail_kind=refused"), ErrorKind::refused);
  EXPECT_EQ(kind_of("&fail_kind=truncated"), ErrorKind::truncated);
  EXPECT_EQ(kind_of("&fail_kind=bad_input"), ErrorKind::bad_input);
  EXPECT_EQ(kind_of("&fail_kind=denied"), ErrorKind::denied);
}

// Calls wait side by side, on timers of the loop: a hundred take as long as one.
TEST(OfflineModel, LatencyIsWaitedForWithoutHoldingUpOthers) {
  const auto slow = offline("offline/echo?latency_ms=40");
  std::vector<async::Task<Result<ModelResult>>> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(slow->call(request_of("p", i)));
  const auto start = std::chrono::steady_clock::now();
  for (const auto& answer : await(contract::all_of(std::move(tasks)))) EXPECT_TRUE(answer);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, std::chrono::milliseconds(40));
  EXPECT_LT(took, std::chrono::milliseconds(40 * 50));
}

}  // namespace
}  // namespace palette::model
