#include "aws/credential_parts.h"

#include "aws/service_error.h"
#include "aws/small_file.h"
#include "aws/timestamps.h"

namespace palette::aws {
namespace {

constexpr int kAttemptsMax = 3;
constexpr std::int64_t kBetweenAttempts_ms = 1'000;

bool is_transient(ErrorKind kind) {
  return kind == ErrorKind::unavailable || kind == ErrorKind::timeout || kind == ErrorKind::throttled;
}

// One attempt; any status but 200 is an error.
async::Task<Result<http::Response>> ask_once(SourceParts parts, http::Request request, std::string source) {
  http::Outcome<http::Response> answer = co_await parts.http->send(std::move(request));
  if (!answer) co_return std::unexpected(answer.error().error.at(source));
  if (answer->status == 200) co_return std::move(*answer);
  RefusalContext context;
  context.service = source;
  context.now = parts.clock->now();
  co_return std::unexpected(service_failure(context, *answer).error);
}

}  // namespace

Result<Credentials> credentials_of(KeyTexts texts, std::string source) {
  if (texts.access_key_id.empty() || texts.secret_access_key.empty()) {
    const std::string missing = texts.access_key_id.empty() ? "access key id" : "secret access key";
    return fail(ErrorKind::bad_input, "the credentials have no " + missing + "; both keys are needed", source);
  }
  for (const std::string& text : {texts.access_key_id, texts.secret_access_key, texts.session_token}) {
    if (has_control_characters(text)) {
      return fail(ErrorKind::bad_input, "a key or token has a line end or a control character inside; set it again",
                  source);
    }
  }
  Credentials out;
  if (!texts.expiration.empty()) {
    const Result<UtcTime> time = parse_expiry(texts.expiration);
    if (!time) return std::unexpected(time.error().at(source + ", expiration"));
    out.expires_at = *time;
  }
  out.keys = {std::move(texts.access_key_id), std::move(texts.secret_access_key), std::move(texts.session_token)};
  out.source = std::move(source);
  return out;
}

Result<Credentials> credentials_of(const JsonObject& object, std::string_view token_member, std::string source) {
  return credentials_of({text_of(object, "AccessKeyId"), text_of(object, "SecretAccessKey"),
                         text_of(object, token_member), text_of(object, "Expiration")},
                        std::move(source));
}

std::string text_of(const JsonObject& object, std::string_view name) {
  const Json* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<JsonObject> secret_json(std::string_view text, std::string_view source) {
  Result<Json> json = parse_json(text);
  if (json && json->is_object()) return std::move(json->get_object());
  return fail(ErrorKind::corrupt, "the answer is no JSON object; expected one that holds credentials",
              std::string(source));
}

async::Task<Result<http::Response>> ask_endpoint(SourceParts parts, http::Request request, std::string source,
                                                 RetryWhen retry) {
  for (int attempt = 1;; ++attempt) {
    Result<http::Response> answer = co_await ask_once(parts, request, source);
    if (answer || attempt == kAttemptsMax || retry == RetryWhen::never) co_return answer;
    const ErrorKind kind = answer.error().kind;
    if (kind == ErrorKind::cancelled) co_return answer;
    if (retry == RetryWhen::transient && !is_transient(kind)) co_return answer;
    if (const Status slept = co_await parts.pause(kBetweenAttempts_ms); !slept) {
      co_return std::unexpected(slept.error());
    }
  }
}

}  // namespace palette::aws
