#include "generate/record.h"

#include "generate/record_line.h"
#include "generate/test_support.h"

namespace palette::generate {
namespace {

const JobId kJob{"kitchen-1"};
const StepIds kSteps = {"question", "fragment", "answer"};

// Everything that must be escaped, and a step that stays empty.
RecordState awkward_state() {
  StepOutcome question = outcome("say \"hi\"\nand \\ \x01 é \u2028");
  question.prompt = "p\t\"";
  question.model = "offline/echo?latency_ms=1";
  question.usage = {12, 3};
  question.cost = Money{12'300'000'000};
  StepOutcome answer = outcome("");
  answer.cost = Money{};
  RecordState state = record_state(17, {question, std::nullopt, answer});
  state.seed_data_keys = R"("a\"b")";
  state.finished_at = *UtcTime::from_iso("2026-11-23T10:00:00.123Z");
  return state;
}

template <class Append>
std::string line_of(Append append) {
  std::string out = "before ";
  append(out);
  EXPECT_TRUE(out.starts_with("before ")) << "a line is appended";
  return out.substr(7);
}

void expect_same_steps(const RecordState& a, const RecordState& b) {
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    ASSERT_EQ(a.steps[i].has_value(), b.steps[i].has_value()) << i;
    if (!a.steps[i]) continue;
    EXPECT_EQ(a.steps[i]->prompt, b.steps[i]->prompt);
    EXPECT_EQ(a.steps[i]->output, b.steps[i]->output);
    EXPECT_EQ(a.steps[i]->model, b.steps[i]->model);
    EXPECT_EQ(a.steps[i]->usage, b.steps[i]->usage);
    EXPECT_EQ(a.steps[i]->cost, b.steps[i]->cost);
    EXPECT_EQ(a.steps[i]->tries, b.steps[i]->tries);
    EXPECT_EQ(a.steps[i]->request_sha256, b.steps[i]->request_sha256);
  }
}

TEST(Record, LineIsExactlyThis) {
  const std::string line = line_of([](std::string& out) { append_record_line(out, kJob, kSteps, awkward_state()); });
  EXPECT_EQ(line,
            R"({"id":"kitchen-1-17","job_id":"kitchen-1","timestamp":"2026-11-23T10:00:00.123Z",)"
            R"("seed_data_keys":"a\"b","generation_result":{)"
            R"("question":{"prompt":"p\t\"","output":"say \"hi\"\nand \\ \u0001 é )"
            "\u2028"
            R"(","model":"offline/echo?latency_ms=1","usage":{"input_tokens":12,"output_tokens":3},"cost_usd":0.0123},)"
            R"("answer":{"prompt":"p","output":"","model":"fake","usage":{"input_tokens":10,"output_tokens":5},)"
            R"("cost_usd":0}}})");
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_TRUE(parse_json(line));
}

TEST(Record, JournalLineIsExactlyThis) {
  const RecordState state = record_state(3, {outcome("x"), std::nullopt, std::nullopt}, false);
  EXPECT_EQ(
      line_of([&](std::string& out) { append_journal_line(out, kSteps, state); }),
      R"({"record":3,"seed_data_keys":3,"steps":{"question":{"request":"abc","tries":1,"prompt":"p","output":"x",)"
      R"("model":"fake","usage":{"input_tokens":10,"output_tokens":5},"cost_usd":0.002}}})");
}

