#include "model/openai_errors.h"

#include <gtest/gtest.h>

#include "base/utf8.h"
#include "model/test_provider.h"

namespace palette::model {
namespace {

struct OpenAiErrors : ::testing::Test {
  TestModel model = openai_model();

  ProviderFailure failed(int status, std::string_view body, const WaitHeaders& headers = {}) {
    return failed_chat(status, body, headers, 0, {&model.resolved, "models.example:8000"});
  }
  std::string words(int status, std::string_view body) {
    return in_words(ProviderResult(std::unexpected(failed(status, body))));
  }
  std::optional<ErrorKind> kind_inside(std::string_view body) {
    const auto inside = error_in_answer(parse_json(body)->as_object(), {&model.resolved, "models.example:8000"});
    if (!inside) return std::nullopt;
    EXPECT_EQ(inside->billed, ProviderFailure::Billed::unknown);
    return inside->error.kind;
  }
};

TEST_F(OpenAiErrors, EveryStatusHasItsKind) {
  const std::pair<int, ErrorKind> cases[] = {
      {400, ErrorKind::bad_input},   {401, ErrorKind::denied},      {402, ErrorKind::quota},
      {403, ErrorKind::denied},      {404, ErrorKind::not_found},   {405, ErrorKind::bad_input},
      {408, ErrorKind::timeout},     {409, ErrorKind::unavailable}, {413, ErrorKind::too_large},
      {422, ErrorKind::bad_input},   {425, ErrorKind::unavailable}, {429, ErrorKind::throttled},
      {500, ErrorKind::unavailable}, {502, ErrorKind::unavailable}, {503, ErrorKind::unavailable},
      {504, ErrorKind::unavailable}, {529, ErrorKind::unavailable}, {301, ErrorKind::bad_input},
  };
  for (const auto& [status, kind] : cases) EXPECT_EQ(failed(status, "").error.kind, kind) << status;
}

TEST_F(OpenAiErrors, AnErrorStatusBillsNothingButAGatewaysMayHave) {
  for (const int status : {400, 401, 408, 429, 500, 503}) {
    EXPECT_EQ(failed(status, "").billed, ProviderFailure::Billed::nothing) << status;
  }
  for (const int status : {502, 504, 520, 524}) {
    EXPECT_EQ(failed(status, "").billed, ProviderFailure::Billed::unknown) << status;
  }
}

TEST_F(OpenAiErrors, MessagesSayWhereWhatAndWhatToDo) {
  EXPECT_EQ(
      words(401, R"({"error":{"message":"Incorrect API key provided.","type":"invalid_request_error",)"
                 R"("code":"invalid_api_key"}})"),
      "denied: openai/gpt at models.example:8000: status 401 (invalid_api_key): Incorrect API key provided.; check "
      "that OPENAI_API_KEY holds a key that may use this model (billed nothing)");
  EXPECT_EQ(
      words(404, R"({"error":{"message":"The model `gpt` does not exist","code":"model_not_found"}})"),
      "not_found: openai/gpt at models.example:8000: status 404 (model_not_found): The model `gpt` does not exist; "
      "the server does not know the model 'gpt', or its base URL is another (/v1 is part of it) (billed nothing)");
  EXPECT_EQ(words(503, ""),
            "unavailable: openai/gpt at models.example:8000: status 503; the server is not well or is busy; try again "
            "later if this goes on (billed nothing)");
  auto endpoint = std::make_shared<job::Endpoint>();
  endpoint->key_variable = "LOCAL_KEY";
  model.resolved.endpoint = endpoint;
  EXPECT_NE(words(403, "").find("check that LOCAL_KEY holds"), std::string::npos);
}

TEST_F(OpenAiErrors, EveryShapeOfABodyIsRead) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"error":{"message":"m","type":"t","param":null,"code":"c"}})", "status 400 (c): m; "},
      {R"({"error":{"message":"m","type":"t","code":null}})", "status 400 (t): m; "},
      {R"({"error":{"message":"m","code":400}})", "status 400 (400): m; "},
      {R"({"error":"m"})", "status 400: m; "},
      {R"({"object":"error","message":"m","type":"BadRequestError","code":400})", "status 400 (400): m; "},
      {R"({"message":"m"})", "status 400: m; "},
      {R"({"detail":"m"})", "status 400: m; "},
      {R"({"detail":[{"loc":["body"]}]})", R"(status 400: {"detail":[{"loc":["body"]}]}; )"},
      {"<html>\n<b>m</b>", "status 400: <html> <b>m</b>; "},
      {R"(["m"])", R"(status 400: ["m"]; )"},
  };
  for (const auto& [body, part] : cases) {
    EXPECT_NE(failed(400, body).error.message.find(part), std::string::npos) << failed(400, body).error.message;
  }
}

