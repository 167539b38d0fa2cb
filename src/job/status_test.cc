#include "job/status.h"

#include <gtest/gtest.h>

#include "job/output_format.h"

namespace palette::job {
namespace {

TEST(JobStatus, NamesReadBackAndKnowTheirEnd) {
  const struct {
    JobStatus status;
    const char* name;
    bool terminal;
  } cases[] = {{JobStatus::queued, "QUEUED", false},      {JobStatus::running, "RUNNING", false},
               {JobStatus::completed, "COMPLETED", true}, {JobStatus::failed, "FAILED", true},
               {JobStatus::cancelled, "CANCELLED", true}, {JobStatus::budget_exceeded, "BUDGET_EXCEEDED", true}};
  for (const auto& c : cases) {
    EXPECT_EQ(to_string(c.status), c.name);
    EXPECT_EQ(*job_status_from(c.name), c.status);
    EXPECT_EQ(is_terminal(c.status), c.terminal) << c.name;
  }
  EXPECT_EQ(job_status_from("completed").error(),
            (Error{ErrorKind::corrupt, "'completed' is not the status of a job"}));
}

TEST(OutputFormat, IsKnownInAnyCase) {
  EXPECT_EQ(output_format_from("JSONL"), OutputFormat::jsonl);
  EXPECT_EQ(output_format_from("Parquet"), OutputFormat::parquet);
  EXPECT_EQ(output_format_from("csv"), OutputFormat::csv);
  EXPECT_EQ(output_format_from("json"), std::nullopt);
  EXPECT_EQ(output_format_from(""), std::nullopt);
  EXPECT_EQ(to_string(OutputFormat::parquet), "PARQUET");
  EXPECT_EQ(extension(OutputFormat::parquet), "parquet");
}

}  // namespace
}  // namespace palette::job
