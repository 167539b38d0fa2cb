#include "generate/lines.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace palette::generate {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  for (std::string_view line : Lines(text)) out.emplace_back(line);
  return out;
}

TEST(Lines, AreWithoutTheirNewlines) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(lines_of(""), Texts{});
  EXPECT_EQ(lines_of("a"), Texts{"a"});
  EXPECT_EQ(lines_of("a\n"), Texts{"a"});
  EXPECT_EQ(lines_of("a\nbc"), (Texts{"a", "bc"}));
  EXPECT_EQ(lines_of("a\nbc\n"), (Texts{"a", "bc"}));
}

TEST(Lines, AnEmptyLineInTheMiddleIsOne) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(lines_of("\n"), Texts{""});
  EXPECT_EQ(lines_of("a\n\nb\n"), (Texts{"a", "", "b"}));
  EXPECT_EQ(lines_of("a\n\n"), (Texts{"a", ""}));
}

TEST(Lines, OtherLineEndsStay) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(lines_of("a\r\nb\u2028c\n"), (Texts{"a\r", "b\u2028c"}));
  EXPECT_EQ(lines_of(std::string_view("a\0b\n", 4)), Texts{std::string("a\0b", 3)});
}

}  // namespace
}  // namespace palette::generate
