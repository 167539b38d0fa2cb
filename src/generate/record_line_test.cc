#include "generate/record_line.h"

#include "generate/test_support.h"

namespace palette::generate {
namespace {

const StepIds kSteps = {"question", "generation_result", "answer"};

std::string line_of(const std::string& job, const RecordState& state) {
  std::string line;
  append_record_line(line, JobId{job}, kSteps, state);
  return line;
}

TEST(RecordLine, IsCutIntoItsMembers) {
  const RecordState state = record_state(7, {outcome("x"), std::nullopt, std::nullopt});
  const std::string line = line_of("j", state);
  const Result<RecordLine> parts = split_record_line(line);
  ASSERT_TRUE(parts) << error_text(parts);
  EXPECT_EQ(parts->id, "j-7");
  EXPECT_EQ(parts->job_id, "j");
  EXPECT_EQ(parts->timestamp, state.finished_at->to_iso());
  EXPECT_EQ(parts->seed_data_keys, "7");
  EXPECT_EQ(parts->generation_result,
            R"({"question":{"prompt":"p","output":"x","model":"fake","usage":{"input_tokens":10,"output_tokens":5},)"
            R"("cost_usd":0.002}})");
}

// Whatever a text holds, the members are those that a JSON parser finds.
TEST(RecordLine, AwkwardContentIsCutAsAParserWould) {
  const std::string texts[] = {"",
                               "line\nline\r\n",
                               "\"",
                               "\\\"",
                               "\\",
                               "}}",
                               "{\"id\":\"j-1\"}",
                               ",\"generation_result\":{",
                               "\",\"seed_data_keys\":7,\"generation_result\":{}}",
                               "é \u2028 \x01 \x7f"};
  for (const std::string& text : texts) {
    for (const std::size_t step : {0u, 1u, 2u}) {
      StepOutcome out = outcome(text);
      out.prompt = out.model = text;
      RecordState state = record_state(12, {{}, {}, {}});
      state.steps[step] = out;
      state.seed_data_keys.clear();
      append_json_string(state.seed_data_keys, text);
      const std::string line = line_of("j-1", state);
      const Result<Json> json = parse_json(line);
      ASSERT_TRUE(json) << line;
      const Result<RecordLine> parts = split_record_line(line);
      ASSERT_TRUE(parts) << line;
      EXPECT_EQ(parts->id, "j-1-12");
      EXPECT_EQ(parse_json(parts->seed_data_keys).value(), json->at("seed_data_keys"));
      EXPECT_EQ(parse_json(parts->generation_result).value(), json->at("generation_result"));

      const auto steps = read_generation_result(json->at("generation_result").get_object(), kSteps);
      ASSERT_TRUE(steps) << error_text(steps);
      ASSERT_EQ(steps->size(), 3u);
      for (std::size_t i = 0; i < 3; ++i) ASSERT_EQ((*steps)[i].has_value(), i == step);
      EXPECT_EQ((*steps)[step]->output, text);
      EXPECT_EQ((*steps)[step]->prompt, text);
      EXPECT_EQ((*steps)[step]->model, text);
    }
  }
}

TEST(RecordLine, KeysAreNumbersOfAnyKind) {
  for (const char* keys : {"0", "-3", "1.5e300", "18446744073709551615"}) {
    RecordState state = record_state(1, {outcome("x"), {}, {}});
    state.seed_data_keys = keys;
    const std::string line = line_of("j", state);
    const Result<RecordLine> parts = split_record_line(line);
    ASSERT_TRUE(parts) << line;
    EXPECT_EQ(parts->seed_data_keys, keys);
  }
}

TEST(RecordLine, ARecordWithoutAStepHasAnEmptyResult) {
  const std::string line = line_of("j", record_state(1, {{}, {}, {}}));
  EXPECT_EQ(split_record_line(line).value().generation_result, "{}");
}

TEST(RecordLine, AnythingElseIsCorrupt) {
  const std::string good = line_of("j", record_state(7, {outcome("x"), {}, {}}));
  // The last two braces are the end of a step and of its object too: a cut right before the last is not noticed here.
  for (std::size_t size = 0; size < good.size() - 2; ++size) {
    const Result<RecordLine> cut = split_record_line(std::string_view(good).substr(0, size));
    if (cut) EXPECT_FALSE(parse_json(cut->generation_result)) << size;
    if (!cut) EXPECT_EQ(cut.error().kind, ErrorKind::corrupt) << size;
  }
  for (const char* line : {"{}", "[]", R"({"job_id":"j","id":"j-1"})", R"({"index":1})"}) {
    EXPECT_EQ(split_record_line(line).error().kind, ErrorKind::corrupt) << line;
  }
}

TEST(RecordLine, AStepThatCannotBeReadIsCorrupt) {
  for (const char* text :
       {R"({"answer":7})", R"({"answer":{"output":"o","model":"m"}})",
        R"({"answer":{"prompt":"p","output":1,"model":"m"}})", R"({"answer":{"prompt":"p","output":"o"}})"}) {
    const auto steps = read_generation_result(parse_json(text)->get_object(), kSteps);
    ASSERT_FALSE(steps) << text;
    EXPECT_EQ(steps.error().kind, ErrorKind::corrupt) << text;
  }
  EXPECT_TRUE(read_generation_result(parse_json(R"({"other":7})")->get_object(), kSteps));
}

}  // namespace
}  // namespace palette::generate
