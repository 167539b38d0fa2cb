#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace palette {
namespace {

TEST(Result, EveryKindHasANameOfItsOwnThatReadsBack) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorKind::internal); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    names.insert(to_string(kind));
    EXPECT_EQ(error_kind_from(to_string(kind)), kind);
  }
  EXPECT_EQ(names.size(), 21u);
  EXPECT_EQ(to_string(ErrorKind::bad_input), "bad_input");
  EXPECT_EQ(to_string(ErrorKind::already_exists), "already_exists");
  EXPECT_EQ(to_string(ErrorKind::fenced), "fenced");
  EXPECT_EQ(to_string(ErrorKind::internal), "internal");
  EXPECT_EQ(error_kind_from("no such kind"), ErrorKind::internal);
}

TEST(Result, TextNamesThePlaceFirst) {
  EXPECT_EQ((Error{ErrorKind::io, "it broke"}).text(), "it broke");
  EXPECT_EQ((Error{ErrorKind::io, "it broke", "job.yaml"}).text(), "job.yaml: it broke");
  EXPECT_EQ((Error{ErrorKind::io, "it broke", "job.yaml", 12}).text(), "job.yaml:12: it broke");
  EXPECT_EQ((Error{ErrorKind::io, "it broke", "job.yaml", 12, 3}).text(), "job.yaml:12:3: it broke");
  EXPECT_EQ((Error{ErrorKind::io, "it broke", "", 12, 3}).text(), "line 12:3: it broke");
}

TEST(Result, AtKeepsAPlaceThatIsKnown) {
  EXPECT_EQ((Error{ErrorKind::io, "m"}).at("a").where, "a");
  EXPECT_EQ((Error{ErrorKind::io, "m", "b"}).at("a").where, "b");
}

TEST(Result, SystemErrorsSayWhatToDoByTheirKind) {
  EXPECT_EQ(system_error("open", "x.csv", ENOENT),
            (Error{ErrorKind::not_found, "open: No such file or directory", "x.csv"}));
  EXPECT_EQ(system_error("open", "x", EACCES).kind, ErrorKind::denied);
  EXPECT_EQ(system_error("open", "x", EROFS).kind, ErrorKind::denied);
  EXPECT_EQ(system_error("open", "x", EEXIST).kind, ErrorKind::already_exists);
  EXPECT_EQ(system_error("write", "x", ENOSPC), (Error{ErrorKind::io, "write: No space left on device", "x"}));
}

}  // namespace
}  // namespace palette
