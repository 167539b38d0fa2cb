#include "job/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace palette::job {
namespace {

using ::testing::HasSubstr;

const Catalogue& built_in() {
  static const Result<Catalogue> catalogue = Catalogue::built_in();
  EXPECT_TRUE(catalogue) << catalogue.error().text();
  return *catalogue;
}

std::string resolved(std::string_view name, std::string_view region) {
  const auto model = built_in().resolve(name, region);
  return model ? model->name : model.error().message;
}

std::string refusal(const Catalogue& catalogue, std::string_view name, std::string_view region = "us-east-1") {
  const auto model = catalogue.resolve(name, region);
  if (model) return "resolved to " + model->name;
  EXPECT_EQ(model.error().kind, ErrorKind::bad_input) << name;
  return model.error().message;
}

TEST(Catalogue, BuiltInFileHasNoComplaintsAndEveryModelIsWhole) {
  EXPECT_GE(built_in().models().size(), 80u);
  for (const auto& model : built_in().models()) {
    EXPECT_GT(model->context_tokens, 0) << model->id;
    EXPECT_GT(model->output_tokens_max, 0) << model->id;
    EXPECT_LE(model->output_tokens_max, model->context_tokens) << model->id;
    EXPECT_TRUE(model->on_demand || !model->profiles.empty()) << model->id;
    EXPECT_FALSE(model->vendor.empty()) << model->id;
    ASSERT_TRUE(model->prices.contains("geo")) << model->id;
    EXPECT_EQ(model->price_date.size(), 10u) << model->id;
    EXPECT_FALSE(model->price_source.empty()) << model->id;
    for (const std::string& tier : model->capabilities.service_tiers)
      EXPECT_TRUE(model->prices.contains("geo/" + tier)) << model->id << " " << tier;
    for (const auto& [scope, prices] : model->prices) {
      EXPECT_GT(prices.input, 0) << model->id << " " << scope;
      EXPECT_GT(prices.output, 0) << model->id << " " << scope;
      // `geo` stands in where a scope has no price: it must not be the cheaper one.
      if (scope == "elsewhere") EXPECT_GE(prices.output, model->prices.at("geo").output) << model->id;
      if (scope == "global") EXPECT_LE(prices.output, model->prices.at("geo").output) << model->id;
    }
  }
}

std::string described(const ModelInfo& m) {
  std::string out = m.id + "|" + m.display_name + "|" + m.vendor + "|" + std::to_string(static_cast<int>(m.provider)) +
                    "|" + std::string(to_string(m.family));
  for (const std::string& alias : m.aliases) out += "|" + alias;
  for (const std::string& profile : m.profiles) out += "|" + profile;
  const Capabilities& can = m.capabilities;
  for (const std::int64_t number :
       {std::int64_t{m.on_demand}, m.context_tokens, m.output_tokens_max, m.burn_down, std::int64_t{can.converse},
        std::int64_t{can.system}, std::int64_t{can.temperature}, std::int64_t{can.top_p},
        std::int64_t{can.temperature_with_top_p}, std::int64_t{can.stop}, std::int64_t{can.prefill},
        std::int64_t{can.forced_tools}, std::int64_t{can.cache}, std::int64_t{can.count_tokens},
        std::int64_t{can.usage_includes_cache}, std::int64_t{can.max_completion_tokens}}) {
    out += "|" + std::to_string(number);
  }
  for (const std::string& tier : can.service_tiers) out += "|" + tier;
  for (const auto& [scope, p] : m.prices) {
    out += "|" + scope;
    for (const std::int64_t price : {p.input, p.output, p.cache_read, p.cache_write, p.cache_write_1h})
      out += " " + std::to_string(price);
  }
  return out + "|" + m.price_source + "|" + m.price_date;
}

// What is compiled in was made of the file by another way than a user's file goes.
TEST(Catalogue, BuiltInIsWhatItsFileSays) {
  const auto document = load_document(std::string(PALETTE_SOURCE_DIR) + "/src/job/models.yaml");
  ASSERT_TRUE(document) << document.error().text();
  Catalogue read;
  Diagnostics diagnostics;
  read.add(*document, diagnostics);
  for (const auto& complaint : diagnostics.sorted()) ADD_FAILURE() << complaint.text();
  ASSERT_EQ(built_in().models().size(), read.models().size());
  for (std::size_t i = 0; i < read.models().size(); ++i)
    EXPECT_EQ(described(*built_in().models()[i]), described(*read.models()[i]));
  EXPECT_EQ(built_in().endpoints().size(), read.endpoints().size());
  const InfrastructurePrices &here = built_in().infrastructure(), &there = read.infrastructure();
  EXPECT_EQ(here.vcpu_second, there.vcpu_second);
  EXPECT_EQ(here.gb_second, there.gb_second);
  EXPECT_EQ(here.s3_put, there.s3_put);
  EXPECT_EQ(here.s3_get, there.s3_get);
  EXPECT_EQ(here.dynamodb_write_unit, there.dynamodb_write_unit);
  EXPECT_EQ(here.dynamodb_read_unit, there.dynamodb_read_unit);
  EXPECT_EQ(here.source, there.source);
  EXPECT_EQ(here.date, there.date);
}

TEST(Catalogue, PricesAreThoseOfTheReferenceToTheDigit) {
  const struct {
    const char* model;
    const char* tier;
    TokenPrices expected;  // pico-dollars a token
  } cases[] = {
      {"us.anthropic.claude-haiku-4-5-20251001-v1:0", "", {1'100'000, 5'500'000, 110'000, 1'375'000, 2'200'000}},
      {"global.anthropic.claude-haiku-4-5-20251001-v1:0", "", {1'000'000, 5'000'000, 100'000, 1'250'000, 2'000'000}},
      {"eu.anthropic.claude-sonnet-4-20250514-v1:0", "", {3'000'000, 15'000'000, 300'000, 3'750'000, 3'750'000}},
      {"us.anthropic.claude-sonnet-4-5-20250929-v1:0",
       "default",
       {3'300'000, 16'500'000, 330'000, 4'125'000, 6'600'000}},
      {"us.anthropic.claude-sonnet-4-6", "batch", {1'650'000, 8'250'000, 1'650'000, 1'650'000, 1'650'000}},
      {"global.anthropic.claude-sonnet-5", "", {2'000'000, 10'000'000, 200'000, 2'500'000, 4'000'000}},
      {"us.anthropic.claude-opus-4-1-20250805-v1:0", "", {15'000'000, 75'000'000, 1'500'000, 18'750'000, 18'750'000}},
      {"us.anthropic.claude-opus-5", "", {5'500'000, 27'500'000, 550'000, 6'875'000, 11'000'000}},
      {"amazon.nova-micro-v1:0", "", {35'000, 140'000, 8'750, 0, 35'000}},
      {"us.amazon.nova-pro-v1:0", "flex", {400'000, 1'600'000, 100'000, 0, 400'000}},
      {"us.amazon.nova-pro-v1:0", "priority", {1'400'000, 5'600'000, 350'000, 0, 1'400'000}},
      {"amazon.nova-lite-v1:0", "batch", {30'000, 120'000, 30'000, 30'000, 30'000}},
      {"us.meta.llama3-1-8b-instruct-v1:0", "", {220'000, 220'000, 220'000, 220'000, 220'000}},
      {"us.meta.llama4-maverick-17b-instruct-v1:0", "batch", {120'000, 485'000, 120'000, 120'000, 120'000}},
      {"mistral.mistral-7b-instruct-v0:2", "", {150'000, 200'000, 150'000, 150'000, 150'000}},
      {"openai.gpt-oss-20b-1:0", "flex", {35'000, 150'000, 35'000, 35'000, 35'000}},
      {"openai.gpt-oss-120b-1:0", "priority", {262'500, 1'050'000, 262'500, 262'500, 262'500}},
  };
  for (const auto& c : cases) {
    const auto model = built_in().resolve(c.model, "us-east-1");
    ASSERT_TRUE(model) << c.model;
    ASSERT_TRUE(model->prices(c.tier)) << c.model << " " << c.tier;
    EXPECT_EQ(*model->prices(c.tier), c.expected) << c.model << " " << c.tier;
  }
}

TEST(Catalogue, GeographyOfItsOwnPriceIsNotPricedAsTheUsa) {
  EXPECT_EQ(built_in().resolve("nova-lite", "us-east-1")->prices("")->input, 60'000);
  EXPECT_EQ(built_in().resolve("nova-lite", "eu-west-1")->prices("")->input, 78'000);
  EXPECT_EQ(built_in()
                .resolve("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0", "")
                ->prices("")
                ->input,
            78'000);
  EXPECT_EQ(built_in().resolve("mistral-large", "us-west-2")->prices("")->input, 500'000);
  EXPECT_EQ(built_in().resolve("mistral-large", "eu-west-2")->prices("")->input, 610'000);
  EXPECT_EQ(built_in().resolve("gpt-oss-20b", "eu-west-2")->prices("flex")->input, 45'000);
  EXPECT_EQ(built_in().resolve("arn:aws:bedrock:eu-west-2::foundation-model/zai.glm-5", "")->prices("")->input,
            1'550'000);
  EXPECT_EQ(built_in().resolve("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "")->prices("")->input, 3'600'000);
}

TEST(Catalogue, EveryPlaceHasThePricesOfEveryTier) {
  for (const auto& model : built_in().models()) {
    for (const char* place : {"elsewhere", "global"}) {
      if (!model->prices.contains(place)) continue;
      for (const std::string& tier : model->capabilities.service_tiers)
        EXPECT_TRUE(model->prices.contains(place + ("/" + tier))) << model->id << " " << place << " " << tier;
    }
  }
}

TEST(Catalogue, TierWithoutAPriceHasNone) {
  EXPECT_FALSE(built_in().resolve("claude-haiku", "us-east-1")->prices("flex"));
  EXPECT_FALSE(built_in().resolve("openai/gpt-4o", "")->prices("flex"));
  EXPECT_FALSE(built_in().resolve("nova-2-lite", "eu-west-1")->prices("flex"));  // not that of the USA
  EXPECT_TRUE(built_in().resolve("nova-2-lite", "us-east-1")->prices("flex"));
  EXPECT_TRUE(built_in().resolve("openai/gpt-5-mini", "")->prices("flex"));
}

TEST(Catalogue, DearestInputIsWhatACacheCanCost) {
  const TokenPrices claude{1'100'000, 5'500'000, 110'000, 1'375'000, 2'200'000};
  EXPECT_EQ(claude.dearest_input(false), 1'100'000);
  EXPECT_EQ(claude.dearest_input(true), 1'375'000);
  const TokenPrices nova{35'000, 140'000, 8'750, 0, 35'000};
  EXPECT_EQ(nova.dearest_input(true), 35'000);
}

TEST(Catalogue, InfrastructurePricesAreRoundedUpToWholePicoDollars) {
  const InfrastructurePrices& prices = built_in().infrastructure();
  EXPECT_EQ(prices.vcpu_second, 11'244'445);  // 0.04048 / 3600 = 11,244,444.4…
  EXPECT_EQ(prices.gb_second, 1'234'723);     // 0.004445 / 3600 = 1,234,722.2…
  EXPECT_EQ(prices.s3_put, 5'000'000);
  EXPECT_EQ(prices.s3_get, 400'000);
  EXPECT_EQ(prices.dynamodb_write_unit, 625'000);
  EXPECT_EQ(prices.dynamodb_read_unit, 125'000);
  EXPECT_EQ(prices.date, "2026-09-11");
}

TEST(Catalogue, EveryAliasResolvesInEachGeography) {
  for (const auto& model : built_in().models()) {
    for (const std::string& alias : model->aliases) {
      for (const char* region : {"us-east-1", "eu-west-1", "ap-northeast-1", "sa-east-1", ""}) {
        const auto found = built_in().resolve(alias, region);
        ASSERT_TRUE(found) << alias << " " << region << ": " << found.error().message;
        EXPECT_EQ(found->info, model) << alias;
        EXPECT_TRUE(found->prices("")) << alias;
        // What an alias stands for can be written out, and means the same.
        const auto again = built_in().resolve(found->name, region);
        ASSERT_TRUE(again) << found->name;
        EXPECT_EQ(again->id, found->id);
        EXPECT_EQ(again->scope, found->scope);
      }
    }
  }
}

TEST(Catalogue, AliasTakesTheProfileOfTheRegion) {
  const struct {
    const char* alias;
    const char* region;
    const char* name;
  } cases[] = {
      {"claude-haiku", "us-east-1", "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0"},
      {"claude-haiku", "", "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0"},
      {"claude-haiku", "eu-west-1", "bedrock/eu.anthropic.claude-haiku-4-5-20251001-v1:0"},
      {"claude-haiku", "ap-northeast-1", "bedrock/jp.anthropic.claude-haiku-4-5-20251001-v1:0"},
      {"claude-haiku", "ap-southeast-2", "bedrock/au.anthropic.claude-haiku-4-5-20251001-v1:0"},
      {"claude-haiku", "ap-south-1", "bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0"},
      {"claude-haiku", "sa-east-1", "bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0"},
      {"claude-sonnet-4.5", "us-gov-west-1", "bedrock/us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0"},
      {"claude-opus", "ap-northeast-1", "bedrock/global.anthropic.claude-opus-4-6-v1"},
      {"nova-micro", "ap-northeast-1", "bedrock/apac.amazon.nova-micro-v1:0"},
      {"nova-micro", "us-gov-west-1", "bedrock/amazon.nova-micro-v1:0"},
      {"nova-micro", "ca-central-1", "bedrock/amazon.nova-micro-v1:0"},
      {"nova-2-lite", "ap-northeast-1", "bedrock/jp.amazon.nova-2-lite-v1:0"},
      {"nova-premier", "us-west-2", "bedrock/us.amazon.nova-premier-v1:0"},
      {"llama-3.1-8b", "us-east-1", "bedrock/us.meta.llama3-1-8b-instruct-v1:0"},
      {"llama-3.1-70b", "eu-west-1", "bedrock/meta.llama3-1-70b-instruct-v1:0"},
      {"llama-3.3-70b", "us-east-2", "bedrock/us.meta.llama3-3-70b-instruct-v1:0"},
      {"mistral-7b", "eu-west-1", "bedrock/mistral.mistral-7b-instruct-v0:2"},
      {"mistral-large", "us-east-1", "bedrock/mistral.mistral-large-3-675b-instruct"},
      {"gpt-oss-20b", "us-west-2", "bedrock/openai.gpt-oss-20b-1:0"},
      {"gpt-oss-120b", "eu-west-1", "bedrock/openai.gpt-oss-120b-1:0"},
  };
  for (const auto& c : cases) EXPECT_EQ(resolved(c.alias, c.region), c.name) << c.alias << " " << c.region;
  EXPECT_EQ(built_in().resolve("claude-haiku", "sa-east-1")->scope, "global");
  EXPECT_EQ(built_in().resolve("claude-haiku", "us-east-1")->scope, "geo");
  EXPECT_THAT(refusal(built_in(), "claude-haiku", "us-gov-west-1"),
              HasSubstr("has no profile that can be called in us-gov-west-1"));
}

TEST(Catalogue, IdsAndArnsFindTheirModel) {
  const std::string haiku = "anthropic.claude-haiku-4-5-20251001-v1:0";
  const std::string account = "arn:aws:bedrock:us-east-1:123456789012:";
  for (const std::string& id : {"us." + haiku, account + "inference-profile/us." + haiku}) {
    for (const std::string& name : {id, "bedrock/" + id}) {
      const auto model = built_in().resolve(name, "eu-west-1");
      ASSERT_TRUE(model) << model.error().message;
      EXPECT_EQ(model->name, "bedrock/" + id);
      EXPECT_EQ(model->id, id);
      EXPECT_EQ(model->parsed.provider, Provider::bedrock);
      EXPECT_EQ(model->parsed.variant, id);
      ASSERT_TRUE(model->info) << id;
      EXPECT_EQ(model->info->id, haiku);
      EXPECT_EQ(model->scope, "geo");
    }
  }
  EXPECT_EQ(built_in().resolve(account + "inference-profile/global." + haiku, "")->scope, "global");
  EXPECT_TRUE(built_in().resolve("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", "")->info);
  // A profile that the catalogue does not list is AWS's business.
  EXPECT_TRUE(built_in().resolve("jp.anthropic.claude-opus-4-6-v1", "")->info);
}

TEST(Catalogue, UnknownIdsAreAllowedBehindTheirProviderAndHaveNoPrice) {
  for (const char* name : {"bedrock/somebody.new-model-v9:0",
                           "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456",
                           "openai/meta-llama/Llama-3.1-8B-Instruct", "openai/llama3.2:3b"}) {
    const auto model = built_in().resolve(name, "us-east-1");
    ASSERT_TRUE(model) << name << ": " << model.error().message;
    EXPECT_FALSE(model->info) << name;
    EXPECT_FALSE(model->prices("")) << name;
  }
  EXPECT_EQ(built_in().resolve("openai/meta-llama/Llama-3.1-8B-Instruct", "")->id, "meta-llama/Llama-3.1-8B-Instruct");
}

TEST(Catalogue, OpenAiModelsAreNamedWithOrWithoutTheirProvider) {
  for (const char* name : {"openai/gpt-4o-mini", "gpt-4o-mini"}) {
    const auto model = built_in().resolve(name, "");
    ASSERT_TRUE(model) << name;
    EXPECT_EQ(model->name, "openai/gpt-4o-mini");
    EXPECT_EQ(model->id, "gpt-4o-mini");
    EXPECT_EQ(model->parsed.provider, Provider::openai);
    EXPECT_FALSE(model->endpoint);
    EXPECT_EQ(model->prices("")->input, 150'000);
  }
  const auto reasoning = built_in().resolve("openai/gpt-5-mini", "");
  EXPECT_FALSE(reasoning->info->capabilities.temperature);
  EXPECT_TRUE(reasoning->info->capabilities.max_completion_tokens);
}

TEST(Catalogue, OfflineModelsAreAsTheyWereAndFree) {
  for (const char* name : {"offline", "offline/echo?latency_ms=20", "offline/ngram", "none"}) {
    const auto model = built_in().resolve(name, "us-east-1");
    ASSERT_TRUE(model) << name;
    EXPECT_EQ(model->name, name);
    EXPECT_EQ(*model->prices("flex"), TokenPrices{}) << name;
  }
  EXPECT_EQ(built_in().resolve("offline/echo?latency_ms=20", "")->parsed.latency_ms, 20);
  EXPECT_EQ(refusal(built_in(), "offline/ehco"), "the model 'offline/ehco' is not known; did you mean offline/echo?");
}

TEST(Catalogue, CapabilitiesTellWhatAModelRefuses) {
  const auto capabilities = [](std::string_view name) {
    return built_in().resolve(name, "us-east-1")->info->capabilities;
  };
  EXPECT_TRUE(capabilities("claude-3-haiku").temperature_with_top_p);
  EXPECT_FALSE(capabilities("claude-haiku").temperature_with_top_p);
  EXPECT_TRUE(capabilities("claude-haiku").temperature);
  EXPECT_TRUE(capabilities("claude-sonnet").temperature);
  for (const char* name :
       {"claude-opus-4.7", "claude-opus-4.8", "claude-opus-5", "claude-sonnet-5", "claude-fable-5"}) {
    EXPECT_FALSE(capabilities(name).temperature) << name;
    EXPECT_FALSE(capabilities(name).top_p) << name;
    EXPECT_FALSE(capabilities(name).prefill) << name;
  }
  EXPECT_FALSE(capabilities("claude-fable-5").forced_tools);
  EXPECT_FALSE(capabilities("mistral-7b").system);
  EXPECT_TRUE(capabilities("nova-lite").cache);
}

TEST(Catalogue, SaysWhatIsWrongWithANameAndWhatIsNear) {
  const struct {
    const char* name;
    const char* message;
  } cases[] = {
      {"claude-hiaku", "the model 'claude-hiaku' is not known; did you mean claude-haiku?"},
      {"ofline", "the model 'ofline' is not known; did you mean offline?"},
      {"gpt-4o-mimi", "the model 'gpt-4o-mimi' is not known; did you mean gpt-4o-mini?"},
      {"anthropic.claude-opus-6",
       "the model 'anthropic.claude-opus-6' is not known; did you mean anthropic.claude-opus-5?"},
      {"bedrok/x.y", "the model 'bedrok/x.y' is not known; did you mean bedrock/x.y?"},
      {"something-else-entirely",
       "the model 'something-else-entirely' is not known; plot-palette models lists the known ones, and bedrock/<id> "
       "or "
       "openai/<name> takes any other"},
      {"together/x",
       "the model 'together/x' is not known; before the / stands bedrock, openai, offline or the name of an endpoint "
       "from a file for --models"},
      {"amazon.nova-2-lite-v1:0",
       "the model 'amazon.nova-2-lite-v1:0' cannot be called by its base id, only through an inference profile; use "
       "us.amazon.nova-2-lite-v1:0, eu.amazon.nova-2-lite-v1:0, jp.amazon.nova-2-lite-v1:0 or "
       "global.amazon.nova-2-lite-v1:0"},
      {"arn:aws:s3:::bucket",
       "the model 'arn:aws:s3:::bucket' is no ARN of Bedrock's; expected is "
       "arn:aws:bedrock:<region>:<account>:inference-profile/<id>, or another type in place of inference-profile"},
  };
  for (const auto& c : cases) EXPECT_EQ(refusal(built_in(), c.name), c.message);
  EXPECT_THAT(refusal(built_in(), "bedrock/"), HasSubstr("names no model"));
  EXPECT_THAT(refusal(built_in(), "bedrock/amazon.nova-lite-v1:0?latency_ms=5"), HasSubstr("for offline models"));
  EXPECT_THAT(refusal(built_in(), "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5"),
              HasSubstr("use us.anthropic.claude-opus-5"));
}

}  // namespace
}  // namespace palette::job
