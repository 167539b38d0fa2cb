#include <gtest/gtest.h>

#include "aws/service.h"
#include "aws/test_parts.h"

namespace palette::aws {
namespace {

const ServiceName kBedrock{.host_prefix = "bedrock-runtime", .signing_name = "bedrock", .sdk_id = "Bedrock Runtime"};

using Variables = std::map<std::string, std::string, std::less<>>;

struct Home {
  explicit Home(std::string_view config, Variables variables = {}) {
    environment.home = folder.path();
    environment.variables = std::move(variables);
    folder.write(".aws/config", config);
  }
  TemporaryFolder folder;
  Environment environment;
};

constexpr std::string_view kConfig =
    "[default]\nregion = of-default\nendpoint_url = http://profile:1\nservices = local\n"
    "[profile dev]\nregion = of-dev\n"
    "[profile plain]\nendpoint_url = http://plain:1\n"
    "[profile off]\nendpoint_url = http://off:1\nignore_configured_endpoint_urls = true\n"
    "[profile lost]\nservices = nowhere\n"
    "[services local]\nbedrock_runtime =\n  endpoint_url = http://services:1\n";

TEST(Region, ComesFromTheEnvironmentThenTheProfile) {
  const std::pair<Variables, const char*> cases[] = {
      {{{"AWS_REGION", "a"}, {"AWS_DEFAULT_REGION", "b"}}, "a"},
      {{{"AWS_DEFAULT_REGION", "b"}}, "b"},
      {{}, "of-default"},
      {{{"AWS_PROFILE", "dev"}}, "of-dev"},
      {{{"AWS_PROFILE", "plain"}}, ""},
      {{{"AWS_PROFILE", "absent"}}, ""},
  };
  for (const auto& [variables, region] : cases) {
    EXPECT_EQ(region_of(Home(kConfig, variables).environment), region);
  }
}

TEST(Endpoint, IsTheServicesOwnInItsRegionAndPartition) {
  const std::pair<const char*, const char*> cases[] = {
      {"us-east-1", "https://bedrock-runtime.us-east-1.amazonaws.com:443"},
      {"us-gov-west-1", "https://bedrock-runtime.us-gov-west-1.amazonaws.com:443"},
      {"cn-north-1", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn:443"},
      {"us-isob-east-1", "https://bedrock-runtime.us-isob-east-1.sc2s.sgov.gov:443"},
      {"eusc-de-east-1", "https://bedrock-runtime.eusc-de-east-1.amazonaws.eu:443"},
  };
  for (const auto& [region, origin] : cases) {
    const Result<http::Url> url = endpoint_of(kBedrock, region, Environment());
    ASSERT_TRUE(url) << url.error().text();
    EXPECT_EQ(url->origin(), origin);
  }
}

TEST(Endpoint, IsOverriddenInTheOrderOfTheSdks) {
  const Variables all = {{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://own:1"}, {"AWS_ENDPOINT_URL", "http://all:1"}};
  Variables ignored = all;
  ignored["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  const std::pair<Variables, const char*> cases[] = {
      {all, "http://own:1"},
      {{{"AWS_ENDPOINT_URL", "http://all:1"}}, "http://all:1"},
      {{}, "http://services:1"},
      {{{"AWS_PROFILE", "plain"}}, "http://plain:1"},
      {{{"AWS_PROFILE", "dev"}}, "https://bedrock-runtime.us-east-1.amazonaws.com:443"},
      {{{"AWS_PROFILE", "off"}}, "https://bedrock-runtime.us-east-1.amazonaws.com:443"},
      {ignored, "https://bedrock-runtime.us-east-1.amazonaws.com:443"},
  };
  for (const auto& [variables, origin] : cases) {
    const Result<http::Url> url = endpoint_of(kBedrock, "us-east-1", Home(kConfig, variables).environment);
    ASSERT_TRUE(url) << url.error().text();
    EXPECT_EQ(url->origin(), origin);
  }
}

TEST(Endpoint, SaysWhatIsWrongWithIt) {
  const std::tuple<Variables, const char*, const char*> cases[] = {
      {{{"AWS_PROFILE", "dev"}},
       "",
       "'' is no AWS region; set AWS_REGION or `region` of the profile, such as us-east-1"},
      {{{"AWS_PROFILE", "dev"}},
       "x.evil.example/",
       "'x.evil.example/' is no AWS region; set AWS_REGION or `region` of the profile, such as us-east-1"},
      {{{"AWS_ENDPOINT_URL", "http://x:1/?a"}},
       "us-east-1",
       "AWS_ENDPOINT_URL: the endpoint has a query ('?'); expected an address such as https://host:port"},
  };
  for (const auto& [variables, region, message] : cases) {
    const Result<http::Url> url = endpoint_of(kBedrock, region, Home(kConfig, variables).environment);
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().kind, ErrorKind::bad_input);
    EXPECT_EQ(url.error().text(), message);
  }
  const Result<http::Url> no_url =
      endpoint_of(kBedrock, "r", Home("", {{"AWS_ENDPOINT_URL", "localhost:8000"}}).environment);
  ASSERT_FALSE(no_url);
  EXPECT_EQ(no_url.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(no_url.error().where, "AWS_ENDPOINT_URL");
  const Result<http::Url> lost = endpoint_of(kBedrock, "r", Home(kConfig, {{"AWS_PROFILE", "lost"}}).environment);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().where, "profile lost");
  const Result<http::Url> broken = endpoint_of(kBedrock, "r", Home("[default\n").environment);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().line, 1u);
}

TEST(Region, OfATaskIsThatOfItsZone) {
  const std::pair<const char*, const char*> cases[] = {
      {"us-east-1a", "us-east-1"}, {"us-west-2-lax-1a", "us-west-2"}, {"us-gov-east-1b", "us-gov-east-1"}};
  for (const auto& [zone, region] : cases) {
    World world;
    world.environment.variables["ECS_CONTAINER_METADATA_URI_V4"] = world.url() + "/v4/x";
    world.answer(200, std::string(R"({"Cluster":"c","AvailabilityZone":")") + zone + "\"}");
    const Result<std::string> found = world.run(region_of_task(world.environment, world.client));
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(*found, region);
    EXPECT_EQ(world.requests().at(0).target, "/v4/x/task");
  }
}

TEST(Region, OfATaskThatDoesNotTellItIsAnError) {
  World world;
  EXPECT_EQ(world.run(region_of_task(world.environment, world.client)).error().kind, ErrorKind::not_found);
  world.environment.variables["ECS_CONTAINER_METADATA_URI_V4"] = world.url();
  world.answer(500, "");
  world.answer(200, "[]");
  world.answer(200, "{}");
  world.answer(200, R"({"AvailabilityZone":"somewhere"})");
  for (const ErrorKind kind : {ErrorKind::unavailable, ErrorKind::corrupt, ErrorKind::corrupt, ErrorKind::corrupt}) {
    EXPECT_EQ(world.run(region_of_task(world.environment, world.client)).error().kind, kind);
  }
}

}  // namespace
}  // namespace palette::aws
