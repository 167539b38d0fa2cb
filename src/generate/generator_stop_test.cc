// Stopping and going on: nothing that was paid for is made again.
#include "generate/generator.h"
#include "generate/test_support.h"

namespace palette::generate {
namespace {

using End = GenerateReport::End;
constexpr const char* kChain =
    R"([{id: q, prompt: "ask {{ record_index }}"}, {id: a, prompt: "answer {{ steps.q.output }}"}])";

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

// Stopped after each number of calls in turn, and run again until it ends.
TEST(Promise2, WhereverItIsStoppedNoFinishedStepIsMadeAgain) {
  JobInFolder whole({.steps = kChain, .num_records = 12});
  ASSERT_TRUE(whole.run());
  const std::vector<std::string> expected = sorted(whole.model->prompts);
  ASSERT_EQ(expected.size(), 24u);
  for (std::size_t after = 1; after <= 24; ++after) {
    JobInFolder rig({.steps = kChain, .num_records = 12});
    rig.model->on_call = [&](const model::ModelRequest&) {
      if (rig.model->prompts.size() % after == 0) rig.control->drain();
    };
    int attempts = 0;
    for (End end = End::stopped; end == End::stopped && attempts < 40; ++attempts) {
      const Result<GenerateReport> report = rig.run();
      ASSERT_TRUE(report) << error_text(report);
      end = report->end;
      ASSERT_NE(end, End::failed) << report->cause;
    }
    EXPECT_LT(attempts, 40);
    EXPECT_EQ(sorted(rig.model->prompts), expected) << "stopped after " << after << " calls";
    EXPECT_EQ(rig.made(), rig.all_indexes());
    const auto checkpoint = await(load_checkpoint(rig.objects, rig.context.job, rig.context.part));
    EXPECT_EQ(calls_in(checkpoint.value().value()), 24) << "stopped after " << after << " calls";
    EXPECT_TRUE(rig.keys("journal/").empty());
  }
}

// A worker that was frozen wakes up: until it knows that the lease is still its own, it commits nothing and books
// nothing.
TEST(Promise5, WhileTheLeaseIsInDoubtNothingIsCommitted) {
  JobInFolder rig({.num_records = 20});
  int looks = 0;
  rig.control->owns = [&] { return ++looks > 10; };
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::ended) << "it was its own again";
  EXPECT_EQ(rig.made(), rig.all_indexes());
  EXPECT_GT(looks, 10);
}

TEST(Promise5, WhatIsStoppedInDoubtIsKeptInTheJournalAlone) {
  JobInFolder rig({.num_records = 20});
  rig.control->owns = [] { return false; };
  rig.model->on_call = [&](const model::ModelRequest& r) {
    if (r.key.record.value == 11) rig.control->drain();
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::stopped);
  EXPECT_EQ(rig.watched.puts, std::vector<std::string>{"journal/j/attempt-0001-0001.jsonl"});
  const std::size_t calls = rig.model->prompts.size();
  ASSERT_EQ(rig.run().value().end, End::ended) << "the next attempt";
  EXPECT_EQ(rig.model->prompts.size(), 20u) << calls << " of them before, none again";
}

TEST(Promise5, WhoIsFencedOffWritesNothingMore) {
  JobInFolder rig({.num_records = 20});
  rig.settings.flush_ms = 1;
  rig.model->on_call = [&](const model::ModelRequest& r) {
    if (r.key.record.value != 3) return;  // before the first batch is whole
    rig.control->halt(Error{ErrorKind::fenced, "another worker has it"});
    rig.watched.puts.clear();
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::fenced);
  EXPECT_TRUE(rig.watched.puts.empty()) << rig.watched.puts.front();
}

TEST(Promise6, AnInterruptedRunIsStoppedAndNotEnded) {
  JobInFolder rig({.num_records = 20});
  rig.model->on_call = [&](const model::ModelRequest& r) {
    if (r.key.record.value == 11) rig.control->drain();
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::stopped);
  EXPECT_EQ(report->cause, "");
  EXPECT_LT(rig.made().size(), 20u);
  EXPECT_EQ(rig.keys("journal/"), std::vector<std::string>{"journal/j/attempt-0001-0001.jsonl"});
}

TEST(Promise6, ARunThatIsStoppedBeforeItBeginsIsStopped) {
  JobInFolder rig;
  ++rig.context.attempt.value;
  ResumeState resume = rig.load().value();
  const std::vector<std::shared_ptr<model::Model>> models(1, rig.model);
  Pipeline pipeline(rig.job, rig.context.job, models, *rig.control);
  Ledger ledger = rig.unlimited_ledger();
  Generator generator(rig.job, rig.context, pipeline, rig.objects, rig.clock, rig.settings, *rig.control, rig.progress,
                      {ledger, nullptr});
  rig.control->drain();
  const Result<GenerateReport> report = await(generator.run(std::move(resume)));
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::stopped);
  EXPECT_TRUE(rig.model->prompts.empty());
}

