#include "model/openai_errors.h"

#include <algorithm>
#include <array>

#include "model/provider_answer.h"

namespace palette::model {
namespace {

constexpr std::size_t kMessageBytesMax = 300;
constexpr std::size_t kKeyBytesMin = 6;

// What a server said, in whichever shape.
struct ErrorText {
  std::string message, code, type;
};

// What codes and types of errors mean: the first of which the code or the type has the text in it. OpenAI's own
// ("Error codes"), Azure's, and those of other servers.
struct ErrorName {
  std::string_view part;
  ErrorKind kind;
};
constexpr std::array kNames = std::to_array<ErrorName>({
    {"insufficient_quota", ErrorKind::quota},
    {"billing_", ErrorKind::quota},
    {"rate_limit", ErrorKind::throttled},
    {"too_many_requests", ErrorKind::throttled},
    {"content_filter", ErrorKind::refused},
    {"content_policy", ErrorKind::refused},
    {"model_not_found", ErrorKind::not_found},
    {"not_found", ErrorKind::not_found},
    {"NotFound", ErrorKind::not_found},
    {"authentication", ErrorKind::denied},
    {"invalid_api_key", ErrorKind::denied},
    {"permission", ErrorKind::denied},
    {"server_error", ErrorKind::unavailable},
    {"overloaded", ErrorKind::unavailable},
    {"unavailable", ErrorKind::unavailable},
    {"timeout", ErrorKind::timeout},
    {"context_length_exceeded", ErrorKind::bad_input},
    {"invalid_request", ErrorKind::bad_input},
    {"BadRequest", ErrorKind::bad_input},
});

std::optional<ErrorKind> kind_of_name(const ErrorText& text) {
  for (const ErrorName& name : kNames) {
    if (text.code.find(name.part) != std::string::npos || text.type.find(name.part) != std::string::npos) {
      return name.kind;
    }
  }
  return std::nullopt;
}

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorKind::denied;
    case 402:
      return ErrorKind::quota;
    case 404:
      return ErrorKind::not_found;
    case 408:
      return ErrorKind::timeout;
    case 409:
    case 425:
      return ErrorKind::unavailable;
    case 413:
      return ErrorKind::too_large;
    case 429:
      return ErrorKind::throttled;
    default:
      return status >= 500 ? ErrorKind::unavailable : ErrorKind::bad_input;
  }
}

// The name is heard only where it says more than the status does.
ErrorKind kind_of(int status, const ErrorText& text) {
  const ErrorKind by_status = kind_of_status(status);
  const std::optional<ErrorKind> by_name = kind_of_name(text);
  if (status == 429 && by_name == ErrorKind::quota) return ErrorKind::quota;
  if ((status == 400 || status == 422) && by_name == ErrorKind::refused) return ErrorKind::refused;
  return by_status;
}

std::string scalar_text(const JsonObject& object, std::string_view key) {
  const Json* value = object.if_contains(key);
  if (value == nullptr || value->is_null() || value->is_object() || value->is_array()) return {};
  return value->is_string() ? std::string(value->get_string()) : to_json_text(*value);
}

ErrorText members_of(const JsonObject& object) {
  ErrorText text{scalar_text(object, "message"), scalar_text(object, "code"), scalar_text(object, "type")};
  if (text.message.empty()) text.message = scalar_text(object, "detail");  // FastAPI's
  return text;
}

// {"error":{"message","type","code"}}, {"error":"…"}, vLLM's {"object":"error","message",…}; nothing when the object
// holds none of them.
std::optional<ErrorText> error_of(const JsonObject& answer) {
  const Json* error = answer.if_contains("error");
  if (error != nullptr && error->is_object()) return members_of(error->get_object());
  if (error != nullptr && error->is_string()) {
    ErrorText text = members_of(answer);
    text.message = std::string(error->get_string());
    return text;
  }
  if (text_of(answer, "object") == "error") return members_of(answer);
  return std::nullopt;
}

