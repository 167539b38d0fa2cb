#include "model/call_bound.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "model/test_provider.h"

namespace palette::model {
namespace {

constexpr job::TokenPrices kPrices{.input = 3, .output = 15, .cache_read = 1, .cache_write = 4, .cache_write_1h = 6};

struct Sample {
  const char* name;
  const char* text;
};
constexpr Sample kSamples[] = {
    {"english", "The quick brown fox jumps over the lazy dog, and nobody was harmed."},
    {"cjk", "机器学习模型需要大量的训练数据。日本語の文章もここにあります。한국어도 있습니다."},
    {"emoji", "👩‍👩‍👧‍👦🏳️‍🌈🧑🏽‍🚀🇩🇪❤️‍🔥"},
    {"code", "for (auto&& [k, v] : std::exchange(m_, {})) { if (!v->ok()) return -1; }\t\t\n"},
    {"rare", "\xF0\x92\x80\x80\xF0\x92\x80\x81\xF3\xA0\x84\x80\xEF\xBF\xBD"},
    {"empty", ""},
};

// The worst that a byte-level tokenizer can do: a token for every byte.
std::int64_t tokens_of(std::string_view text) { return static_cast<std::int64_t>(text.size()); }

TEST(CallBound, HoldsForTheWorstByteLevelTokenizerInEveryScript) {
  for (const Sample& system : kSamples) {
    for (const Sample& prompt : kSamples) {
      ModelRequest request = asking(prompt.text, system.text);
      request.messages.push_back({Message::Role::assistant, "{"});
      const CallBound bound = bound_of(request, 400, kPrices);
      const std::int64_t messages = 2 + (*system.text == '\0' ? 0 : 1);
      const std::int64_t real = tokens_of(system.text) + tokens_of(prompt.text) + tokens_of("{");
      EXPECT_EQ(bound.input_tokens, real + kTokensAroundRequest + kTokensAroundMessage * messages)
          << system.name << ", " << prompt.name;
      EXPECT_EQ(bound.output_tokens, 400);
      EXPECT_EQ(bound.cost.pico, 3 * bound.input_tokens + 15 * 400);
    }
  }
}

TEST(CallBound, CountsWhatTheUserPassesThrough) {
  ModelRequest request = asking("p");
  const std::int64_t without = bound_of(request, 1, kPrices).input_tokens;
  request.options.additional_fields = JsonObject{{"tools", "x"}};
  EXPECT_EQ(bound_of(request, 1, kPrices).input_tokens, without + tokens_of(R"({"tools":"x"})"));
}

// Of all the ways in which the input may be billed: plain, read from the cache, written to it.
TEST(CallBound, TakesTheDearestKindOfInputWhereThereIsACache) {
  struct Case {
    job::TokenPrices prices;
    std::int64_t plain, cached;  // the dearest, without and with a prefix to be cached
  };
  const Case cases[] = {
      {{.input = 3, .output = 15, .cache_read = 1, .cache_write = 4}, 3, 4},
      {{.input = 3, .output = 15, .cache_read = 1, .cache_write = 0}, 3, 3},
      {{.input = 3, .output = 15, .cache_read = 9, .cache_write = 4}, 9, 9},  // servers cache by themselves too
  };
  for (const auto& [prices, dearest_plain, dearest] : cases) {
    ModelRequest request = asking("p", "s");
    const CallBound plain = bound_of(request, 10, prices);
    EXPECT_EQ(plain.cost.pico, dearest_plain * plain.input_tokens + 150);
    request.cache_system = true;
    EXPECT_EQ(bound_of(request, 10, prices).cost.pico, dearest * plain.input_tokens + 150);
  }
}

TEST(CallBound, NoUsageWithinTheBoundCostsMore) {
  CounterRandom random(3, 0, stream_of("bound"));
  for (int i = 0; i < 2'000; ++i) {
    const auto price = [&] { return static_cast<std::int64_t>(random.below(75'000'000)); };
    const job::TokenPrices prices{price(), price(), price(), price(), price()};
    ModelRequest request = asking(std::string(random.below(3'000), 'x'), "system");
    request.cache_system = true;
    const CallBound bound = bound_of(request, static_cast<std::int64_t>(random.below(5'000)), prices);
    Usage usage;
    const auto some_of = [&](std::int64_t most) {
      return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most) + 1));
    };
    usage.input_tokens = some_of(bound.input_tokens);
    usage.cache_read_tokens = some_of(bound.input_tokens - usage.input_tokens);
    usage.cache_write_tokens = some_of(bound.input_tokens - usage.input_tokens - usage.cache_read_tokens);
    usage.output_tokens = some_of(bound.output_tokens);
    ASSERT_LE(cost_of(usage, prices), bound.cost);
  }
}

TEST(CallBound, BeyondTheRangeItStaysAtTheEndOfIt) {
  const job::TokenPrices dear{.input = INT64_MAX / 2, .output = INT64_MAX / 2};
  EXPECT_EQ(bound_of(asking("p"), 1'000'000, dear).cost.pico, Money::kPicoMax);
}

TEST(CostOf, EveryKindHasItsPrice) {
  const std::pair<Usage, std::int64_t> cases[] = {
      {{}, 0},           {{1, 0, 0, 0}, 3}, {{0, 1, 0, 0}, 15},
      {{0, 0, 1, 0}, 1}, {{0, 0, 0, 1}, 4}, {{1'000, 200, 50, 7}, 6'078},
  };
  for (const auto& [usage, pico] : cases) EXPECT_EQ(cost_of(usage, kPrices).pico, pico);
}

TEST(CostOf, IsExactWhereAFloatingPointNumberIsNot) {
  const job::TokenPrices prices{.input = 3'000'001, .output = 15'000'003};
  EXPECT_EQ(cost_of({1'000'000'007, 99'999'989, 0, 0}, prices).pico, 4'500'001'155'999'974);
}

TEST(OutputTokensMax, IsThatOfTheStepThenOfTheModelThenOfItsServer) {
  TestModel model = openai_model();
  auto endpoint = std::make_shared<job::Endpoint>();
  EXPECT_EQ(output_tokens_max({}, model.resolved), std::nullopt);
  model.resolved.endpoint = endpoint;
  EXPECT_EQ(output_tokens_max({}, model.resolved), std::nullopt);
  endpoint->output_tokens_max = 100;
  EXPECT_EQ(output_tokens_max({}, model.resolved), 100);
  model.info->output_tokens_max = 200;
  EXPECT_EQ(output_tokens_max({}, model.resolved), 200);
  job::CallOptions options;
  options.max_tokens = 300;
  EXPECT_EQ(output_tokens_max(options, model.resolved), 300);
  model.resolved.info = nullptr;
  EXPECT_EQ(output_tokens_max({}, model.resolved), 100);
}

}  // namespace
}  // namespace palette::model
