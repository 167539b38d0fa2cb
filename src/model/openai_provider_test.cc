#include "model/openai_provider.h"

#include <gtest/gtest.h>

#include "model/test_provider_server.h"

namespace palette::model {
namespace {

TEST(ChatUrl, HasThePathOfChatCompletions) {
  const std::pair<const char*, const char*> cases[] = {
      {"/v1", "/v1/chat/completions"},
      {"/v1/", "/v1/chat/completions"},
      {"/", "/chat/completions"},
      {"", "/chat/completions"},
      {"/openai/deployments/d?api-version=1", "/openai/deployments/d/chat/completions?api-version=1"},
  };
  for (const auto& [base, target] : cases) {
    http::Url url;
    url.target = base;
    EXPECT_EQ(chat_url(url).target, target);
  }
}

TEST(ClientRequestId, IsPrintableAscii) {
  EXPECT_EQ(client_request_id("job-1-12/question"), "job-1-12/question");
  EXPECT_EQ(client_request_id("a b\r\né\x7f~"),
            "a_b____"
            "_~");
  EXPECT_EQ(client_request_id(std::string(600, 'x')).size(), 512u);
}

TEST(OpenAiFailure, SaysWhatMayHaveBeenPaidFor) {
  using Billed = ProviderFailure::Billed;
  const std::tuple<ErrorKind, bool, ErrorKind, Billed> cases[] = {
      {ErrorKind::unavailable, false, ErrorKind::unavailable, Billed::nothing},
      {ErrorKind::unavailable, true, ErrorKind::unavailable, Billed::unknown},
      {ErrorKind::timeout, true, ErrorKind::timeout, Billed::unknown},
      {ErrorKind::cancelled, true, ErrorKind::cancelled, Billed::unknown},
      {ErrorKind::denied, false, ErrorKind::denied, Billed::nothing},
      {ErrorKind::corrupt, true, ErrorKind::unavailable, Billed::unknown},
  };
  for (const auto& [kind, sent, told, billed] : cases) {
    const ProviderFailure failure = failed_exchange({{kind, "it failed"}, sent}, "openai/gpt", "models.example");
    EXPECT_EQ(failure.error.kind, told);
    EXPECT_EQ(failure.billed, billed);
    EXPECT_EQ(failure.error.message, "openai/gpt at models.example: it failed");
  }
}

// --- Over the wire

struct OpenAiProviderTest : ::testing::Test {
  AnsweringServer server;

  OpenAiProviderTest() {
    server.reply.body =
        R"({"choices":[{"message":{"content":"t"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}})";
  }

  ProviderResult result(const std::string& key, ModelRequest request) {
    const auto provider = make_openai_provider(openai_model().resolved, server.client, server.url("/v1"), key, {});
    EXPECT_EQ(provider->name(), "openai/gpt");
    return contract::await(provider->ask(shared(std::move(request))));
  }
  std::string ask(const std::string& key = "sk-secret", ModelRequest request = asking("p")) {
    return in_words(result(key, std::move(request)));
  }
};

TEST_F(OpenAiProviderTest, AsksAServer) {
  ModelRequest request = asking("p");
  request.identity = {"job-1", "schön", RecordIndex{12}};
  EXPECT_EQ(ask("sk-secret", request), "complete 't' (1 in, 2 out, 0 read, 0 written)");
  EXPECT_EQ(server.asked.method, "POST");
  EXPECT_EQ(server.asked.target, "/v1/chat/completions");
  EXPECT_EQ(server.asked.body, R"({"model":"gpt","messages":[{"role":"user","content":"p"}]})");
  EXPECT_EQ(server.asked.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(server.asked.headers.get("Authorization"), "Bearer sk-secret");
  EXPECT_EQ(server.asked.headers.get("X-Client-Request-Id"), "job-1-12/sch__n");
}

TEST_F(OpenAiProviderTest, SendsNoKeyAndNoIdentityThatItDoesNotHave) {
  ask("");
  EXPECT_EQ(server.asked.headers.find("Authorization"), nullptr);
  EXPECT_EQ(server.asked.headers.find("X-Client-Request-Id"), nullptr);
}

TEST_F(OpenAiProviderTest, NeverRepeatsTheKey) {
  server.reply.status = 401;
  server.reply.body = R"({"error":{"message":"the key sk-secret is wrong"}})";
  const std::string words = ask();
  EXPECT_EQ(words.find("sk-secret"), std::string::npos) << words;
  EXPECT_NE(words.find("status 401: the key [key] is wrong; check that OPENAI_API_KEY"), std::string::npos) << words;
  server.reply.status = 200;
  EXPECT_EQ(ask().find("sk-secret"), std::string::npos);
  server.reply.body = "not JSON: sk-secret";
  EXPECT_EQ(ask().find("sk-secret"), std::string::npos);
}

TEST_F(OpenAiProviderTest, WaitsAsLongAsItIsTold) {
  server.reply.status = 429;
  server.reply.headers.add("Retry-After", "1.5");
  EXPECT_EQ(result("", asking("p")).error().error.retry_after_ms, 1'500);
  server.reply.headers.set("Retry-After", "Sun, 06 Nov 1994 08:49:47 GMT");
  server.reply.headers.set("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(result("", asking("p")).error().error.retry_after_ms, 10'000) << "by the server's clock";
  server.reply.headers.remove("Retry-After");
  server.reply.headers.set("X-RateLimit-Remaining-Tokens", "0");
  server.reply.headers.set("X-RateLimit-Reset-Tokens", "6m0s");
  EXPECT_EQ(result("", asking("p")).error().error.retry_after_ms, 360'000);
}

TEST_F(OpenAiProviderTest, AnAnswerThatIsCutMayHaveBeenPaidFor) {
  for (const http::Ending ending : {http::Ending::cut, http::Ending::half}) {
    server.ending = ending;
    const std::string words = ask();
    EXPECT_TRUE(words.starts_with("unavailable: openai/gpt at 127.0.0.1:")) << words;
    EXPECT_TRUE(words.ends_with("(billed unknown)")) << words;
  }
}

}  // namespace
}  // namespace palette::model
