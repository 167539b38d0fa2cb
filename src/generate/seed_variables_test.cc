#include "generate/seed_variables.h"

#include "generate/test_support.h"

namespace palette::generate {
namespace {

using Path = std::vector<std::string>;

bool is_in(const char* row, const Path& path, bool exact) {
  return PathPresence::is_in(parse_json(row)->get_object(), path, exact);
}

TEST(SeedVariables, APathIsInTheRow) {
  const char* row = R"({"name":"Ada","none":null,"list":[1],"author":{"name":"x","address":{"city":"y"}}})";
  for (const bool exact : {false, true}) {
    EXPECT_TRUE(is_in(row, {"name"}, exact));
    EXPECT_TRUE(is_in(row, {"none"}, exact));
    EXPECT_TRUE(is_in(row, {"author", "name"}, exact));
    EXPECT_TRUE(is_in(row, {"author", "address", "city"}, exact));
    EXPECT_FALSE(is_in(row, {"other"}, exact));
    EXPECT_FALSE(is_in(row, {"other", "name"}, exact));
    EXPECT_FALSE(is_in(row, {"author", "other", "city"}, exact));
  }
}

TEST(SeedVariables, MethodsAndLastAttributesMayFollowInATemplateButNotInARequirement) {
  const char* row = R"({"name":"Ada","author":{"name":"x"}})";
  for (const Path& path :
       {Path{"name", "upper"}, Path{"author", "items"}, Path{"author", "born"}, Path{"author", "name", "upper"}}) {
    EXPECT_TRUE(is_in(row, path, false)) << path.back();
    EXPECT_FALSE(is_in(row, path, true)) << path.back();
  }
}

std::string findings(const std::string& steps, const std::string& seeds, const std::string& before_steps = "") {
  TestFolder folder;
  folder.write("seeds.jsonl", seeds);
  PreflightInput input;
  input.spool_dir = folder / "spool";
  input.job_file = folder.write("job.yaml", "model: offline/echo\nseed_data: seeds.jsonl\nnum_records: 3\ntemplate:\n" +
                                                before_steps + "  steps: " + steps + "\n");
  std::string out;
  for (const job::Diagnostic& finding : preflight(input).diagnostics.sorted()) {
    out += dataset::without_folder(finding.text(), input.job_file).substr(0, finding.text().find('\n')) + "\n";
  }
  return out;
}

TEST(SeedVariables, WhatEveryRowHasIsFine) {
  EXPECT_EQ(findings(R"([{id: q, prompt: "{{ word }} {{ seed_row.word }} {{ record_index }}"}])", "{\"word\":\"a\"}\n"),
            "");
}

TEST(Promise8, AVariableThatNoRowHasIsAnErrorWithItsPlaceAndTheNearestName) {
  const std::string told =
      findings(R"([{id: q, prompt: "about {{ instrution }}"}])", "{\"instruction\":\"a\"}\n{\"instruction\":\"b\"}\n");
  EXPECT_THAT(told, ::testing::StartsWith("job.yaml:5:"));
  EXPECT_THAT(told, ::testing::HasSubstr(
                        "error: template.steps[0].prompt: no seed row has 'instrution'; did you mean instruction?"));
}

TEST(Promise8, WithoutANearNameTheColumnsAreListed) {
  EXPECT_THAT(findings(R"([{id: q, prompt: "{{ zzz }}"}])", "{\"alpha\":1,\"beta\":2}\n"),
              ::testing::HasSubstr("no seed row has 'zzz'; the rows have alpha, beta"));
}

TEST(SeedVariables, AVariableThatSomeRowsLackIsAWarning) {
  const std::string told = findings(R"([{id: q, prompt: "{{ a }}"}])", "{\"a\":1}\n{\"b\":1}\n{\"b\":1}\n");
  EXPECT_THAT(told, ::testing::HasSubstr("warning: "));
  EXPECT_THAT(told, ::testing::HasSubstr("2 of 3 seed rows lack 'a' (the first is row 2); it is empty there"));
}

TEST(SeedVariables, AGuardedVariableMayBeMissing) {
  EXPECT_EQ(
      findings(R"([{id: q, prompt: "{{ a | default('x') }}{% if b is defined %}{{ b }}{% endif %}"}])", "{\"c\":1}\n"),
      "");
}

TEST(Promise8, SchemaRequirementsMustBeInEveryRow) {
  const std::string told =
      findings(R"([{id: q, prompt: hello}])", "{\"author\":{\"name\":\"x\"}}\n{\"author\":\"x\"}\n",
               "  schema_requirements: [author, author.name]\n");
  EXPECT_THAT(told, ::testing::HasSubstr(
                        "error: template.schema_requirements[1]: 1 of 2 seed rows lack 'author.name', which the "
                        "template requires (the first is row 2)"));
  EXPECT_THAT(told, ::testing::Not(::testing::HasSubstr("schema_requirements[0]")));
}

TEST(SeedVariables, AColumnThatTheTemplatesCannotSeeIsAWarning) {
  EXPECT_THAT(findings(R"([{id: q, prompt: hello}])", "{\"steps\":1}\n"),
              ::testing::HasSubstr(
                  "the seed rows have 'steps', which templates cannot see under that name; say seed_row.steps"));
}

}  // namespace
}  // namespace palette::generate
