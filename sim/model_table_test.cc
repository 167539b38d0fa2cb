#include "model_table.h"

#include <gtest/gtest.h>

namespace palette::sim {
namespace {

TEST(Decimal, IsExact) {
  EXPECT_EQ(to_decimal(0), "0");
  EXPECT_EQ(to_decimal(1), "0.000000000001");
  EXPECT_EQ(to_decimal(12'500'000'000), "0.0125");
  EXPECT_EQ(to_decimal(3'000'000'000'000), "3");
  EXPECT_EQ(to_decimal(static_cast<PicoSum>(9'000'000'000'000'000'000) * 100 + 5), "900000000.000000000005");
}

TEST(ModelTable, KnowsPricesByIdProfileAndArn) {
  const auto catalogue = job::Catalogue::built_in();
  ASSERT_TRUE(catalogue) << catalogue.error().text();
  ModelTable table(*catalogue);
  const Usage usage{.input = 1'000'000};
  const auto cost = [&](std::string_view id) {
    const Result<Model*> model = table.find(id, false);
    return model ? to_decimal((*model)->cost_pico(usage, "")) : model.error().message;
  };
  EXPECT_EQ(cost("us.anthropic.claude-haiku-4-5-20251001-v1:0"), "1.1");
  EXPECT_EQ(cost("global.anthropic.claude-haiku-4-5-20251001-v1:0"), "1");
  EXPECT_EQ(cost("anthropic.claude-haiku-4-5-20251001-v1:0"), "1.1");  // only profiles may call it; see --strict
  EXPECT_EQ(cost("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"), "0.06");
  EXPECT_EQ(cost("acme.unknown"), "0");
}

TEST(ModelTable, IsBounded) {
  const auto catalogue = job::Catalogue::built_in();
  ASSERT_TRUE(catalogue) << catalogue.error().text();
  ModelTable table(*catalogue);
  for (std::size_t i = 0; i < ModelTable::kModelsMax; ++i) ASSERT_TRUE(table.find("m" + std::to_string(i), false));
  EXPECT_FALSE(table.find("one more", false));
  EXPECT_TRUE(table.find("m0", false));
}

}  // namespace
}  // namespace palette::sim
