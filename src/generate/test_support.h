// What the tests of this folder start from: a small job that was checked, a store in a folder of its own that can be
// watched, a model that can be held back.
//
//   JobInFolder rig({.num_records = 20});
//   Result<GenerateReport> report = rig.run();
//   EXPECT_EQ(rig.made(), rig.all_indexes());
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/blocking.h"
#include "contract/await.h"
#include "dataset/test_folder.h"
#include "generate/generator.h"
#include "generate/lines.h"
#include "generate/preflight.h"
#include "store/local/file_object_store.h"

namespace palette::generate {

using contract::await, contract::error_text;
using dataset::TestFolder;

// Its time goes on by a millisecond at each look.
class SteppingClock final : public Clock {
 public:
  UtcTime now() const override { return UtcTime{1'790'000'000'000 + ++looks_}; }
  std::int64_t monotonic_ms() const override { return ++looks_; }

 private:
  mutable std::int64_t looks_ = 0;
};

inline model::ModelResult answer_of(std::string text) {
  model::ModelResult result;
  result.text = std::move(text);
  result.usage = {10, 5};
  result.cost = Money{2'000'000'000};
  result.model = "fake";
  return result;
}

// Answers what it is told to, at once or when its gate is opened, and remembers what it was asked.
class FakeModel final : public model::Model {
 public:
  std::function<Result<model::ModelResult>(model::ModelRequest&)> answer = [](const model::ModelRequest& request) {
    return answer_of("<" + request.messages.back().text + ">");
  };
  std::function<void(const model::ModelRequest&)> on_call = [](const model::ModelRequest&) {};
  std::function<bool(const model::ModelRequest&)> waits = [](const model::ModelRequest&) { return false; };
  std::shared_ptr<async::StopFlag> gate = std::make_shared<async::StopFlag>();  // raised: open
  std::int64_t wait_ms_max = 20'000;                                            // then the call gives `timeout`

  std::vector<std::string> prompts;  // of all calls
  std::vector<model::ModelRequest> requests;
  int in_flight = 0, in_flight_max = 0;
  model::SpendMeter* meter = nullptr;  // told what answers cost, when set

  const std::string& name() const override { return name_; }

  async::Task<Result<model::ModelResult>> call(std::shared_ptr<model::ModelRequest> request) override {
    prompts.push_back(request->messages.back().text);
    requests.push_back(*request);
    in_flight_max = std::max(in_flight_max, ++in_flight);
    on_call(*request);
    if (waits(*request)) {
      const Status slept = co_await gate->sleep_for(wait_ms_max);
      if (!gate->requested()) {
        --in_flight;
        co_return fail(slept ? ErrorKind::timeout : ErrorKind::cancelled, "the gate did not open");
      }
    }
    --in_flight;
    Result<model::ModelResult> result = answer(*request);
    if (result && meter != nullptr) {
      model::CallBill bill{.model = result->model, .step = request->identity.step, .reserved = {}};
      bill.end = model::CallBill::End::answered;
      bill.usage = result->usage;
      bill.cost = result->cost;
      meter->settle(bill);
    }
    co_return result;
  }

 private:
  std::string name_ = "fake";
};

// Passes everything on, and tells of puts; a put can be made to fail.
class WatchedStore final : public store::ObjectStore {
 public:
  explicit WatchedStore(store::ObjectStore& inner) : inner_(inner) {}

  std::function<Status(const std::string& key)> before_put = [](const std::string&) { return Status{}; };
  std::function<void(const std::string& key, const std::string& body)> after_put = [](const std::string&,
                                                                                      const std::string&) {};
  std::vector<std::string> puts;  // keys, in the order in which they were done
  std::vector<std::string> gets;
  std::map<std::string, int> ranges;  // how many were read of each key

  async::Task<Result<store::Object>> get(std::string key) override {
    gets.push_back(key);
    return inner_.get(std::move(key));
  }
  async::Task<Result<std::string>> get_range(std::string key, std::uint64_t offset, std::uint64_t size,
                                             std::string etag) override {
    ++ranges[key];
    return inner_.get_range(std::move(key), offset, size, std::move(etag));
  }
  async::Task<Result<store::ObjectInfo>> head(std::string key) override { return inner_.head(std::move(key)); }
  async::Task<Result<std::string>> put(std::string key, std::string body, store::PutCondition condition) override {
    if (Status allowed = before_put(key); !allowed) co_return std::unexpected(allowed.error());
    Result<std::string> put = co_await inner_.put(key, body, std::move(condition));
    if (put) {
      puts.push_back(key);
      after_put(key, body);
    }
    co_return put;
  }
  async::Task<Result<std::string>> put_file(std::string key, std::filesystem::path file,
                                            store::PutCondition condition) override {
    return inner_.put_file(std::move(key), std::move(file), std::move(condition));
  }
  async::Task<Status> remove(std::string key) override { return inner_.remove(std::move(key)); }
  async::Task<Result<store::ListPage>> list(std::string prefix, std::string start_after, std::size_t limit) override {
    return inner_.list(std::move(prefix), std::move(start_after), limit);
  }
  std::string location(const std::string& key) const override { return inner_.location(key); }

 private:
  store::ObjectStore& inner_;
};

struct JobParts {
  std::string steps = R"([{id: q, prompt: "ask {{ word }} {{ record_index }}"}])";
  std::int64_t num_records = 10;
  std::int64_t interval = 5;
  std::string more = {};  // further lines of the job file
  std::string seeds = "{\"word\":\"red\"}\n{\"word\":\"blue\"}\n{\"word\":\"green\"}\n";
};

inline Preflight check(const TestFolder& folder, const JobParts& parts) {
  folder.write("seeds.jsonl", parts.seeds);
  PreflightInput input;
  input.job_file = folder.write("job.yaml", "model: offline/echo\nseed_data: seeds.jsonl\nseed_sampling: sequential\n" +
                                                ("num_records: " + std::to_string(parts.num_records)) + "\n" +
                                                parts.more + "\ntemplate: {steps: " + parts.steps + "}\n");
  input.spool_dir = folder / "spool";
  return preflight(input);
}

inline std::string told(const job::Diagnostics& diagnostics) {
  std::string out;
  for (const job::Diagnostic& finding : diagnostics.sorted()) out += finding.text() + "\n";
  return out;
}

inline PreparedJob prepare(const TestFolder& folder, const JobParts& parts) {
  Preflight checked = check(folder, parts);
  if (!checked.job) throw std::runtime_error(told(checked.diagnostics));
  return std::move(*checked.job);
}

// A job with its store; run() is one attempt, from what stands to the report.
class JobInFolder {
 public:
  explicit JobInFolder(const JobParts& parts = {}) : job(prepare(folder, parts)) {
    context = {JobId{"j"}, PartNumber{1}, AttemptNumber{0}, job::Extents::of(parts.num_records, parts.interval),
               parts.num_records};
  }

  TestFolder folder;
  async::BlockingPool pool{2};
  store::FileObjectStore files{folder / "objects", pool};
  WatchedStore watched{files};
  store::ObjectStore& objects = watched;
  SteppingClock clock;
  PreparedJob job;
  std::shared_ptr<FakeModel> model = std::make_shared<FakeModel>();
  PartContext context;
  std::unique_ptr<RunControl> control = std::make_unique<RunControl>();
  Progress progress;
  // Records in flight: few, so that what is stopped has a rest. No flush while it runs unless a test wants one.
  GenerateSettings settings{.concurrency = 4, .flush_ms = 600'000};

  Result<ResumeState> load() { return await(load_resume_state(objects, context, job.compiled.step_ids, clock.now())); }

  Result<GenerateReport> run() {
    ++context.attempt.value;
    Result<ResumeState> resume = load();
    if (!resume) return std::unexpected(resume.error());
    return run_from(std::move(*resume));
  }

  Result<GenerateReport> run_from(ResumeState resume) {
    progress = Progress{};
    if (control->stop->requested()) control = std::make_unique<RunControl>();
    const std::vector<std::shared_ptr<model::Model>> models(job.compiled.steps.size(), model);
    Pipeline pipeline(job, context.job, models, *control);
    Ledger ledger = unlimited_ledger();
    model->meter = &ledger;
    Generator generator(job, context, pipeline, objects, clock, settings, *control, progress, {ledger, nullptr});
    return await(generator.run(std::move(resume)));
  }

  Ledger unlimited_ledger() {
    const Money budget{Money::kPicoMax};
    return Ledger({.unallocated = budget}, slices_in_memory(budget), *control, clock);
  }

  void put(std::string key, std::string body) {
    const Result<std::string> done = await(files.put(std::move(key), std::move(body), {}));
    ASSERT_TRUE(done) << error_text(done);
  }
  std::string body_of(const std::string& key) {
    const Result<store::Object> object = await(objects.get(key));
    return object ? object->body : error_text(object);
  }
  std::vector<std::string> keys(const std::string& prefix) {
    const auto listed = await(store::list_all(objects, prefix));
    EXPECT_TRUE(listed) << error_text(listed);
    std::vector<std::string> out;
    for (const store::ObjectInfo& info : listed.value_or(std::vector<store::ObjectInfo>{})) out.push_back(info.key);
    return out;
  }

  // The record of every line in the outputs, sorted: each is expected once.
  std::vector<std::int64_t> made() { return indexes_below(job::outputs_prefix(context.job)); }
  // The records that failed for good: in failures and not in outputs.
  std::set<std::int64_t> failed() {
    const std::vector<std::int64_t> succeeded = made(), listed = indexes_below(job::failures_prefix(context.job));
    std::set<std::int64_t> out(listed.begin(), listed.end());
    for (std::int64_t index : succeeded) out.erase(index);
    return out;
  }
  std::vector<std::int64_t> all_indexes() const { return indexes(0, context.num_records); }
  static std::vector<std::int64_t> indexes(std::int64_t first, std::int64_t end) {
    std::vector<std::int64_t> out;
    for (std::int64_t i = first; i < end; ++i) out.push_back(i);
    return out;
  }

 private:
  std::vector<std::int64_t> indexes_below(const std::string& prefix) {
    std::vector<std::int64_t> out;
    for (const std::string& key : keys(prefix)) {
      const std::string body = body_of(key);
      for (std::string_view line : Lines(body)) {
        const Result<RecordIndex> index = index_of_line(line, context.job);
        EXPECT_TRUE(index) << key << ": " << line;
        out.push_back(index.value_or(RecordIndex{-1}).value);
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }
};

// The calls that a checkpoint has booked.
inline std::int64_t calls_in(const Checkpoint& checkpoint) {
  std::int64_t calls = 0;
  for (const auto& [name, used] : checkpoint.usage_total()) calls += used.calls;
  return calls;
}

// A finished record, as a test needs one.
inline RecordState record_state(std::int64_t index, std::vector<std::optional<StepOutcome>> steps,
                                bool finished = true) {
  RecordState state;
  state.index = RecordIndex{index};
  state.seed_data_keys = std::to_string(index);
  state.steps = std::move(steps);
  if (finished) state.finished_at = UtcTime{1'790'000'000'000 + index};
  return state;
}

inline StepOutcome outcome(std::string output, std::string request_sha256 = "abc") {
  StepOutcome step;
  step.prompt = "p";
  step.output = std::move(output);
  step.model = "fake";
  step.usage = {10, 5};
  step.cost = Money{2'000'000'000};
  step.request_sha256 = std::move(request_sha256);
  return step;
}

inline RecordState failed_state(std::int64_t index, std::vector<std::optional<StepOutcome>> steps,
                                const std::string& message = "gone") {
  RecordState state = record_state(index, std::move(steps));
  state.failure = RecordFailure{"q", ErrorKind::unavailable, message, 3};
  return state;
}

inline std::string record_lines(const JobId& job, const StepIds& ids, const std::vector<RecordState>& states) {
  std::string out;
  for (const RecordState& state : states) {
    append_record_line(out, job, ids, state);
    out += '\n';
  }
  return out;
}

inline std::string journal_lines(const StepIds& ids, const std::vector<RecordState>& states) {
  std::string out;
  for (const RecordState& state : states) {
    append_journal_line(out, ids, state);
    out += '\n';
  }
  return out;
}

inline std::string failure_lines(const StepIds& ids, const std::vector<RecordState>& states) {
  std::string out;
  for (const RecordState& state : states) {
    append_failure_line(out, ids, state);
    out += '\n';
  }
  return out;
}

}  // namespace palette::generate