// A journal of several pieces: each is written while records go on.
TEST(Promise2, AJournalOfManyPiecesHoldsEveryFinishedStep) {
  JobInFolder rig({.steps = R"([{id: q, prompt: "ask {{ record_index }}"}, {id: a, prompt: "{{ steps.q.output }}"}])",
                   .num_records = 60,
                   .interval = 10});
  rig.settings.concurrency = 60;
  const std::string long_text(40'000, 'x');
  rig.model->answer = [&](const model::ModelRequest& request) {
    return answer_of(request.identity.step == "q" ? long_text : "short");
  };
  rig.model->waits = [](const model::ModelRequest& request) { return request.identity.step == "a"; };
  rig.model->on_call = [&](const model::ModelRequest&) {
    if (rig.model->in_flight == 60) rig.control->cancel_calls();
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::stopped);
  const std::string journal = rig.body_of("journal/j/attempt-0001-0001.jsonl");
  EXPECT_GT(journal.size(), 60u * long_text.size());
  const Result<ResumeState> resumed = rig.load();
  ASSERT_TRUE(resumed) << error_text(resumed);
  EXPECT_EQ(resumed->journal.size(), 60u);
  EXPECT_EQ(resumed->journaled.steps.at("q").calls, 60);
}

TEST(Promise2, CallsInFlightMayFinishAndAreKept) {
  JobInFolder rig({.num_records = 10});
  rig.model->waits = [](const model::ModelRequest&) { return true; };
  rig.model->on_call = [&](const model::ModelRequest&) {
    if (rig.model->in_flight < 4) return;
    rig.control->drain();
    rig.model->gate->request();
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::stopped);
  EXPECT_EQ(rig.model->prompts.size(), 4u);
  EXPECT_EQ(rig.load().value().journal.size(), 4u);
}

TEST(Promise2, CancelledCallsAreMadeAgainAndFailNothing) {
  JobInFolder rig({.num_records = 10});
  rig.model->waits = [](const model::ModelRequest& r) { return r.key.record.value >= 6; };
  rig.model->on_call = [&](const model::ModelRequest& r) {
    // From the loop's next turn: the call has to wait first.
    if (r.key.record.value == 9)
      boost::asio::post(contract::process_loop().context(), [&] { rig.control->cancel_calls(); });
  };
  const Result<GenerateReport> report = rig.run();
  ASSERT_TRUE(report) << error_text(report);
  EXPECT_EQ(report->end, End::stopped);
  EXPECT_EQ(rig.progress.records_failed, 0);
  EXPECT_EQ(rig.progress.records_done, 6);

  rig.model->waits = [](const model::ModelRequest&) { return false; };
  rig.model->on_call = [](const model::ModelRequest&) {};
  ASSERT_EQ(rig.run().value().end, End::ended);
  EXPECT_EQ(rig.made(), rig.all_indexes());
  EXPECT_EQ(rig.model->prompts.size(), 14u) << "four were cancelled";
}

TEST(Promise2, TheJournalIsWrittenWhileTheRunGoesOn) {
  JobInFolder rig({.num_records = 5});
  rig.settings.flush_ms = 1;
  rig.model->waits = [](const model::ModelRequest& r) { return r.key.record.value == 3; };
  std::string journal;
  rig.watched.after_put = [&](const std::string& key, const std::string& body) {
    if (!key.starts_with("journal/")) return;
    const auto lines = std::count(body.begin(), body.end(), '\n');
    if (lines != 4) return;  // later ones may be empty: the batch is committed
    journal = body;
    rig.model->gate->request();
  };
  ASSERT_EQ(rig.run().value().end, End::ended);
  EXPECT_THAT(journal, ::testing::HasSubstr("{\"record\":4,"));
}

// kill -9 loses at most one flush interval, also of a record whose next step takes long.
TEST(Promise2, FinishedStepsOfARecordInFlightAreJournaled) {
  JobInFolder rig({.steps = kChain, .num_records = 1});
  rig.settings.flush_ms = 1;
  rig.model->waits = [](const model::ModelRequest& r) { return r.messages[0].text.starts_with("answer"); };
  bool journaled = false;
  rig.watched.after_put = [&](const std::string& key, const std::string& body) {
    if (rig.model->in_flight == 0 || !key.starts_with("journal/") || body.find("<ask 0>") == std::string::npos) return;
    journaled = true;
    rig.model->gate->request();
  };
  rig.model->wait_ms_max = 200;  // many flushes
  ASSERT_TRUE(rig.run());
  EXPECT_TRUE(journaled);
}

TEST(Promise2, ARecordThatWasFinishedBeforeTheCrashKeepsItsTime) {
  JobInFolder rig({.num_records = 5});
  rig.model->on_call = [&](const model::ModelRequest& r) {
    if (r.key.record.value == 3) rig.control->drain();
  };
  ASSERT_EQ(rig.run().value().end, End::stopped);
  const RecordsByIndex kept = rig.load().value().journal;
  ASSERT_GE(kept.size(), 4u);
  ASSERT_EQ(rig.run().value().end, End::ended);
  const std::string body = rig.body_of("jobs/j/outputs/batch-0001.jsonl");
  for (const auto& [index, state] : kept) {
    EXPECT_THAT(body,
                ::testing::HasSubstr("\"id\":\"j-" + std::to_string(index) + "\",\"job_id\":\"j\",\"timestamp\":\"" +
                                     state.finished_at->to_iso() + "\""));
  }
}

// --- Failures in a journal

struct JournaledFailure : ::testing::Test {
  JobInFolder rig{{.num_records = 5}};

  void SetUp() override {
    rig.settings.concurrency = 1;
    rig.model->answer = [](const model::ModelRequest& r) -> Result<model::ModelResult> {
      if (r.key.record.value == 1) return fail(ErrorKind::denied, "no");
      return answer_of("ok");
    };
    rig.model->on_call = [&](const model::ModelRequest& r) {
      if (r.key.record.value == 2) rig.control->drain();
    };
    ASSERT_EQ(rig.run().value().end, End::stopped);
    ASSERT_EQ(rig.model->prompts.size(), 3u);
    rig.model->answer = [](const model::ModelRequest&) { return answer_of("now"); };
    rig.model->on_call = [](const model::ModelRequest&) {};
  }
};

TEST_F(JournaledFailure, IsTakenOver) {
  ASSERT_EQ(rig.run().value().end, End::ended);
  EXPECT_EQ(rig.model->prompts.size(), 5u);
  EXPECT_EQ(rig.failed(), std::set<std::int64_t>{1});
  EXPECT_EQ(rig.progress.records_failed, 1);
}

TEST_F(JournaledFailure, IsTriedAgainWhenFailuresAreNotReused) {
  rig.settings.reuse_failures = false;
  ASSERT_EQ(rig.run().value().end, End::ended);
  EXPECT_EQ(rig.model->prompts.size(), 6u);
  EXPECT_EQ(rig.made(), rig.all_indexes());
  EXPECT_TRUE(rig.failed().empty());
}

// The journal is written while such a record is made again.
TEST_F(JournaledFailure, IsTriedAgainAcrossFlushes) {
  rig.settings.reuse_failures = false;
  rig.settings.flush_ms = 1;
  rig.settings.concurrency = 4;
  rig.model->waits = [](const model::ModelRequest& r) { return r.key.record.value == 1; };
  rig.watched.after_put = [&](const std::string& key, const std::string&) {
    if (key.starts_with("journal/")) rig.model->gate->request();
  };
  ASSERT_EQ(rig.run().value().end, End::ended);
  EXPECT_EQ(rig.made(), rig.all_indexes());
}

}  // namespace
}  // namespace palette::generate
