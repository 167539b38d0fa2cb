#include "answer.h"

#include <gtest/gtest.h>

namespace palette::sim {
namespace {

Call call_of(std::string_view text) {
  const Result<Json> body = parse_json(text);
  EXPECT_TRUE(body);
  Result<Call> call = read_converse("us.amazon.nova-lite-v1:0", body->get_object());
  EXPECT_TRUE(call) << call.error().message;
  return *call;
}

// What the ledger's bound stands on: bytes of the request plus 16 a message, and max_tokens.
TEST(Tokens, NeverExceedTheBytesPlusSixteenAMessage) {
  const std::string_view texts[] = {"a", "ab", "abcde", "日本語", "🙂", "line\nbreak", "int main() { return 0; }"};
  for (const std::string_view text : texts) {
    PromptMeter meter("m");
    meter.message("user");
    meter.text(text);
    EXPECT_LE(meter.tokens(), static_cast<std::int64_t>(text.size()) + 16) << text;
    EXPECT_GE(meter.tokens(), kTokensPerMessage + 1) << text;
  }
  EXPECT_EQ(tokens_of(""), 0);
}

TEST(Answer, NeverHasMoreTokensThanMaxTokens) {
  Call call = call_of(R"({"messages":[{"role":"user","content":[{"text":"Why?"}]}]})");
  const std::string whole = make_answer(call, 100).text;
  for (std::int64_t most = 1; most <= 200; ++most) {
    call.max_tokens = most;
    const Answer answer = make_answer(call, 100);
    EXPECT_LE(tokens_of(answer.text), most);
    EXPECT_EQ(answer.text, whole.substr(0, static_cast<std::size_t>(4 * most)));
    EXPECT_EQ(answer.stop == Stop::max_tokens, answer.text.size() < whole.size());
  }
}

TEST(Answer, EndsByItselfWhereThereIsRoomForSentences) {
  Call call = call_of(R"({"messages":[{"role":"user","content":[{"text":"Why?"}]}]})");
  for (std::int64_t most = 1; most <= 150; ++most) {
    call.max_tokens = most;
    const Answer answer = make_answer(call, 0);
    EXPECT_LE(tokens_of(answer.text), most);
    EXPECT_EQ(answer.stop, most < 32 ? Stop::max_tokens : Stop::end) << most;
    EXPECT_TRUE(most < 32 || answer.text.ends_with('.')) << answer.text;
  }
}

TEST(Answer, HasAsManyWordsAsAreAskedFor) {
  const Call call = call_of(R"({"messages":[{"role":"user","content":[{"text":"Why?"}]}]})");
  for (const std::int64_t words : {1, 2, 100}) {
    const std::string text = make_answer(call, words).text;
    EXPECT_EQ(std::count(text.begin(), text.end(), ' '), words - 1);
    EXPECT_TRUE(text.ends_with('.'));
  }
}

TEST(Prompt, MovingTextBetweenMessagesChangesTheHash) {
  const Call one = call_of(R"({"messages":[{"role":"user","content":[{"text":"ab"},{"text":"c"}]}]})");
  const Call two = call_of(R"({"messages":[{"role":"user","content":[{"text":"a"},{"text":"bc"}]}]})");
  const Call system = call_of(R"({"system":[{"text":"ab"}],"messages":[{"role":"user","content":[{"text":"c"}]}]})");
  EXPECT_NE(one.prompt_hash, two.prompt_hash);
  EXPECT_NE(one.prompt_hash, system.prompt_hash);
}

TEST(Prompt, IdentityNeedsAllThreeParts) {
  const auto identity = [](std::string_view text) { return identity_of(parse_json(text)->get_object()); };
  EXPECT_EQ(identity(R"({"job":"j-1","record":"17","step":"answer"})"), "j-1-17/answer");
  EXPECT_EQ(identity(R"({"job":"j-1","record":"17"})"), "");
  EXPECT_EQ(identity(R"({"job":"j-1","record":17,"step":"answer"})"), "");
}

}  // namespace
}  // namespace palette::sim