// Of a body with an error status: what is no error as we know them is told as it is.
ErrorText read_error(std::string_view body) {
  const Result<Json> json = parse_json(body);
  if (json && json->is_object()) {
    ErrorText text = error_of(json->get_object()).value_or(members_of(json->get_object()));
    if (text.message.empty()) text.message = body;
    return text;
  }
  return ErrorText{std::string(body), "", ""};
}

std::string_view key_variable(const job::ResolvedModel& model) {
  return model.endpoint && !model.endpoint->key_variable.empty() ? std::string_view(model.endpoint->key_variable)
                                                                 : "OPENAI_API_KEY";
}

std::string advice(ErrorKind kind, const ChatPlace& place) {
  switch (kind) {
    case ErrorKind::denied:
      return "check that " + std::string(key_variable(*place.model)) + " holds a key that may use this model";
    case ErrorKind::not_found:
      return "the server does not know the model '" + place.model->id +
             "', or its base URL is another (/v1 is part of it)";
    case ErrorKind::quota:
      return "the account's credit or quota is used up: add to it, then run the job again";
    case ErrorKind::throttled:
      return "lower concurrency, requests_per_minute or tokens_per_minute if this goes on";
    case ErrorKind::too_large:
      return "shorten the prompt";
    case ErrorKind::bad_input:
      return "change the prompt or the option that it names";
    case ErrorKind::refused:
      return "the provider's filter stopped it; change the prompt";
    default:
      return "the server is not well or is busy; try again later if this goes on";
  }
}

std::string message_of(std::string_view what, ErrorKind kind, const ErrorText& text, const ChatPlace& place) {
  std::string out = place.model->name + " at " + place.server + ": " + std::string(what);
  const std::string& name = text.code.empty() ? text.type : text.code;
  if (!name.empty()) out += " (" + excerpt(name, 60) + ")";
  if (!text.message.empty()) out += ": " + excerpt(text.message, kMessageBytesMax);
  return out + "; " + advice(kind, place);
}

// Between us and the server that worked: it may have done so in vain.
bool is_of_gateway(int status) { return status == 502 || status == 504 || status == 520 || status == 524; }

}  // namespace

ProviderFailure failed_chat(int status, std::string_view body, const WaitHeaders& headers, std::int64_t now_unix_ms,
                            const ChatPlace& place) {
  const ErrorText text = read_error(body);
  ProviderFailure out;
  out.error.kind = kind_of(status, text);
  out.error.message = message_of("status " + std::to_string(status), out.error.kind, text, place);
  out.error.retry_after_ms = wait_ms(headers, now_unix_ms);
  if (is_of_gateway(status)) out.billed = ProviderFailure::Billed::unknown;
  return out;
}

std::optional<ProviderFailure> error_in_answer(const JsonObject& answer, const ChatPlace& place) {
  const std::optional<ErrorText> text = error_of(answer);
  if (!text) return std::nullopt;
  ProviderFailure out;
  out.billed = ProviderFailure::Billed::unknown;
  // OpenRouter's code is the status that it would have had.
  const std::optional<ErrorKind> by_name = kind_of_name(*text);
  const bool is_status = text->code.size() == 3 &&
                         std::all_of(text->code.begin(), text->code.end(), [](char c) { return c >= '0' && c <= '9'; });
  out.error.kind = by_name ? *by_name : is_status ? kind_of_status(std::stoi(text->code)) : ErrorKind::unavailable;
  out.error.message = message_of("an error came instead of an answer", out.error.kind, *text, place);
  return out;
}

std::string without_key(std::string text, std::string_view key) {
  if (key.size() < kKeyBytesMin) return text;
  constexpr std::string_view kMark = "[key]";
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + kMark.size())) {
    text.replace(at, key.size(), kMark);
  }
  return text;
}

}  // namespace palette::model
