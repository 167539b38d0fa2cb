#include "job/diagnostics.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace palette::job {
namespace {

TEST(Diagnostics, TextNamesFileLineColumnAndField) {
  Diagnostics diagnostics;
  diagnostics.error("job.yaml", Mark{3, 7}, "num_records", "found 0; an integer is allowed", "  x\n  ^");
  diagnostics.warning("job.yaml", Mark{0, 0}, "", "be careful");
  EXPECT_EQ(diagnostics.all()[0].text(), "job.yaml:3:7: error: num_records: found 0; an integer is allowed\n  x\n  ^");
  EXPECT_EQ(diagnostics.all()[1].text(), "job.yaml: warning: be careful");
}

TEST(Diagnostics, WarningsAloneAreOk) {
  Diagnostics diagnostics;
  EXPECT_TRUE(diagnostics.ok());
  diagnostics.warning("job.yaml", Mark{1, 1}, "", "be careful");
  EXPECT_TRUE(diagnostics.ok());
  diagnostics.error(Error{ErrorKind::bad_input, "broken", "job.yaml", 2, 5});
  EXPECT_FALSE(diagnostics.ok());
  EXPECT_EQ(diagnostics.all()[1].text(), "job.yaml:2:5: error: broken");
}

TEST(Diagnostics, SortedByPlaceAndEachToldOnce) {
  Diagnostics diagnostics;
  diagnostics.error("b.yaml", Mark{1, 1}, "", "four");
  diagnostics.error("a.yaml", Mark{10, 1}, "", "three");
  diagnostics.warning("a.yaml", Mark{2, 9}, "", "two");
  diagnostics.error("a.yaml", Mark{2, 5}, "", "one");
  diagnostics.error("a.yaml", Mark{2, 5}, "", "one");
  std::string order;
  for (const Diagnostic& d : diagnostics.sorted()) order += d.message + " ";
  EXPECT_EQ(order, "one two three four ");
}

TEST(Diagnostics, TooManyAreCountedAndNotKept) {
  Diagnostics diagnostics;
  for (std::size_t i = 0; i < limits::kDiagnosticsMax + 3; ++i) {
    diagnostics.warning("job.yaml", Mark{static_cast<std::uint32_t>(i + 10), 1}, "", "be careful");
  }
  EXPECT_FALSE(diagnostics.full());
  EXPECT_TRUE(diagnostics.ok());
  diagnostics.error("job.yaml", Mark{1, 1}, "", "broken");  // warnings do not crowd it out
  EXPECT_FALSE(diagnostics.ok());
  const std::vector<Diagnostic> sorted = diagnostics.sorted();
  EXPECT_EQ(sorted.size(), limits::kDiagnosticsMax + 2);
  EXPECT_EQ(sorted.front().message, "broken");
  EXPECT_EQ(sorted.back().text(), "job.yaml: warning: 3 more were found that are not told; mend these first");
}

}  // namespace
}  // namespace palette::job
