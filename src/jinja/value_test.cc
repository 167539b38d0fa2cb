#include "jinja/value.h"

#include <gtest/gtest.h>

#include "jinja/unicode.h"
#include "jinja/with_members.h"

namespace palette::jinja {
namespace {

TEST(Value, FactoriesCannotBeConfused) {
  EXPECT_TRUE(Value::of(true).is_bool());
  EXPECT_TRUE(Value::of(1).is_int());
  EXPECT_TRUE(Value::of(std::int64_t{1} << 40).is_int());
  EXPECT_TRUE(Value::of(1.5).is_double());
  EXPECT_TRUE(Value::of("text").is_string());
  EXPECT_TRUE(Value::of(std::string("text")).is_string());
  EXPECT_TRUE(Value().is_undefined());
  EXPECT_TRUE(Value::none().is_none());
}

TEST(Value, RoundTripsJson) {
  Json json = parse_json(R"({"b":[1,2.0,null,true,"é"],"a":{"x":{}}})").value();
  EXPECT_EQ(to_json_text(Value::from_json(json).to_json()), to_json_text(json));
}

TEST(Value, PrintsAsPython) {
  Value value = Value::map({{"a", Value::list({Value::of(1), Value::of(2.0), Value::none(), Value::of("it's")})}});
  EXPECT_EQ(value.to_text(), "{'a': [1, 2.0, None, \"it's\"]}");
  EXPECT_EQ(Value::of("plain").to_text(), "plain");
  EXPECT_EQ(Value().to_text(), "");
  EXPECT_EQ(Value::of(1e22).to_text(), "1e+22");
  EXPECT_EQ(Value::of(123456789012345680.0).to_text(), "1.2345678901234568e+17");
  EXPECT_EQ(Value::tuple({Value::of(1)}).to_text(), "(1,)");
}

TEST(Value, MapKeepsOrderAndFindsAmongMany) {
  std::vector<std::pair<std::string, Value>> members;
  for (int i = 0; i < 100; ++i) members.emplace_back("key" + std::to_string(i), Value::of(i));
  members.emplace_back("key7", Value::of(-7));
  Value map = Value::map(members);
  EXPECT_EQ(map.size(), 100U);
  EXPECT_EQ(map.find("key7")->as_int(), -7);
  EXPECT_EQ(map.entry(7).first.as_string(), "key7");
  EXPECT_EQ(map.find("none"), nullptr);
}

TEST(Value, EqualsAsPython) {
  EXPECT_TRUE(Value::of(1).equals(Value::of(1.0)));
  EXPECT_TRUE(Value::of(true).equals(Value::of(1)));
  EXPECT_FALSE(Value::of("1").equals(Value::of(1)));
  EXPECT_FALSE(Value::of(std::int64_t{9007199254740993}).equals(Value::of(9007199254740992.0)));
  EXPECT_FALSE(Value::list({Value::of(1)}).equals(Value::tuple({Value::of(1)})));
}

TEST(Value, WithMembersIsAMapOfAllMembers) {
  // Small dicts are searched, large ones have an index; both ways across the limit.
  for (int size = 0; size < 40; ++size) {
    std::vector<std::pair<std::string, Value>> members;
    for (int i = 0; i < size; ++i) members.emplace_back("key" + std::to_string(i), Value::of(i));
    const Value before = Value::map(members);
    members.emplace_back("key3", Value::of("three"));
    members.emplace_back("new", Value::of("n"));
    members.emplace_back("new", Value::of("m"));
    const Value after = with_members(before, {{Value::of("key3"), Value::of("three")},
                                              {Value::of("new"), Value::of("n")},
                                              {Value::of("new"), Value::of("m")}});
    EXPECT_EQ(after.to_text(), Value::map(members).to_text());
    for (const auto& [key, value] : members) ASSERT_NE(after.find(key), nullptr) << key << " of " << size;
    EXPECT_EQ(after.find("new")->as_string(), "m");
    EXPECT_EQ(before.size(), static_cast<std::size_t>(size));
    EXPECT_EQ(before.find("new"), nullptr);
  }
}

TEST(Value, DeepNestingIsFreedWithoutRecursion) {
  Value value;
  for (int i = 0; i < 1'000'000; ++i) value = Value::list({value});
  EXPECT_TRUE(value.is_list());
}

TEST(Unicode, CasesAsPython) {
  EXPECT_EQ(to_upper("straße ŉ ﬁ"), "STRASSE ʼN FI");
  EXPECT_EQ(to_lower("ΟΔΟΣ ΑΣΑ İ"), "οδος ασα i̇");
  EXPECT_EQ(to_title("hello wORLD they're ǆ"), "Hello World They'Re ǅ");
  EXPECT_EQ(to_capitalized("éCOLE"), "École");
  EXPECT_TRUE(is_space_point(0x2003));
  EXPECT_FALSE(is_printable_point(0x200B));
}

}  // namespace
}  // namespace palette::jinja
