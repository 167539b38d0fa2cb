#include "model/connections.h"

#include <gtest/gtest.h>

#include "contract/await.h"
#include "model/test_provider.h"

namespace palette::model {
namespace {

using contract::error_text;

using Variables = std::map<std::string, std::string, std::less<>>;

aws::Environment with(Variables variables) { return {std::move(variables), "/no/such/home"}; }

job::ResolvedModel bedrock(const std::string& id) {
  return TestModel(job::Provider::bedrock, "bedrock/" + id, id).resolved;
}

job::ResolvedModel of_endpoint(const std::string& url, const std::string& key_variable) {
  job::ResolvedModel out = TestModel(job::Provider::openai, "farm/llama", "llama").resolved;
  auto endpoint = std::make_shared<job::Endpoint>();
  endpoint->name = "farm";
  endpoint->url = url;
  endpoint->key_variable = key_variable;
  out.endpoint = endpoint;
  return out;
}

const job::ResolvedModel kOpenai = openai_model().resolved;
const std::string kArn = "arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.amazon.nova-lite-v1:0";
const std::string kFoundationArn = "arn:aws:bedrock:::foundation-model/m";  // of no region

struct Where {
  job::ResolvedModel model;
  Variables variables;
  std::string url, region, api_key, key_from;
};

void expect_addresses(const std::vector<Where>& cases) {
  for (const Where& c : cases) {
    const auto address = address_of(c.model, with(c.variables));
    ASSERT_TRUE(address) << c.url << ": " << error_text(address);
    EXPECT_EQ(address->url.text(), c.url);
    EXPECT_EQ(address->region, c.region) << c.url;
    EXPECT_EQ(address->api_key, c.api_key) << c.url;
    EXPECT_EQ(address->key_from, c.key_from) << c.url;
  }
}

TEST(AddressOf, ABedrockModelsIsOfItsRegion) {
  expect_addresses({
      {bedrock("m"),
       {{"AWS_REGION", "eu-central-1"}},
       "https://bedrock-runtime.eu-central-1.amazonaws.com/",
       "eu-central-1",
       "",
       ""},
      {bedrock("m"),
       {{"AWS_DEFAULT_REGION", "us-east-2"}},
       "https://bedrock-runtime.us-east-2.amazonaws.com/",
       "us-east-2",
       "",
       ""},
      {bedrock("m"),
       {{"AWS_REGION", "cn-north-1"}},
       "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/",
       "cn-north-1",
       "",
       ""},
      {bedrock(kArn),
       {{"AWS_REGION", "eu-central-1"}},
       "https://bedrock-runtime.us-west-2.amazonaws.com/",
       "us-west-2",
       "",
       ""},
      {bedrock(kArn), {}, "https://bedrock-runtime.us-west-2.amazonaws.com/", "us-west-2", "", ""},
      {bedrock(kFoundationArn),
       {{"AWS_REGION", "us-east-1"}},
       "https://bedrock-runtime.us-east-1.amazonaws.com/",
       "us-east-1",
       "",
       ""},
      {bedrock("m"),
       {{"AWS_REGION", "us-east-1"}, {"AWS_ENDPOINT_URL", "http://127.0.0.1:9000"}},
       "http://127.0.0.1:9000/",
       "us-east-1",
       "",
       ""},
      {bedrock("m"),
       {{"AWS_REGION", "us-east-1"},
        {"AWS_ENDPOINT_URL", "http://127.0.0.1:9000"},
        {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9001/b"}},
       "http://127.0.0.1:9001/b",
       "us-east-1",
       "",
       ""},
      {bedrock("m"),
       {{"AWS_REGION", "us-east-1"}, {"AWS_BEARER_TOKEN_BEDROCK", "t"}},
       "https://bedrock-runtime.us-east-1.amazonaws.com/",
       "us-east-1",
       "t",
       "AWS_BEARER_TOKEN_BEDROCK"},
  });
}

TEST(AddressOf, AnOpenaiModelsIsItsServers) {
  expect_addresses({
      {kOpenai, {{"OPENAI_API_KEY", "k"}}, "https://api.openai.com/v1", "", "k", "OPENAI_API_KEY"},
      {kOpenai,
       {{"OPENAI_BASE_URL", "http://127.0.0.1:8000/v1"}},
       "http://127.0.0.1:8000/v1",
       "",
       "",
       "OPENAI_API_KEY"},
      {kOpenai,
       {{"OPENAI_BASE_URL", "http://127.0.0.1:8000/v1//"}, {"OPENAI_API_KEY", "k"}},
       "http://127.0.0.1:8000/v1",
       "",
       "k",
       "OPENAI_API_KEY"},
      {of_endpoint("http://127.0.0.1:7/v1", ""),
       {{"OPENAI_API_KEY", "k"}, {"OPENAI_BASE_URL", "http://127.0.0.1:8/"}},
       "http://127.0.0.1:7/v1",
       "",
       "",
       ""},
      {of_endpoint("http://127.0.0.1:7/v1", "FARM_KEY"),
       {{"FARM_KEY", "f"}, {"OPENAI_API_KEY", "k"}},
       "http://127.0.0.1:7/v1",
       "",
       "f",
       "FARM_KEY"},
  });
}

TEST(AddressOf, SaysWhatToSetWhenTheEnvironmentDoesNotSay) {
  const struct {
    job::ResolvedModel model;
    Variables variables;
    std::string message;
  } cases[] = {
      {bedrock("m"),
       {},
       "the model 'bedrock/m' is in an AWS region, and none is set; set AWS_REGION, e.g. AWS_REGION=us-east-1, or "
       "region "
       "in the profile"},
      {bedrock("m"),
       {{"AWS_REGION", "us-east-1.evil"}},
       "'us-east-1.evil' is no AWS region; set AWS_REGION or `region` of the profile, such as us-east-1"},
      {bedrock("arn:aws:bedrock:evil/x:1:inference-profile/m"),
       {},
       "'evil/x' is no AWS region; set AWS_REGION or `region` of the profile, such as us-east-1"},
      {kOpenai,
       {},
       "the model 'openai/gpt' needs a key, and OPENAI_API_KEY is not set; export it, or name another server with "
       "OPENAI_BASE_URL"},
      {of_endpoint("http://127.0.0.1:7/v1", "FARM_KEY"),
       {{"OPENAI_API_KEY", "k"}},
       "the model 'farm/llama' needs a key, and FARM_KEY is not set; export it, or remove key_variable of the endpoint "
       "'farm' if it takes none"},
  };
  for (const auto& c : cases) {
    const auto address = address_of(c.model, with(c.variables));
    ASSERT_FALSE(address) << c.message;
    EXPECT_EQ(address.error().kind, ErrorKind::bad_input);
    EXPECT_EQ(address.error().message, c.message);
  }
}

TEST(AddressOf, RefusesWhatIsNoUrlAndSaysWhoseItIs) {
  const struct {
    job::ResolvedModel model;
    Variables variables;
    std::string begin;
  } cases[] = {
      {kOpenai, {{"OPENAI_BASE_URL", "localhost:8000"}}, "OPENAI_BASE_URL: "},
      {kOpenai, {{"OPENAI_BASE_URL", "///"}}, "OPENAI_BASE_URL: "},
      {of_endpoint("ftp://x/v1", ""), {}, "the url of the endpoint 'farm': "},
      {bedrock("m"), {{"AWS_REGION", "us-east-1"}, {"AWS_ENDPOINT_URL", "nowhere"}}, "AWS_ENDPOINT_URL: "},
  };
  for (const auto& c : cases) {
    const auto address = address_of(c.model, with(c.variables));
    ASSERT_FALSE(address) << c.begin;
    EXPECT_EQ(address.error().kind, ErrorKind::bad_input);
    EXPECT_TRUE(address.error().text().starts_with(c.begin)) << address.error().text();
  }
}

TEST(AddressOf, WhatIsNotCalledHasNone) {
  for (const job::Provider provider : {job::Provider::offline, job::Provider::none}) {
    const auto address = address_of(TestModel(provider, "offline", "").resolved, with({}));
    ASSERT_FALSE(address);
    EXPECT_EQ(address.error().message, "the model 'offline' is nowhere to be called");
  }
}

struct ConnectionsTest : ::testing::Test {
  static Connections of(Variables variables) {
    return {contract::process_loop().context().get_executor(), with(std::move(variables)), system_clock()};
  }
};

TEST_F(ConnectionsTest, MakeAProviderOfEachKind) {
  Connections connections = of({{"AWS_REGION", "us-east-1"}, {"OPENAI_BASE_URL", "http://127.0.0.1:8000/v1"}});
  for (const job::ResolvedModel& model : {bedrock("m"), kOpenai, of_endpoint("http://127.0.0.1:7/v1", "")}) {
    const auto provider = connections.provider_of(model);
    ASSERT_TRUE(provider) << error_text(provider);
    EXPECT_EQ((*provider)->name(), model.name);
  }
}

TEST_F(ConnectionsTest, ShareOneClientAndOneServiceForEachRegion) {
  Connections connections = of({{"AWS_REGION", "us-east-1"}});
  const auto here = address_of(bedrock("m"), connections.environment());
  const auto there = address_of(bedrock(kArn), connections.environment());
  ASSERT_TRUE(here && there);
  EXPECT_EQ(connections.bedrock(*here).value(), connections.bedrock(*here).value());
  EXPECT_NE(connections.bedrock(*here).value(), connections.bedrock(*there).value());
  EXPECT_EQ(connections.bedrock(*there).value()->endpoint().text(), "https://bedrock-runtime.us-west-2.amazonaws.com/");
  EXPECT_EQ(connections.http().value(), connections.http().value());
  EXPECT_EQ(connections.credentials().value(), connections.credentials().value());
}

TEST_F(ConnectionsTest, PassOnWhyAModelCannotBeReached) {
  Connections connections = of({});
  for (const job::ResolvedModel& model : {bedrock("m"), kOpenai}) {
    const auto provider = connections.provider_of(model);
    ASSERT_FALSE(provider);
    EXPECT_EQ(provider.error().kind, ErrorKind::bad_input);
  }
}

}  // namespace
}  // namespace palette::model
