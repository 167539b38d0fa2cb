#include "model/bedrock_provider.h"

#include <gtest/gtest.h>

#include "model/test_provider_server.h"

namespace palette::model {
namespace {

// --- The call that goes out

ModelRequest from_step() {
  ModelRequest out = asking("p");
  out.identity = {"job-1", "schön\n", RecordIndex{12}};
  out.options.service_tier = "priority";
  return out;
}

TEST(BedrockCall, ConverseHasEverythingInItsBody) {
  const aws::ServiceRequest call = bedrock_call(from_step(), bedrock_model().resolved, {.total_ms = 7});
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.path, "/model/m/converse");
  EXPECT_EQ(call.query, "");
  EXPECT_EQ(call.deadlines.total_ms, 7);
  EXPECT_EQ(call.headers.get("content-type"), "application/json");
  EXPECT_EQ(call.headers.find("X-Amzn-Bedrock-Request-Metadata"), nullptr);
  EXPECT_EQ(call.headers.find("X-Amzn-Bedrock-Service-Tier"), nullptr);
  EXPECT_NE(call.body.find(R"("requestMetadata":{"job":"job-1","record":"12","step":"sch_n_"})"), std::string::npos);
  EXPECT_NE(call.body.find(R"("serviceTier":{"type":"priority"})"), std::string::npos);
}

TEST(BedrockCall, InvokeModelHasItInHeaders) {
  const TestModel model = invoked_model(job::ModelFamily::llama);
  const aws::ServiceRequest call = bedrock_call(from_step(), model.resolved, {});
  EXPECT_EQ(call.path, "/model/m/invoke");
  EXPECT_EQ(call.headers.get("X-Amzn-Bedrock-Request-Metadata"), R"({"job":"job-1","record":"12","step":"sch_n_"})");
  EXPECT_EQ(call.headers.get("X-Amzn-Bedrock-Service-Tier"), "priority");
  EXPECT_TRUE(call.body.starts_with(R"({"prompt":)"));
  const aws::ServiceRequest plain = bedrock_call(asking("p"), model.resolved, {});
  EXPECT_EQ(plain.headers.find("X-Amzn-Bedrock-Request-Metadata"), nullptr);
  EXPECT_EQ(plain.headers.find("X-Amzn-Bedrock-Service-Tier"), nullptr);
}

TEST(BedrockCall, IdsAreEncodedIntoOneSegment) {
  TestModel model = bedrock_model();
  model.resolved.id = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
  EXPECT_EQ(bedrock_call(asking("p"), model.resolved, {}).path,
            "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse");
  model.resolved.id = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
  EXPECT_EQ(bedrock_call(asking("p"), model.resolved, {}).path,
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse");
}

// --- Calls without an answer

TEST(BedrockFailure, SaysWhatMayHaveBeenPaidFor) {
  using Billed = ProviderFailure::Billed;
  struct Case {
    ErrorKind kind;
    int status;
    const char* code;
    bool sent;
    ErrorKind told;
    Billed billed;
  };
  const Case cases[] = {
      {ErrorKind::throttled, 429, "ThrottlingException", true, ErrorKind::throttled, Billed::nothing},
      {ErrorKind::timeout, 408, "ModelTimeoutException", true, ErrorKind::timeout, Billed::nothing},
      {ErrorKind::unavailable, 503, "ServiceUnavailableException", true, ErrorKind::unavailable, Billed::nothing},
      {ErrorKind::unavailable, 500, "", true, ErrorKind::unavailable, Billed::nothing},
      {ErrorKind::unavailable, 502, "", true, ErrorKind::unavailable, Billed::unknown},
      {ErrorKind::unavailable, 504, "", true, ErrorKind::unavailable, Billed::unknown},
      {ErrorKind::unavailable, 0, "", false, ErrorKind::unavailable, Billed::nothing},
      {ErrorKind::denied, 0, "", false, ErrorKind::denied, Billed::nothing},
      {ErrorKind::unavailable, 0, "", true, ErrorKind::unavailable, Billed::unknown},
      {ErrorKind::timeout, 0, "", true, ErrorKind::timeout, Billed::unknown},
      {ErrorKind::cancelled, 0, "", true, ErrorKind::cancelled, Billed::unknown},
      {ErrorKind::too_large, 0, "", true, ErrorKind::too_large, Billed::unknown},
      {ErrorKind::corrupt, 0, "", true, ErrorKind::unavailable, Billed::unknown},
  };
  for (const Case& one : cases) {
    aws::ServiceFailure failure;
    failure.error = {one.kind, "it failed"};
    failure.error.retry_after_ms = 5;
    failure.status = one.status;
    failure.code = one.code;
    failure.sent = one.sent;
    const ProviderFailure told = failed_bedrock_call(failure, bedrock_model().resolved);
    EXPECT_EQ(told.error.kind, one.told) << one.status << one.code;
    EXPECT_EQ(told.billed, one.billed) << one.status << one.code;
    EXPECT_EQ(told.error.message, "bedrock/m: it failed");
    EXPECT_EQ(told.error.retry_after_ms, 5);
  }
}

// --- Over the wire

struct BedrockProviderTest : ::testing::Test {
  AnsweringServer server;

  std::string ask(const TestModel& model, ModelRequest request = asking("p")) {
    aws::ServiceParts parts;
    parts.http = server.client;
    parts.clock = &system_clock();
    parts.bearer_token = "token";
    const auto service = std::make_shared<aws::Service>(
        aws::ServiceName{"bedrock-runtime", "bedrock", "Bedrock Runtime"}, server.url("/"), "us-east-1", parts);
    const auto provider = make_bedrock_provider(model.resolved, service, {});
    EXPECT_EQ(provider->name(), "bedrock/m");
    return in_words(contract::await(provider->ask(shared(std::move(request)))));
  }
};

TEST_F(BedrockProviderTest, ConversesWithAModel) {
  server.reply.body =
      R"({"output":{"message":{"content":[{"text":"t"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}})";
  EXPECT_EQ(ask(bedrock_model()), "complete 't' (1 in, 2 out, 0 read, 0 written)");
  EXPECT_EQ(server.asked.method, "POST");
  EXPECT_EQ(server.asked.target, "/model/m/converse");
  EXPECT_EQ(server.asked.body, R"({"messages":[{"role":"user","content":[{"text":"p"}]}]})");
  EXPECT_EQ(server.asked.headers.get("content-type"), "application/json");
}

TEST_F(BedrockProviderTest, InvokesAModelWithoutConverseAndReadsTheCountsOfItsHeaders) {
  server.reply.body = R"({"outputs":[{"text":"t","stop_reason":"length"}]})";
  server.reply.headers.add("X-Amzn-Bedrock-Input-Token-Count", "5");
  server.reply.headers.add("X-Amzn-Bedrock-Output-Token-Count", "6");
  EXPECT_EQ(ask(invoked_model(job::ModelFamily::mistral_text)), "truncated 't' (5 in, 6 out, 0 read, 0 written)");
  EXPECT_EQ(server.asked.target, "/model/m/invoke");
}

TEST_F(BedrockProviderTest, ARefusedCallBillsNothing) {
  server.reply.status = 429;
  server.reply.headers.add("x-amzn-ErrorType", "ThrottlingException");
  server.reply.body = R"({"message":"Too many requests"})";
  const std::string words = ask(bedrock_model());
  EXPECT_TRUE(words.starts_with("throttled: bedrock/m: ")) << words;
  EXPECT_TRUE(words.ends_with("(billed nothing)")) << words;
}

TEST_F(BedrockProviderTest, AnAnswerThatIsCutMayHaveBeenPaidFor) {
  server.reply.body = std::string(1000, ' ');
  server.ending = http::Ending::half;
  const std::string words = ask(bedrock_model());
  EXPECT_TRUE(words.starts_with("unavailable: bedrock/m: ")) << words;
  EXPECT_TRUE(words.ends_with("(billed unknown)")) << words;
}

}  // namespace
}  // namespace palette::model
