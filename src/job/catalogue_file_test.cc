// Files over the built-in catalogue: what they add and change, and what is said about wrong ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job/catalogue.h"

namespace palette::job {
namespace {

Catalogue with(std::string_view yaml) {
  Catalogue out = *Catalogue::built_in();
  const Result<Document> document = parse_document("mine.yaml", yaml);
  EXPECT_TRUE(document) << document.error().text();
  Diagnostics diagnostics;
  out.add(*document, diagnostics);
  for (const Diagnostic& each : diagnostics.all()) ADD_FAILURE() << each.text();
  return out;
}

std::vector<std::string> complaints(std::string_view yaml) {
  Catalogue catalogue = *Catalogue::built_in();
  const Result<Document> document = parse_document("mine.yaml", yaml);
  if (!document) return {document.error().text()};
  Diagnostics diagnostics;
  catalogue.add(*document, diagnostics);
  std::vector<std::string> out;
  for (const Diagnostic& each : diagnostics.sorted()) out.push_back(each.where_and_what());
  return out;
}

constexpr std::string_view kMine = R"(
price_source: our contract
price_date: 2026-10-01
endpoints:
  - name: local
    url: http://127.0.0.1:8000/v1/
    key_variable: LOCAL_KEY
    prices: {input: 0, output: 0}
    output_tokens_max: 4096
  - {name: bare, url: "https://models.example.com/v1"}
models:
  - id: "anthropic.claude-haiku-4-5-20251001-v1:0"
    prices: {input: 0.90, output: 4.500001, cache_read: 0.09}
  - id: local/meta-llama/Llama-3
    aliases: [my-llama]
    context_tokens: 8192
    output_tokens_max: 2048
    prices: {input: 0.1, output: 0.2}
  - id: arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456
    prices:
      geo: {input: 1, output: 2}
      geo/flex: {input: 0.5, output: 1}
    capabilities: {service_tiers: [flex], temperature: false}
  - {id: somebody.new-model, profiles: [us], on_demand: false, aliases: [new]}
infrastructure: {vcpu_hour: 0.036}
)";

TEST(CatalogueFile, AddsAndOverrides) {
  const Catalogue catalogue = with(kMine);
  const auto haiku = catalogue.resolve("claude-haiku", "us-east-1");
  EXPECT_EQ(*haiku->prices(""), (TokenPrices{900'000, 4'500'001, 90'000, 900'000, 900'000}));
  EXPECT_EQ(catalogue.resolve("claude-haiku", "sa-east-1")->prices("")->input, 900'000);  // global too
  EXPECT_EQ(haiku->info->price_source, "our contract");
  EXPECT_EQ(haiku->info->price_date, "2026-10-01");
  EXPECT_EQ(haiku->info->context_tokens, 200'000);  // the rest stays
  EXPECT_EQ(haiku->info->display_name, "Claude Haiku 4.5");

  const auto profile =
      catalogue.resolve("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456", "");
  EXPECT_EQ(profile->prices("flex")->output, 1'000'000);
  EXPECT_FALSE(profile->info->capabilities.temperature);
  EXPECT_EQ(catalogue.resolve("new", "")->name, "bedrock/us.somebody.new-model");
  EXPECT_FALSE(catalogue.resolve("new", "")->prices(""));
  EXPECT_EQ(catalogue.infrastructure().vcpu_second, 10'000'000);
  EXPECT_EQ(catalogue.infrastructure().gb_second, 1'234'723);
}

TEST(CatalogueFile, EndpointsHaveModelsWithSlashes) {
  const Catalogue catalogue = with(kMine);
  const auto llama = catalogue.resolve("local/meta-llama/Llama-3", "");
  ASSERT_TRUE(llama) << llama.error().message;
  EXPECT_EQ(llama->name, "local/meta-llama/Llama-3");
  EXPECT_EQ(llama->id, "meta-llama/Llama-3");
  EXPECT_EQ(llama->parsed.provider, Provider::openai);
  ASSERT_TRUE(llama->endpoint);
  EXPECT_EQ(llama->endpoint->url, "http://127.0.0.1:8000/v1");
  EXPECT_EQ(llama->endpoint->key_variable, "LOCAL_KEY");
  EXPECT_EQ(llama->prices("")->input, 100'000);  // its own
  EXPECT_EQ(catalogue.resolve("my-llama", "")->name, "local/meta-llama/Llama-3");
  const auto other = catalogue.resolve("local/other", "");
  EXPECT_EQ(*other->prices(""), TokenPrices{});  // of the endpoint: free
  EXPECT_FALSE(other->info);
  EXPECT_FALSE(catalogue.resolve("bare/gpt-4o", "")->prices(""));  // not OpenAI's gpt-4o
  EXPECT_EQ(catalogue.resolve("lokal/x", "").error().message,
            "the model 'lokal/x' is not known; did you mean local/x?");
}

TEST(CatalogueFile, TellsEveryMistakeWithItsPlace) {
  const struct {
    const char* yaml;
    const char* complaint;
  } cases[] = {
      {"modles: []", "mine.yaml:1:1: modles: this key is not known; did you mean models?"},
      {"models: {}", "mine.yaml:1:9: models: found an object; a list of at most 10000 entries is expected"},
      {"models: [{name: x}]",
       "mine.yaml:1:10: models[0].id: missing; the id that is sent to the provider, e.g. "
       "anthropic.claude-3-haiku-20240307-v1:0"},
      {"models: [{id: x.y, prices: {input: 1}}]",
       "mine.yaml:1:28: models[0].prices.output: missing; USD per million tokens, e.g. 0.25; 0 if it is free"},
      {"models: [{id: x.y, prices: {inptu: 1, output: 1, input: 1}}]",
       "mine.yaml:1:29: models[0].prices.inptu: this key is not known; did you mean input?"},
      {"models: [{id: x.y, prices: {golbal: {input: 1, output: 1}}}]",
       "mine.yaml:1:29: models[0].prices.golbal: this key is not known; did you mean global?"},
      {"models: [{id: x.y, prices: {input: -1, output: 1}}]",
       "mine.yaml:1:36: models[0].prices.input: found -1; US dollars of 0 to 100000 are allowed"},
      {"models: [{id: x.y, prices: {input: 0.0000001, output: 1}}]",
       "mine.yaml:1:36: models[0].prices.input: found 0.0000001; at most 6 decimals are allowed, so that a token costs "
       "a "
       "whole number of pico-dollars"},
      {"models: [{id: x.y, prices: {input: \"1\", output: 1}}]",
       "mine.yaml:1:36: models[0].prices.input: found \"1\"; US dollars of 0 to 100000 are allowed (write it without "
       "quotes or signs)"},
      {"models: [{id: x.y, prices: {input: 200000, output: 1}}]",
       "mine.yaml:1:36: models[0].prices.input: found 200000; US dollars of 0 to 100000 are allowed"},
      {"models: [{id: x.y, family: lama}]", "mine.yaml:1:28: models[0].family: found 'lama'; did you mean llama?"},
      {"models: [{id: x.y, capabilities: {temprature: false}}]",
       "mine.yaml:1:35: models[0].capabilities.temprature: this key is not known; did you mean temperature?"},
      {"models: [{id: x.y}, {id: x.y}]", "mine.yaml:1:26: models[1].id: 'x.y' is there twice; the first is in line 1"},
      {"models: [{id: x.y, aliases: [claude-haiku]}]",
       "mine.yaml:1:29: models[0].aliases: 'claude-haiku' is also a name of anthropic.claude-haiku-4-5-20251001-v1:0; "
       "choose another, or list that model here with aliases that leave it out"},
      {"models: [{id: x.y, aliases: [a/b]}]",
       "mine.yaml:1:29: models[0].aliases: found 'a/b'; an alias has 1 to 64 letters, digits, - _ and ., and is no "
       "provider's name"},
      {"models: [{id: x y}]",
       "mine.yaml:1:15: models[0].id: the model 'x y' is no id of a model; after bedrock/ stands a model id, a profile "
       "id "
       "or an ARN: letters, digits and - _ . : / (parameters such as ?latency_ms= are for offline models)"},
      {"models: [{id: x.y, price_date: yesterday}]",
       "mine.yaml:1:32: models[0].price_date: found \"yesterday\"; YYYY-MM-DD is expected"},
      {"endpoints: [{name: openai, url: \"http://h/v1\"}]",
       "mine.yaml:1:20: endpoints[0].name: found 'openai'; 1 to 64 letters, digits, - _ and . are allowed, but not "
       "bedrock, openai, offline and none"},
      {"endpoints: [{name: a}]",
       "mine.yaml:1:13: endpoints[0].url: missing; where the server is, with /v1, e.g. http://127.0.0.1:8000/v1"},
      {"endpoints: [{name: a, url: localhost:8000}]",
       "mine.yaml:1:28: endpoints[0].url: found 'localhost:8000'; http:// or https:// with a host, a path such as /v1 "
       "and nothing after it is expected"},
      {"endpoints: [{name: a, url: \"http://h\", key_variable: sk-12345}]",
       "mine.yaml:1:54: endpoints[0].key_variable: the name of an environment variable that holds the key is expected, "
       "e.g. MY_SERVER_KEY, not the key"},
      {"infrastructure: {vcpu_hour: -1}",
       "mine.yaml:1:29: infrastructure.vcpu_hour: found -1; US dollars of 0 to 100000 are allowed"},
  };
  for (const auto& c : cases) EXPECT_THAT(complaints(c.yaml), ::testing::ElementsAre(c.complaint)) << c.yaml;
}

TEST(CatalogueFile, AliasCanBeMovedToAnotherModel) {
  const Catalogue catalogue = with(R"(
models:
  - {id: "anthropic.claude-haiku-4-5-20251001-v1:0", aliases: []}
  - {id: anthropic.claude-haiku-9, profiles: [us, global], on_demand: false, aliases: [claude-haiku]}
)");
  EXPECT_EQ(catalogue.resolve("claude-haiku", "us-east-1")->name, "bedrock/us.anthropic.claude-haiku-9");
}

}  // namespace
}  // namespace palette::job
