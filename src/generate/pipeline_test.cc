#include "generate/pipeline.h"

#include "async/timer.h"

#include "generate/test_support.h"

namespace palette::generate {
namespace {

constexpr const char* kChain =
    R"([{id: q, system: "You ask {{ word }}.", prompt: "ask {{ word }}"}, {id: a, prompt: "answer {{ steps.q.output }}"}])";
// `left` and `right` need nothing of each other.
constexpr const char* kDiamond =
    R"([{id: start, prompt: "start {{ word }}"}, {id: left, prompt: "left {{ steps.start.output }}"},)"
    R"( {id: right, prompt: "right {{ steps.start.output }}"},)"
    R"( {id: end, prompt: "end {{ steps.left.output }} {{ steps.right.output }}"}])";

// A pipeline over a checked job.
struct Rig {
  explicit Rig(const JobParts& parts) : job(prepare(folder, parts)) {}

  TestFolder folder;
  PreparedJob job;
  RunControl control;
  std::shared_ptr<FakeModel> model = std::make_shared<FakeModel>();
  Pipeline pipeline{job, JobId{"j"}, std::vector<std::shared_ptr<model::Model>>(job.compiled.steps.size(), model),
                    control};

  static RecordState of(std::int64_t index) {
    RecordState state;
    state.index = RecordIndex{index};
    return state;
  }
  RecordState make(RecordState state) {
    const Status made = await(pipeline.make(&state));
    if (!made) throw std::runtime_error(made.error().text());
    return state;
  }
  // As it comes back from a journal.
  RecordState journaled(RecordState state) {
    pipeline.name_requests(state);
    std::string line;
    append_journal_line(line, job.compiled.step_ids, state);
    return parse_journal_line(line, job.compiled.step_ids).value();
  }
};

TEST(Pipeline, ALaterStepSeesTheAnswerOfAnEarlierOne) {
  Rig rig({.steps = kChain});
  const RecordState made = rig.make(Rig::of(1));
  EXPECT_EQ(rig.model->prompts, (std::vector<std::string>{"ask blue", "answer <ask blue>"}));
  EXPECT_EQ(rig.model->requests[0].system, "You ask blue.");
  EXPECT_EQ(rig.model->requests[1].system, "");
  EXPECT_EQ(rig.model->requests[0].key.record.value, 1);
  EXPECT_NE(rig.model->requests[0].key.step_stream, rig.model->requests[1].key.step_stream);
  EXPECT_TRUE(rig.pipeline.is_whole(made));
  EXPECT_FALSE(made.failure);
  EXPECT_EQ(made.seed_data_keys, "1");
  ASSERT_EQ(made.steps.size(), 2u);
  EXPECT_EQ(made.steps[1]->prompt, "answer <ask blue>");
  EXPECT_EQ(made.steps[1]->output, "<answer <ask blue>>");
  EXPECT_EQ(made.steps[1]->model, "fake");
  EXPECT_EQ(made.steps[1]->usage, (model::Usage{10, 5}));
  EXPECT_EQ(made.steps[1]->cost, Money{2'000'000'000});
}

TEST(Pipeline, TemplatesSeeTheRowTheIndexAndTheSteps) {
  Rig rig({.steps = R"([{id: q, prompt: "{{ record_index }} {{ word }} {{ seed_row.word }} {{ seed_row.steps }}"},)"
                    R"( {id: a, prompt: "{{ steps.q.model }}: {{ steps.q.prompt }} = {{ steps['q'].output }}"}])",
           .seeds = "{\"_id\":\"row \\\"7\\\"\",\"word\":\"red\",\"steps\":\"own\"}\n"});
  const RecordState made = rig.make(Rig::of(5));
  EXPECT_EQ(rig.model->prompts[0], "5 red red own");
  EXPECT_EQ(rig.model->prompts[1], "fake: 5 red red own = <5 red red own>");
  EXPECT_EQ(made.seed_data_keys, R"("row \"7\"")");
}

TEST(Pipeline, FragmentsAreNotExecuted) {
  Rig rig({.steps = R"([{id: note, model: none, prompt: "never"}, {id: q, prompt: "ask"}])"});
  const RecordState made = rig.make(Rig::of(0));
  EXPECT_EQ(rig.model->prompts, std::vector<std::string>{"ask"});
  ASSERT_EQ(made.steps.size(), 2u);
  EXPECT_FALSE(made.steps[0]);
  EXPECT_TRUE(made.steps[1]);
  EXPECT_TRUE(rig.pipeline.is_whole(made));
}

// Promise 9: the same record, made anywhere and again, asks the same.
TEST(Promise9, ARecordAsksTheSameEveryTime) {
  const JobParts parts{
      .steps = R"([{id: q, prompt: "{{ word }} {{ range(1000000) | random }} {{ [1,2,3,4,5] | random }}"}])",
      .more = "seed: 9\n"};
  Rig one(parts), other(parts);
  for (std::int64_t i = 0; i < 50; ++i) one.make(Rig::of(i));
  for (std::int64_t i = 49; i >= 0; --i) other.make(Rig::of(i));
  std::reverse(other.model->prompts.begin(), other.model->prompts.end());
  EXPECT_EQ(one.model->prompts, other.model->prompts);
  EXPECT_GT(std::set<std::string>(one.model->prompts.begin(), one.model->prompts.end()).size(), 40u);
}

// --- Graphs

TEST(Pipeline, StepsThatNeedNothingOfEachOtherRunSideBySide) {
  Rig rig({.steps = kDiamond});
  rig.model->waits = [](const model::ModelRequest& r) { return r.messages[0].text.starts_with("left"); };
  // The gate of `left` opens only when `right` was asked.
  rig.model->on_call = [&](const model::ModelRequest& r) {
    if (r.messages[0].text.starts_with("right")) rig.model->gate->request();
  };
  const RecordState made = rig.make(Rig::of(0));
  EXPECT_EQ(rig.model->in_flight_max, 2);
  EXPECT_TRUE(rig.pipeline.is_whole(made));
  ASSERT_EQ(rig.model->prompts.size(), 4u);
  EXPECT_EQ(rig.model->prompts[0], "start red");
  EXPECT_EQ(rig.model->prompts[3], "end <left <start red>> <right <start red>>");
  EXPECT_TRUE(rig.control.groups.empty());
  EXPECT_EQ(rig.control.calls_in_flight, 0);
}

TEST(Pipeline, AChainNeverHasTwoCallsInFlight) {
  Rig rig({.steps = kChain});
  for (int i = 0; i < 5; ++i) rig.make(Rig::of(i));
  EXPECT_EQ(rig.model->in_flight_max, 1);
}

// The step that is in flight when another fails was paid for: it is kept. None is started after it.
TEST(Pipeline, AfterAFailureNoFurtherStepStarts) {
  Rig rig({.steps = kDiamond});
  rig.model->waits = [](const model::ModelRequest& r) { return r.messages[0].text.starts_with("left"); };
  rig.model->answer = [&](const model::ModelRequest& r) -> Result<model::ModelResult> {
    if (!r.messages[0].text.starts_with("right")) return answer_of("ok");
    rig.model->gate->request();
    return fail(ErrorKind::denied, "no");
  };
  const RecordState made = rig.make(Rig::of(0));
  ASSERT_TRUE(made.failure);
  EXPECT_EQ(made.failure->step, "right");
  EXPECT_EQ(rig.model->prompts.size(), 3u);
  EXPECT_TRUE(made.steps[0] && made.steps[1]);
  EXPECT_FALSE(made.steps[2] || made.steps[3]);
}

// --- Failures

TEST(Pipeline, AFailureNamesStepKindAndTries) {
  Rig rig({.steps = kChain});
  rig.model->answer = [&](model::ModelRequest& r) -> Result<model::ModelResult> {
    if (r.messages[0].text.starts_with("ask")) return answer_of("ok");
    r.tries = 4;
    return fail(ErrorKind::throttled, "slow down");
  };
  const RecordState made = rig.make(Rig::of(0));
  ASSERT_TRUE(made.failure);
  EXPECT_EQ(made.failure->step, "a");
  EXPECT_EQ(made.failure->kind, ErrorKind::throttled);
  EXPECT_EQ(made.failure->message, "slow down");
  EXPECT_EQ(made.failure->tries, 4);
  EXPECT_TRUE(made.steps[0]) << "what is done is kept";
  EXPECT_FALSE(rig.pipeline.is_whole(made));
}

TEST(Pipeline, ATemplateThatCannotBeRenderedIsAFailureWithItsPlace) {
  Rig rig({.steps = R"([{id: q, prompt: "first line\n{{ word.missing.deeper }}"}])",
           .seeds = "{\"word\":{\"missing\":{\"deeper\":1}}}\n{\"word\":{}}\n"});
  EXPECT_FALSE(rig.make(Rig::of(0)).failure);
  const RecordState made = rig.make(Rig::of(1));
  ASSERT_TRUE(made.failure);
  EXPECT_EQ(made.failure->step, "q");
  EXPECT_EQ(made.failure->kind, ErrorKind::bad_input);
  EXPECT_THAT(made.failure->message, ::testing::HasSubstr("steps[0].prompt:2:")) << made.failure->message;
  EXPECT_EQ(rig.model->prompts.size(), 1u);
}

TEST(Promise7, APromptHasALimit) {
  Rig rig({.steps = R"([{id: q, prompt: "{{ word }}{{ word }}{{ word }}{{ word }}{{ word }}"}])",
           .seeds = "{\"word\":\"" + std::string(1'000'000, 'x') + "\"}\n"});
  const RecordState made = rig.make(Rig::of(0));
  ASSERT_TRUE(made.failure);
  EXPECT_EQ(made.failure->kind, ErrorKind::too_large);
  EXPECT_THAT(made.failure->message, ::testing::HasSubstr("5000000 bytes"));
  EXPECT_TRUE(rig.model->prompts.empty());
}

TEST(Pipeline, ATruncatedAnswerIsAFailureUnlessItIsAccepted) {
  for (const bool accept : {false, true}) {
    Rig rig({.more = accept ? "accept_truncated: true\n" : ""});
    rig.model->answer = [](const model::ModelRequest&) {
      model::ModelResult result = answer_of("cut");
      result.stop = model::StopReason::truncated;
      return result;
    };
    const RecordState made = rig.make(Rig::of(0));
    EXPECT_EQ(made.failure.has_value(), !accept);
    EXPECT_EQ(rig.pipeline.is_whole(made), accept);
    if (made.failure) {
      EXPECT_EQ(made.failure->kind, ErrorKind::truncated);
      EXPECT_EQ(made.failure->unused_cost(), Money{2'000'000'000}) << "it was paid for";
      EXPECT_THAT(made.failure->message, ::testing::HasSubstr("max_tokens"));
    }
  }
}

TEST(Pipeline, ARefusalIsAFailure) {
  Rig rig({.more = "accept_truncated: true\n"});
  rig.model->answer = [](const model::ModelRequest&) {
    model::ModelResult result = answer_of("I cannot");
    result.stop = model::StopReason::refused;
    return result;
  };
  const RecordState made = rig.make(Rig::of(0));
  ASSERT_TRUE(made.failure);
  EXPECT_EQ(made.failure->kind, ErrorKind::refused);
  EXPECT_EQ(made.failure->unused_cost(), Money{2'000'000'000});
}

// --- Stopping

TEST(Promise2, ADrainedRunStartsNoCall) {
  Rig rig({.steps = kChain});
  rig.control.drain();
  const RecordState made = rig.make(Rig::of(0));
  EXPECT_TRUE(rig.model->prompts.empty());
  EXPECT_FALSE(made.failure);
  EXPECT_FALSE(rig.pipeline.is_whole(made));
}

TEST(Promise2, ACallInFlightMayFinishWhenTheRunIsDrained) {
  Rig rig({.steps = kChain});
  rig.model->on_call = [&](const model::ModelRequest&) { rig.control.drain(); };
  const RecordState made = rig.make(Rig::of(0));
  EXPECT_EQ(rig.model->prompts.size(), 1u);
  EXPECT_FALSE(made.failure);
  ASSERT_TRUE(made.steps[0]);
  EXPECT_EQ(made.steps[0]->output, "<ask red>");
  EXPECT_FALSE(made.steps[1]);
}

async::Task<void> make_into(Rig* rig, std::int64_t index, std::optional<RecordState>* out) {
  RecordState state = Rig::of(index);
  if (co_await rig->pipeline.make(&state)) out->emplace(std::move(state));
}

async::Task<void> cancel_when_waiting(Rig* rig, int calls) {
  while (rig->model->in_flight < calls) (void)co_await async::sleep_for(1);
  rig->control.cancel_calls();
}

// In a group that the control knows, as the generator has it.
async::Task<RecordState> make_and_cancel(Rig* rig, int calls) {
  std::optional<RecordState> made;
  const auto executor = co_await boost::asio::this_coro::executor;
  async::TaskGroup group(executor), canceller(executor);
  rig->control.groups.insert(&group);
  group.spawn(make_into(rig, 0, &made));
  canceller.spawn(cancel_when_waiting(rig, calls));
  co_await group.join();
  co_await canceller.join();
  rig->control.groups.erase(&group);
  co_return made.value();
}

TEST(Promise2, ACancelledCallIsUnfinishedAndNoFailure) {
  Rig rig({.steps = kChain});
  rig.model->waits = [](const model::ModelRequest& r) { return r.messages[0].text.starts_with("answer"); };
  const RecordState made = await(make_and_cancel(&rig, 1));
  EXPECT_FALSE(made.failure);
  EXPECT_TRUE(made.steps[0]);
  EXPECT_FALSE(made.steps[1]);
  EXPECT_EQ(rig.control.calls_in_flight, 0);
}

TEST(Promise2, CancelledCallsOfAGraphAreUnfinishedAndNoFailure) {
  Rig rig({.steps = kDiamond});
  rig.model->waits = [](const model::ModelRequest& r) { return !r.messages[0].text.starts_with("start"); };
  const RecordState made = await(make_and_cancel(&rig, 2));
  EXPECT_FALSE(made.failure);
  EXPECT_TRUE(made.steps[0]);
  EXPECT_FALSE(made.steps[1] || made.steps[2] || made.steps[3]);
  EXPECT_EQ(rig.control.calls_in_flight, 0);
  EXPECT_EQ(rig.model->prompts.size(), 3u);
}

// --- Steps that an earlier attempt has made

TEST(Promise2, AJournaledStepIsUsedIfItAnswersTheSameRequest) {
  Rig rig({.steps = kChain});
  rig.model->answer = [&](const model::ModelRequest& r) -> Result<model::ModelResult> {
    if (r.messages[0].text.starts_with("ask")) return answer_of("paid");
    return fail(ErrorKind::cancelled, "stopped");
  };
  const RecordState half = rig.journaled(rig.make(Rig::of(1)));
  Rig again({.steps = kChain});
  const RecordState made = again.make(half);
  EXPECT_EQ(again.model->prompts, std::vector<std::string>{"answer paid"});
  EXPECT_TRUE(again.pipeline.is_whole(made));
  EXPECT_EQ(made.steps[0]->output, "paid");
}

TEST(Pipeline, AJournaledStepOfAnotherRequestIsNotUsed) {
  Rig rig({.steps = kChain});
  const RecordState whole = rig.journaled(rig.make(Rig::of(1)));
  const auto remade_with = [&](const std::string& steps, const std::string& more) {
    Rig other({.steps = steps, .more = more});
    const RecordState made = other.make(whole);
    EXPECT_TRUE(other.pipeline.is_whole(made));
    return other.model->prompts;
  };
  using Prompts = std::vector<std::string>;
  EXPECT_EQ(remade_with(kChain, ""), Prompts{});
  const std::string chain = kChain;
  const auto with = [&](std::string from, const std::string& to) {
    std::string text = chain;
    return text.replace(text.find(from), from.size(), to);
  };
  // Another prompt, another system text: that step is asked again, and the next sees the new answer, which here is the
  // same.
  EXPECT_EQ(remade_with(with("ask {{ word }}\"}", "beg {{ word }}\"}"), ""),
            (Prompts{"beg blue", "answer <beg blue>"}));
  EXPECT_EQ(remade_with(with("You ask", "You beg"), ""), Prompts{"ask blue"});
  EXPECT_EQ(remade_with(with("answer {{", "reply {{"), ""), Prompts{"reply <ask blue>"});
  // Another model, another sampling parameter.
  EXPECT_EQ(remade_with(with("{id: a,", "{id: a, model: offline/ngram,"), ""), Prompts{"answer <ask blue>"});
  EXPECT_EQ(remade_with(chain, "temperature: 0.5\n"), (Prompts{"ask blue", "answer <ask blue>"}));
  EXPECT_EQ(remade_with(with("{id: a,", "{id: a, max_tokens: 7,"), ""), Prompts{"answer <ask blue>"});
}

// A step whose own request is the same, but whose predecessor had to be asked again and answered otherwise.
TEST(Pipeline, AJournaledStepThatRestsOnAnOldAnswerIsNotUsed) {
  Rig rig({.steps = kDiamond});
  RecordState whole = rig.journaled(rig.make(Rig::of(0)));
  whole.steps[0].reset();
  Rig again({.steps = kDiamond});
  again.model->answer = [](const model::ModelRequest&) { return answer_of("new"); };
  const RecordState made = again.make(whole);
  EXPECT_EQ(again.model->prompts.size(), 4u);
  EXPECT_EQ(made.steps[1]->prompt, "left new");
  EXPECT_EQ(made.steps[3]->output, "new");
}

TEST(Pipeline, RequestsAreNamedOnce) {
  Rig rig({.steps = kChain});
  RecordState made = rig.make(Rig::of(0));
  EXPECT_EQ(made.steps[0]->request_sha256, "");
  rig.pipeline.name_requests(made);
  const std::string name = made.steps[0]->request_sha256;
  EXPECT_EQ(name.size(), 64u);
  EXPECT_NE(name, made.steps[1]->request_sha256);
  made.steps[0]->request_sha256 = "kept";
  rig.pipeline.name_requests(made);
  EXPECT_EQ(made.steps[0]->request_sha256, "kept");
}

}  // namespace
}  // namespace palette::generate
