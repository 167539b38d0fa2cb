#include "aws/dynamo_attribute.h"

#include <gtest/gtest.h>

#include "aws/dynamo_base64.h"

namespace palette::aws {
namespace {

DynamoItem item_with(std::string number) { return {{"n", Attribute(DynamoNumber{std::move(number)})}}; }

std::string wire_of(const DynamoItem& item) {
  std::string out;
  append_wire(out, item);
  return out;
}

TEST(DynamoNumber, IsReadInAnyForm) {
  struct Form {
    std::string text, plain;
  };
  for (const Form& form : std::initializer_list<Form>{{"1.0", "1"},
                                                      {"1E3", "1000"},
                                                      {"+5", "5"},
                                                      {"007", "7"},
                                                      {"-0", "0"},
                                                      {"0.000", "0"},
                                                      {"1e+2", "100"},
                                                      {"2.50", "2.5"},
                                                      {"-12.5E-1", "-1.25"},
                                                      {".5", "0.5"},
                                                      {"5.", "5"},
                                                      {"0.05e2", "5"},
                                                      {"120E-1", "12"},
                                                      {"1E-3", "0.001"},
                                                      {"0E-130", "0"},
                                                      {"9007199254740993", "9007199254740993"},
                                                      {"00.10", "0.1"}}) {
    EXPECT_EQ(plain_decimal(form.text).value_or("?"), form.plain) << form.text;
  }
}

TEST(DynamoNumber, WhatIsNoneIsCorrupt) {
  for (const char* text : {"", "+", "-", ".", "e5", "1e", "1e+", "1e+-2", "1.2.3", " 1", "1 ", "0x10", "NaN", "1,5",
                           "1E126", "1E-131", "1E99999999999", "123456789012345678901234567890123456789"}) {
    const Result<std::string> plain = plain_decimal(text);
    ASSERT_FALSE(plain) << text << " is " << *plain;
    EXPECT_EQ(plain.error().kind, ErrorKind::corrupt) << text;
  }
  // 38 digits, and as many zeros as one likes.
  EXPECT_TRUE(plain_decimal("12345678901234567890123456789012345678"));
  EXPECT_TRUE(plain_decimal("1" + std::string(100, '0')));
}

TEST(DynamoNumber, IsAWholeNumberOf64BitsOrCorrupt) {
  EXPECT_EQ(int_of(item_with("9.223372036854775807E18"), "n").value(), INT64_MAX);
  EXPECT_EQ(int_of(item_with("-9223372036854775808"), "n").value(), INT64_MIN);
  EXPECT_EQ(int_of({{"n", Attribute::text("2E2")}}, "n").value(), 200) << "a number that was written as a text";
  EXPECT_EQ(int_of(item_with("9223372036854775808"), "n").error().text(),
            "attribute 'n': 9223372036854775808 is no whole number of 64 bits");
  EXPECT_EQ(int_of(item_with("1.5"), "n").error().text(), "attribute 'n': 1.5 is no whole number of 64 bits");
  EXPECT_EQ(int_of({{"n", Attribute::boolean(true)}}, "n").error().text(),
            "attribute 'n': it is of type BOOL; a number (N) is expected");
  EXPECT_EQ(int_of({}, "n").error().text(), "attribute 'n': it is missing");
  EXPECT_EQ(int_of({}, "n").error().kind, ErrorKind::corrupt);
}

TEST(DynamoNumber, IsExactMoney) {
  EXPECT_EQ(money_of(item_with("1.25E-1"), "n").value(), Money{125'000'000'000});
  EXPECT_EQ(money_of(item_with("0.000000000001"), "n").value(), Money{1});
  EXPECT_EQ(money_of({{"n", Attribute::text("5.00")}}, "n").value(), Money{5'000'000'000'000});
  const Result<Money> finer = money_of(item_with("0.0000000000001"), "n");
  EXPECT_EQ(finer.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(finer.error().where, "attribute 'n'");
  for (const Money money : {Money{0}, Money{-1}, Money{9'000'000'000'000'000'001}}) {
    EXPECT_EQ(money_of({{"n", Attribute::dollars(money)}}, "n").value(), money);
  }
}

TEST(DynamoAttribute, GoesOverTheWireAndBack) {
  const DynamoItem item{
      {"text", Attribute::text("a \"b\"\n\u00e9")},
      {"empty", Attribute::text("")},
      {"number", Attribute(DynamoNumber{"1.50"})},
      {"bytes", Attribute(DynamoBytes{std::string("\0\xff\x10", 3)})},
      {"yes", Attribute::boolean(true)},
      {"null", Attribute()},
      {"list", Attribute::list({Attribute::number(1), Attribute::text("2"), Attribute::list()})},
      {"map", Attribute::map({{"x", Attribute::map()}})},
      {"texts", Attribute(TextSet{{"a", "b"}})},
      {"numbers", Attribute(NumberSet{{DynamoNumber{"1"}, DynamoNumber{"2"}}})},
      {"many bytes", Attribute(BytesSet{{DynamoBytes{"a"}}})},
  };
  const std::string wire = wire_of(item);
  const Result<Json> json = parse_json(wire);
  ASSERT_TRUE(json) << json.error().text() << wire;
  const Result<DynamoItem> again = item_from_wire(*json);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(*again, item);
  EXPECT_EQ(wire_of(DynamoItem{{"a", Attribute::number(-3)}, {"b", Attribute()}}),
            R"({"a":{"N":"-3"},"b":{"NULL":true}})");
  EXPECT_EQ(wire_of(DynamoItem{{"s", Attribute(TextSet{{"x", "y"}})}}), R"({"s":{"SS":["x","y"]}})");
}

TEST(DynamoAttribute, WhatIsNoneIsCorrupt) {
  for (const char* wire :
       {R"({"a":1})", R"({"a":{}})", R"({"a":{"S":"x","N":"1"}})", R"({"a":{"S":1}})", R"({"a":{"N":1}})",
        R"({"a":{"N":"x"}})", R"({"a":{"B":"x"}})", R"({"a":{"BOOL":"true"}})", R"({"a":{"L":{}}})",
        R"({"a":{"M":[]}})", R"({"a":{"SS":"x"}})", R"({"a":{"NS":["x"]}})", R"({"a":{"X":"x"}})", R"([])",
        R"({"a":{"M":{"b":{"N":"?"}}}})", R"({"a":{"L":[{"N":"?"}]}})"}) {
    const Result<DynamoItem> item = item_from_wire(*parse_json(wire));
    ASSERT_FALSE(item) << wire;
    EXPECT_EQ(item.error().kind, ErrorKind::corrupt) << wire;
  }
}

TEST(DynamoAttribute, IsJsonAndBack) {
  const char* text = R"({"a":[1,-2.5,true,null,"x",18446744073709551615],"b":{},"c":1e-7})";
  const Json json = *parse_json(text);
  EXPECT_EQ(json_of(attribute_from_json(json)), json);
  EXPECT_EQ(json_of(Attribute(DynamoNumber{"3.0"})), Json(3));
  EXPECT_EQ(json_of(Attribute(DynamoNumber{"0.1"})), Json(0.1));
  // More digits than a double keeps: the text is exact, a double would not be.
  EXPECT_EQ(json_of(Attribute(DynamoNumber{"0.12345678901234567890"})), Json("0.1234567890123456789"));
  EXPECT_EQ(json_of(Attribute(TextSet{{"a"}})), Json(JsonArray{"a"}));
  EXPECT_EQ(json_of(Attribute(DynamoBytes{"ab"})), Json("YWI="));
}

TEST(DynamoBase64, EveryLengthAndEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    std::string text;
    append_base64(text, bytes);
    EXPECT_EQ(text.size() % 4, 0u);
    EXPECT_EQ(bytes_from_base64(text).value(), bytes) << i;
    bytes += static_cast<char>(i);
  }
  // RFC 4648 section 10.
  std::string text;
  append_base64(text, "foob");
  EXPECT_EQ(text, "Zm9vYg==");
  for (const char* bad : {"Zg", "Zg=", "Z===", "Zm9v=Zg=", "Zm 9", "Zg=a", "===="}) {
    EXPECT_FALSE(bytes_from_base64(bad)) << bad;
  }
}

}  // namespace
}  // namespace palette::aws
