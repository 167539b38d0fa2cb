#include "http/field_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace palette::http {
namespace {

// RFC 9110 section 5.5: at any place of a value, among neighbours that are almost controls.
TEST(FieldRules, AControlCharacterIsFoundWhereverItStands) {
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        for (const char neighbour : {' ', 'x', '\x80', '\xff'}) {
          std::string value(size, neighbour);
          value[at] = static_cast<char>(byte);
          const bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
          ASSERT_EQ(sound_field("x-name", value), !is_control) << size << " bytes, " << byte << " at " << at;
        }
      }
    }
  }
  EXPECT_TRUE(sound_field("x-name", ""));
}

TEST(FieldRules, ANameIsAToken) {
  EXPECT_TRUE(sound_field("X-Amz-Date~!#$%&'*+.^_`|9", "v"));
  for (const char* name : {"", "a b", "a:b", "a\r\nb", "a\x7f", "\xc3\xa9", "(a)", "a\tb"}) {
    EXPECT_FALSE(sound_field(name, "v")) << name;
  }
}

}  // namespace
}  // namespace palette::http
