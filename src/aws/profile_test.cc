#include "aws/profile.h"

#include <gtest/gtest.h>

#include "aws/small_file.h"
#include "aws/test_parts.h"

namespace palette::aws {
namespace {

struct Home {
  Home() { environment.home = folder.path(); }
  TemporaryFolder folder;
  Environment environment;
};

TEST(Profiles, TheCredentialsFileWinsOverTheConfigFile) {
  Home home;
  home.folder.write(".aws/config",
                    "[profile dev]\nregion = r\naws_access_key_id = config\n[dev]\nregion = ignored\n"
                    "[sso-session corp]\nsso_region = s\n[services local]\ns3 =\n  endpoint_url = u\n");
  home.folder.write(".aws/credentials", "[dev]\naws_access_key_id = credentials\n[profile odd]\na = 1\n");
  const Result<Profiles> profiles = read_profiles(home.environment);
  ASSERT_TRUE(profiles) << profiles.error().text();
  EXPECT_EQ(profiles->find("dev")->get("aws_access_key_id"), "credentials");
  EXPECT_EQ(profiles->find("dev")->get("region"), "r");
  EXPECT_EQ(profiles->profiles.size(), 1u);
  EXPECT_EQ(profiles->sso_sessions.at("corp").get("sso_region"), "s");
  EXPECT_EQ(profiles->services.at("local").nested.at("s3").at("endpoint_url"), "u");
}

TEST(Profiles, ProfileDefaultWinsOverDefault) {
  Home home;
  home.folder.write(".aws/config", "[profile default]\nregion = first\n[default]\nregion = second\noutput = o\n");
  const Result<Profiles> profiles = read_profiles(home.environment);
  ASSERT_TRUE(profiles);
  EXPECT_EQ(profiles->find("default")->get("region"), "first");
  EXPECT_EQ(profiles->find("default")->get("output"), "o");
}

TEST(Profiles, TheFilesMayBeElsewhere) {
  Home home;
  home.folder.write("elsewhere", "[profile dev]\nregion = r\n");
  home.environment.variables = {{"AWS_CONFIG_FILE", "~/elsewhere"},
                                {"AWS_SHARED_CREDENTIALS_FILE", home.folder.write("keys", "[dev]\nk = 1\n")}};
  const Result<Profiles> profiles = read_profiles(home.environment);
  ASSERT_TRUE(profiles);
  EXPECT_EQ(profiles->find("dev")->get("region"), "r");
  EXPECT_EQ(profiles->find("dev")->get("k"), "1");
}

TEST(Profiles, FilesThatAreNotThereAreEmpty) {
  Home home;
  const Result<Profiles> profiles = read_profiles(home.environment);
  ASSERT_TRUE(profiles);
  EXPECT_TRUE(profiles->profiles.empty());
  const Result<ProfileSection> active = active_profile(*profiles, home.environment);
  ASSERT_TRUE(active);
  EXPECT_TRUE(active->values.empty());
}

TEST(Profiles, WithoutAHomeNothingOfTheCurrentFolderIsRead) {
  Home home;
  home.folder.write(".aws/config", "[default]\nregion = r\n");
  home.environment.home.clear();
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(home.folder.path());
  const Result<Profiles> profiles = read_profiles(home.environment);
  std::filesystem::current_path(before);
  ASSERT_TRUE(profiles);
  EXPECT_TRUE(profiles->profiles.empty());
}

TEST(Profiles, ANamedProfileThatDoesNotExistIsAnError) {
  Home home;
  home.folder.write(".aws/config", "[profile production]\nregion = r\n");
  home.environment.variables["AWS_PROFILE"] = "prodution";
  const Result<Profiles> profiles = read_profiles(home.environment);
  ASSERT_TRUE(profiles);
  const Result<ProfileSection> active = active_profile(*profiles, home.environment);
  ASSERT_FALSE(active);
  EXPECT_EQ(active.error().kind, ErrorKind::bad_input);
  EXPECT_TRUE(active.error().message.ends_with("; did you mean 'production'?")) << active.error().message;
}

TEST(SmallFile, AnEndlessFileIsRefused) {
  const Result<std::optional<std::string>> text = read_small_file("/dev/zero");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::too_large);
}

TEST(SmallFile, AFolderIsAnError) {
  TemporaryFolder folder;
  const Result<std::optional<std::string>> text = read_small_file(folder.path());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::io);
}

TEST(SmallFile, ATokenIsOneLine) {
  TemporaryFolder folder;
  EXPECT_EQ(read_token_file(folder.write("good", " abc\r\n")), "abc");
  const std::pair<std::string, const char*> cases[] = {
      {folder.write("two", "a\nb"), "the token has line ends or control characters inside; it must be one line"},
      {folder.write("empty", "\n"), "the token file is empty"},
      {folder.path() / "absent", "there is no such token file; check the path"}};
  for (const auto& [path, message] : cases) {
    const Result<std::string> token = read_token_file(path);
    ASSERT_FALSE(token) << path;
    EXPECT_EQ(token.error(), (Error{ErrorKind::bad_input, message, path}));
  }
}

}  // namespace
}  // namespace palette::aws
