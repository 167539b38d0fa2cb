#include "base/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/limits.h"
#include "base/random.h"

namespace palette {
namespace {

std::string round_trip(std::string_view text) {
  const Result<Json> json = parse_json(text);
  return json ? to_json_text(*json) : json.error().text();
}

TEST(Json, PrintsCompactlyAndKeepsTheOrderOfKeys) {
  EXPECT_EQ(round_trip(R"( {"b": 1, "a": [true, null, "x"], "c": {}} )"), R"({"b":1,"a":[true,null,"x"],"c":{}})");
  EXPECT_EQ(round_trip("[]"), "[]");
  EXPECT_EQ(round_trip("\"\""), "\"\"");
}

// Eight bytes are looked at in one step: each value of a byte stands at each place of such a step, between neighbours
// that a wrong carry would touch.
TEST(Json, StringsAreEscapedAtEveryOffset) {
  const auto escaped = [](unsigned char c) -> std::string {
    static constexpr std::string_view kShort = "\"\\\n\r\t\b\f", kLetters = "\"\\nrtbf";
    if (const std::size_t at = kShort.find(static_cast<char>(c)); at != kShort.npos) return {'\\', kLetters[at]};
    if (c >= 0x20) return {static_cast<char>(c)};
    static constexpr char kHex[] = "0123456789abcdef";
    return {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
  };
  for (const std::string around : {" ", "!", "#", "[", "]", "x", "\x7f", "\x80", "\xff", "\"", "\\", "\n"}) {
    const auto repeated = [&](std::size_t times) {
      std::string text;
      for (std::size_t i = 0; i < times; ++i) text += around;
      return text;
    };
    const std::string around_escaped = escaped(static_cast<unsigned char>(around[0]));
    for (int c = 0; c < 256; ++c) {
      for (std::size_t before = 0; before < 18; ++before) {
        for (const std::size_t after : {0, 1, 7, 8, 17}) {
          std::string wanted = "\"", out;
          for (std::size_t i = 0; i < before; ++i) wanted += around_escaped;
          wanted += escaped(static_cast<unsigned char>(c));
          for (std::size_t i = 0; i < after; ++i) wanted += around_escaped;
          append_json_string(out, repeated(before) + static_cast<char>(c) + repeated(after));
          ASSERT_EQ(out, wanted + '"') << "byte " << c << " after " << before << " of byte " << int{around[0]};
        }
      }
    }
  }
}

TEST(Json, KeepsTheThreeKindsOfNumber) {
  EXPECT_EQ(round_trip("[1, 1.0, -0, -0.0, 1e2, 9223372036854775807, 18446744073709551615]"),
            "[1,1.0,0,-0.0,100.0,9223372036854775807,18446744073709551615]");
  EXPECT_TRUE(parse_json("9223372036854775807")->is_int64());
  EXPECT_TRUE(parse_json("9223372036854775808")->is_uint64());
  EXPECT_TRUE(parse_json("1.0")->is_double());
}

TEST(Json, DoublesReadBackTheSame) {
  CounterRandom random(3, 0, stream_of("json"));
  for (int i = 0; i < 200'000; ++i) {
    // Any bit pattern, and numbers as people write them.
    double value = std::bit_cast<double>(random.next());
    if (i % 2 == 0) value = static_cast<double>(random.below(1'000'000'000)) / 1e5;
    if (!std::isfinite(value)) continue;
    std::string text;
    append_double(text, value);
    const Result<Json> back = parse_json(text);
    ASSERT_TRUE(back) << text;
    ASSERT_TRUE(back->is_double()) << text;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back->get_double()), std::bit_cast<std::uint64_t>(value)) << text;
  }
}

TEST(Json, DoublesPrintWithTheFewestDigits) {
  const auto print = [](double value) {
    std::string out;
    append_double(out, value);
    return out;
  };
  EXPECT_EQ(print(0.1), "0.1");
  EXPECT_EQ(print(1), "1.0");
  EXPECT_EQ(print(1e22), "1e+22");
  EXPECT_EQ(print(5e-324), "5e-324");
  EXPECT_EQ(print(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(print(-std::numeric_limits<double>::infinity()), "null");
}

TEST(Json, EscapesWhatMustBeEscapedAndNothingElse) {
  std::string out;
  append_json_string(out, std::string_view("a\"\\\n\r\t\b\f\x01\x1f\x7f/é€😀\0z", 22));
  EXPECT_EQ(out, R"("a\"\\\n\r\t\b\f\u0001\u001f)"
                 "\x7f/é€😀\\u0000\"");
  EXPECT_EQ(round_trip(out), out);
}

TEST(Json, ErrorsNameLineAndColumn) {
  EXPECT_EQ(round_trip("{\"a\": 1,\n \"b\": x}").substr(0, 35), "line 2:7: this is not valid JSON: s");
  for (const char* text : {"", " ", "{", "[1,]", "{'a':1}", "01", "1 2", "nul", "\"\\x\"", "\"\n\"", "\xff", "\"\xc3\"",
                           "[1] x", "NaN", "-", "1.", "\"\\ud800\""}) {
    const Result<Json> json = parse_json(text);
    ASSERT_FALSE(json) << text;
    EXPECT_EQ(json.error().kind, ErrorKind::bad_input);
    EXPECT_GE(json.error().line, 1u);
    EXPECT_GE(json.error().column, 1u);
  }
}

TEST(Json, NumbersBeyondADoubleAreErrors) {
  EXPECT_FALSE(parse_json("1e400"));
  EXPECT_FALSE(parse_json("[-1e999]"));
  EXPECT_FALSE(parse_json(std::string(400, '9')));
  EXPECT_EQ(round_trip("1e-400"), "0.0");
}

TEST(Json, DepthIsLimited) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(limits::kJsonDepth)));
  EXPECT_FALSE(parse_json(nested(limits::kJsonDepth + 1)));
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
}

TEST(Json, NamesItsKinds) {
  EXPECT_EQ(json_kind_name(nullptr), "null");
  EXPECT_EQ(json_kind_name(true), "a boolean");
  EXPECT_EQ(json_kind_name(1), "an integer");
  EXPECT_EQ(json_kind_name(1.5), "a number");
  EXPECT_EQ(json_kind_name("x"), "a string");
  EXPECT_EQ(json_kind_name(JsonArray{}), "a list");
  EXPECT_EQ(json_kind_name(JsonObject{}), "an object");
}

TEST(Json, MembersOfOurOwnObjectsAreCheckedForTheirKind) {
  const JsonObject object{{"s", "x"}, {"n", 3}, {"o", JsonObject{{"k", 1}}}, {"d", 1.5}};
  EXPECT_EQ(*json_string(object, "s"), "x");
  EXPECT_EQ(*json_int(object, "n"), 3);
  EXPECT_EQ((*json_object(object, "o"))->size(), 1u);
  EXPECT_EQ(json_string(object, "n").error().message, "'n' is missing or is not a string");
  EXPECT_EQ(json_int(object, "d").error().message, "'d' is missing or is not an integer");
  EXPECT_EQ(json_object(object, "absent").error(),
            (Error{ErrorKind::corrupt, "'absent' is missing or is not an object"}));
}

}  // namespace
}  // namespace palette