TEST_F(OpenAiErrors, AUsedUpQuotaIsNotThrottling) {
  EXPECT_EQ(
      failed(429, R"({"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}})").error.kind,
      ErrorKind::quota);
  EXPECT_EQ(failed(429, R"({"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}})").error.kind,
            ErrorKind::throttled);
}

TEST_F(OpenAiErrors, AFilteredPromptIsRefused) {
  EXPECT_EQ(failed(400, R"({"error":{"message":"m","code":"content_filter"}})").error.kind, ErrorKind::refused);
  EXPECT_EQ(failed(400, R"({"error":{"message":"m","code":"content_policy_violation"}})").error.kind,
            ErrorKind::refused);
  EXPECT_EQ(failed(500, R"({"error":{"message":"m","code":"content_filter"}})").error.kind, ErrorKind::unavailable);
}

TEST_F(OpenAiErrors, WhatTheServerAsksUsToWaitIsTold) {
  EXPECT_EQ(failed(429, "", {.retry_after = "1.5"}).error.retry_after_ms, 1'500);
  EXPECT_EQ(failed(503, "", {.retry_after_ms = "20"}).error.retry_after_ms, 20);
  EXPECT_EQ(failed(429, "").error.retry_after_ms, 0);
}

TEST_F(OpenAiErrors, LongMessagesAreShortened) {
  std::string said;
  for (int i = 0; i < 200; ++i) said += "é";  // the cut at 300 bytes must not fall inside one
  const std::string message = failed(400, R"({"error":{"message":"x)" + said + R"("}})").error.message;
  EXPECT_EQ(find_invalid_utf8(message), std::string_view::npos);
  EXPECT_NE(message.find("…; change"), std::string::npos);
  EXPECT_LT(message.size(), 450u);
}

TEST_F(OpenAiErrors, AnErrorInsideAnAnswerHasTheKindOfItsName) {
  const std::pair<const char*, ErrorKind> cases[] = {
      {R"({"error":{"type":"rate_limit_error"}})", ErrorKind::throttled},
      {R"({"error":{"code":"rate_limit_exceeded"}})", ErrorKind::throttled},
      {R"({"error":{"code":"insufficient_quota","type":"rate_limit"}})", ErrorKind::quota},
      {R"({"error":{"type":"server_error"}})", ErrorKind::unavailable},
      {R"({"error":{"type":"internal_server_error"}})", ErrorKind::unavailable},
      {R"({"error":{"type":"overloaded_error"}})", ErrorKind::unavailable},
      {R"({"error":{"type":"invalid_request_error"}})", ErrorKind::bad_input},
      {R"({"error":{"type":"authentication_error"}})", ErrorKind::denied},
      {R"({"error":{"type":"invalid_request_error","code":"model_not_found"}})", ErrorKind::not_found},
      {R"({"error":{"message":"m","code":429}})", ErrorKind::throttled},
      {R"({"error":{"message":"m","code":502}})", ErrorKind::unavailable},
      {R"({"error":{}})", ErrorKind::unavailable},
      {R"({"error":"model is loading"})", ErrorKind::unavailable},
      {R"({"object":"error","message":"m","type":"BadRequestError","code":40001})", ErrorKind::bad_input},
  };
  for (const auto& [body, kind] : cases) EXPECT_EQ(kind_inside(body), kind) << body;
  for (const char* body : {"{}", R"({"error":null})", R"({"error":false})", R"({"object":"chat.completion"})"}) {
    EXPECT_EQ(kind_inside(body), std::nullopt) << body;
  }
}

TEST_F(OpenAiErrors, TheKeyIsNeverRepeated) {
  EXPECT_EQ(without_key("wrong key sk-secret, not sk-secret!", "sk-secret"), "wrong key [key], not [key]!");
  EXPECT_EQ(without_key("none of it", "none"), "none of it");
  EXPECT_EQ(without_key("text", ""), "text");
}

}  // namespace
}  // namespace palette::model
