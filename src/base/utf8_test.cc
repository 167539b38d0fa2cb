#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace palette {
namespace {

constexpr std::size_t kValid = std::string_view::npos;

// RFC 3629 section 4, every boundary of the table.
TEST(Utf8, FindsTheFirstInvalidByte) {
  const struct {
    std::string_view text;
    std::size_t at;
  } cases[] = {
      {"", kValid},
      {"plain ascii that is longer than a word", kValid},
      {"\x7f", kValid},
      {"\x80", 0},
      {"\xc1\xbf", 0},  // overlong
      {"\xc2\x80", kValid},
      {"\xdf\xbf", kValid},
      {"\xe0\x9f\xbf", 0},  // overlong
      {"\xe0\xa0\x80", kValid},
      {"\xed\x9f\xbf", kValid},
      {"\xed\xa0\x80", 0},  // a surrogate
      {"\xee\x80\x80", kValid},
      {"\xef\xbf\xbf", kValid},
      {"\xf0\x8f\xbf\xbf", 0},  // overlong
      {"\xf0\x90\x80\x80", kValid},
      {"\xf4\x8f\xbf\xbf", kValid},
      {"\xf4\x90\x80\x80", 0},  // above U+10FFFF
      {"\xf5\x80\x80\x80", 0},
      {"\xff", 0},
      {"abc\xc3", 3},
      {"abc\xe2\x82", 3},
      {"abc\xf0\x9f\x98", 3},
      {"\xe2\x82q", 0},
      {"\xf0\x9f\x98q", 0},
      {"12345678\xff", 8},
      {"1234567\xc3\xa9 and on\x80", 16},
  };
  for (const auto& c : cases) EXPECT_EQ(find_invalid_utf8(c.text), c.at) << c.text;
}

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(count_code_points(""), 0u);
  EXPECT_EQ(count_code_points("aé€😀"), 4u);
}

TEST(Utf8, PrefixNeverCutsACodePoint) {
  const std::string text = "aé€😀b";  // starts at 0, 1, 3, 6, 10
  const std::size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t bytes = 0; bytes < std::size(ends); ++bytes) {
    EXPECT_EQ(utf8_prefix(text, bytes).size(), ends[bytes]) << bytes;
  }
}

}  // namespace
}  // namespace palette
