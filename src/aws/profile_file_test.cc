#include "aws/profile_file.h"

#include <gtest/gtest.h>

namespace palette::aws {
namespace {

TEST(ProfileFile, ReadsSectionsPropertiesAndComments) {
  const Result<ProfileSections> file = parse_profile_file(
      "# a comment\n"
      "; another\n"
      "\n"
      "[default]\r\n"
      "Region = us-east-1\r\n"
      "[ profile   \"my dev\" ] ; of the team\n"
      "region=eu-west-1   # near\n"
      "aws_secret_access_key = a#b;c=d+/\n"
      "[profile my dev]\n"
      "region = eu-west-3\n",
      "config");
  ASSERT_TRUE(file) << file.error().text();
  ASSERT_EQ(file->size(), 2u);
  EXPECT_EQ(file->at("default").get("region"), "us-east-1");
  EXPECT_EQ(file->at("profile my dev").get("region"), "eu-west-3");
  EXPECT_EQ(file->at("profile my dev").get("aws_secret_access_key"), "a#b;c=d+/");
  EXPECT_EQ(file->at("default").get("output"), "");
}

TEST(ProfileFile, NamesOfSectionsHaveCase) {
  const Result<ProfileSections> file = parse_profile_file("[Dev]\na=1\n[dev]\na=2\n", "credentials");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->at("Dev").get("a"), "1");
  EXPECT_EQ(file->at("dev").get("a"), "2");
}

TEST(ProfileFile, IndentedLinesBelongToThePropertyAbove) {
  const Result<ProfileSections> file = parse_profile_file(
      "[services local]\n"
      "bedrock_runtime =\n"
      "  endpoint_url = http://127.0.0.1:1 # stand-in\n"
      "  Other = x\n"
      "text = one\n"
      "  two\n"
      "after = 1\n",
      "config");
  ASSERT_TRUE(file) << file.error().text();
  const ProfileSection& section = file->at("services local");
  EXPECT_EQ(section.nested.at("bedrock_runtime").at("endpoint_url"), "http://127.0.0.1:1");
  EXPECT_EQ(section.nested.at("bedrock_runtime").at("other"), "x");
  EXPECT_EQ(section.get("text"), "one\ntwo");
  EXPECT_EQ(section.get("after"), "1");
}

TEST(ProfileFile, AByteOrderMarkIsNoText) {
  const Result<ProfileSections> file = parse_profile_file("\xef\xbb\xbf[default]\na = 1", "config");
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(file->at("default").get("a"), "1");
}

TEST(ProfileFile, SaysWhatIsWrongAndWhere) {
  const std::pair<const char*, const char*> cases[] = {
      {"a = 1\n", "f:1: the line stands before the first section; begin with one, such as [default]"},
      {"[x]\nabc\n", "f:2: the line has no '='; expected 'name = value'"},
      {"[x]\n = 1\n", "f:2: the line is indented and there is no property before it that it could belong to"},
      {"[x]\n=1\n", "f:2: there is no name before the '='; expected 'name = value'"},
      {"\n[x\n", "f:2: the section has no ']' at its end, as in [profile dev]"},
      {"[]\n", "f:1: the section has no name, as in [profile dev]"},
      {"[x] y\n", "f:1: text follows the ']' of the section; put it on a line of its own"},
      {"[x]\ns3 =\n  word\n", "f:3: the line belongs to 's3'; expected 'name = value'"},
  };
  for (const auto& [text, message] : cases) {
    const Result<ProfileSections> file = parse_profile_file(text, "f");
    ASSERT_FALSE(file) << text;
    EXPECT_EQ(file.error().kind, ErrorKind::bad_input);
    EXPECT_EQ(file.error().text(), message);
  }
}

}  // namespace
}  // namespace palette::aws