TEST(Record, FailureLineIsExactlyThis) {
  RecordState state = failed_state(4, {outcome("x"), std::nullopt, std::nullopt}, "no \"answer\"");
  state.failure->unused.push_back({"q", "fake", {7, 3}, Money{1'000'000'000}});  // and 0.002 of the step that is done
  state.finished_at = *UtcTime::from_iso("2026-11-23T10:00:00.123Z");
  EXPECT_EQ(
      line_of([&](std::string& out) { append_failure_line(out, kSteps, state); }),
      R"({"index":4,"timestamp":"2026-11-23T10:00:00.123Z","seed_data_keys":4,"step":"q",)"
      R"("error":{"kind":"unavailable","message":"no \"answer\""},"tries":3,)"
      R"("unused":[{"step":"q","model":"fake","usage":{"input_tokens":7,"output_tokens":3},"cost_usd":0.001}],"cost_usd":0.003,)"
      R"("steps":{"question":{"request":"abc","tries":1,"prompt":"p","output":"x","model":"fake",)"
      R"("usage":{"input_tokens":10,"output_tokens":5},"cost_usd":0.002}}})");
}

TEST(Record, JournalLineIsReadBack) {
  RecordState states[] = {awkward_state(), awkward_state(), record_state(0, {{}, {}, {}}, false)};
  states[0].steps[0]->tries = 4;
  states[0].steps[0]->booked = true;
  states[0].round = 3;
  states[1].failure = RecordFailure{"answer",
                                    ErrorKind::truncated,
                                    "cut\nshort",
                                    2,
                                    {{"answer", "fake", {7, 3, 2, 1}, Money{5}}, {"a", "b", {}, Money{1}}}};
  for (const RecordState& state : states) {
    const std::string line = line_of([&](std::string& out) { append_journal_line(out, kSteps, state); });
    const Result<RecordState> read = parse_journal_line(line, kSteps);
    ASSERT_TRUE(read) << error_text(read);
    EXPECT_EQ(read->index, state.index);
    EXPECT_EQ(read->seed_data_keys, state.seed_data_keys);
    EXPECT_EQ(read->finished_at, state.finished_at);
    EXPECT_EQ(read->succeeded(), state.succeeded());
    ASSERT_EQ(read->failure.has_value(), state.failure.has_value());
    if (state.failure) {
      EXPECT_EQ(read->failure->step, "answer");
      EXPECT_EQ(read->failure->kind, ErrorKind::truncated);
      EXPECT_EQ(read->failure->message, "cut\nshort");
      EXPECT_EQ(read->failure->tries, 2);
      EXPECT_EQ(read->failure->unused, state.failure->unused);
    }
    EXPECT_EQ(read->round, state.round);
    if (state.steps[0]) EXPECT_EQ(read->steps[0]->booked, state.steps[0]->booked);
    expect_same_steps(*read, state);
  }
}

TEST(Record, FailureLineIsReadBack) {
  RecordState state = failed_state(9, {outcome("x"), std::nullopt, std::nullopt});
  const std::string line = line_of([&](std::string& out) { append_failure_line(out, kSteps, state); });
  const Result<RecordState> read = parse_journal_line(line, kSteps);
  ASSERT_TRUE(read) << error_text(read);
  EXPECT_EQ(read->index.value, 9);
  EXPECT_EQ(read->finished_at, state.finished_at);
  ASSERT_TRUE(read->failure);
  EXPECT_EQ(read->failure->kind, ErrorKind::unavailable);
  EXPECT_EQ(read->failure->tries, 3);
  expect_same_steps(*read, state);
}

TEST(Promise4, TheCostOfAnswersThatWereNotUsedIsReadBack) {
  RecordState state = failed_state(9, {outcome("x"), std::nullopt, std::nullopt});
  state.failure->unused.push_back({"q", "fake", {}, Money{7}});
  const std::string journal = line_of([&](std::string& out) { append_journal_line(out, kSteps, state); });
  const std::string failure = line_of([&](std::string& out) { append_failure_line(out, kSteps, state); });
  EXPECT_EQ(parse_journal_line(journal, kSteps).value().failure->unused_cost(), Money{7});
  EXPECT_EQ(parse_journal_line(failure, kSteps).value().failure->unused_cost(), Money{7});
}

TEST(Record, StepsThatTheJobDoesNotHaveAreSkipped) {
  const std::string line =
      line_of([&](std::string& out) { append_journal_line(out, {"old", "x", "answer"}, awkward_state()); });
  const Result<RecordState> read = parse_journal_line(line, kSteps);
  ASSERT_TRUE(read) << error_text(read);
  EXPECT_FALSE(read->steps[0]);
  EXPECT_FALSE(read->steps[1]);
  EXPECT_TRUE(read->steps[2]);
}

TEST(Promise6, ABrokenJournalLineIsCorrupt) {
  const std::string step = R"("question":{"request":"a","tries":1,"prompt":"p","output":"o","model":"m",)"
                           R"("usage":{"input_tokens":1,"output_tokens":2},"cost_usd":0.5})";
  const std::string good = R"({"record":3,"seed_data_keys":3,"timestamp":"2026-11-23T10:00:00Z","step":"question",)"
                           R"("error":{"kind":"timeout","message":"late"},"tries":2,"steps":{)" +
                           step + "}}";
  ASSERT_TRUE(parse_journal_line(good, kSteps)) << error_text(parse_journal_line(good, kSteps));
  const std::pair<std::string, std::string> edits[] = {
      {"\"record\":3", "\"record\":-1"},
      {"\"record\":3", "\"record\":\"3\""},
      {"\"record\":3,", ""},
      {"\"seed_data_keys\":3,", ""},
      {"\"steps\":", "\"step_s\":"},
      {"2026-11-23T10:00:00Z", "now"},
      {"\"2026-11-23T10:00:00Z\"", "7"},
      {"\"step\":\"question\",", ""},
      {"\"kind\":\"timeout\",", ""},
      {",\"message\":\"late\"", ""},
      {"{\"kind\":\"timeout\",\"message\":\"late\"}", "\"late\""},
      {"\"tries\":2,", ""},
      {step, "\"question\":7"},
      {"\"request\":\"a\",", ""},
      {"\"tries\":1,", ""},
      {"\"prompt\":\"p\",", ""},
      {"\"output\":\"o\",", "\"output\":1,"},
      {"\"model\":\"m\",", ""},
      {"\"input_tokens\":1", "\"input_tokens\":\"1\""},
      {",\"output_tokens\":2", ""},
      {",\"cost_usd\":0.5", ""},
      {"\"cost_usd\":0.5", "\"cost_usd\":\"x\""},
  };
  for (const auto& [from, to] : edits) {
    std::string text = good;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    const Result<RecordState> read = parse_journal_line(text, kSteps);
    ASSERT_FALSE(read) << from << " -> " << to;
    EXPECT_EQ(read.error().kind, ErrorKind::corrupt) << to;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {  // cut anywhere
    EXPECT_EQ(parse_journal_line(good.substr(0, size), kSteps).error().kind, ErrorKind::corrupt) << size;
  }
}

TEST(Record, IndexOfLine) {
  EXPECT_EQ(index_of_line(R"({"id":"kitchen-1-17","job_id":…)", kJob)->value, 17);
  EXPECT_EQ(index_of_line(R"({"id":"kitchen-1-0","job_id":…)", kJob)->value, 0);
  EXPECT_EQ(index_of_line(R"({"index":4,"timestamp":…)", kJob)->value, 4);
  for (const char* line : {"", "{}", "[1]", R"({"id":"kitchen-2-17",)", R"({"id":"kitchen-1-",)",
                           R"({"id":"kitchen-1--1",)", R"({"id":"kitchen-1-x",)", R"({"index":-1,)", R"({"index":"1",)",
                           R"({"record":1,)", R"({"id":"kitchen-1-99999999999999999999",)"}) {
    const Result<RecordIndex> index = index_of_line(line, kJob);
    ASSERT_FALSE(index) << line;
    EXPECT_EQ(index.error().kind, ErrorKind::corrupt) << line;
  }
}

// "kitchen" must not read a record of "kitchen-1" as its own.
TEST(Record, IndexOfLineOfAJobWhoseIdBeginsAlike) {
  EXPECT_FALSE(index_of_line(R"({"id":"kitchen-1-17","job_id":"kitchen-1",)", JobId{"kitchen"}));
  EXPECT_FALSE(index_of_line(R"({"id":"kitchen-1-17a","job_id":…)", kJob));
  EXPECT_FALSE(index_of_line(R"({"index":4.5,"timestamp":…)", kJob));
}

}  // namespace
}  // namespace palette::generate
