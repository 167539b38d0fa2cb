#include "model/provider_answer.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"

namespace palette::model {
namespace {

constexpr std::int64_t kTokensMax = 1'000'000'000'000;
constexpr std::size_t kExcerptBytesMax = 200;

ProviderFailure failure(ErrorKind kind, std::string message, std::optional<Usage> usage) {
  ProviderFailure out;
  out.error = Error{kind, std::move(message)};
  out.billed = usage ? ProviderFailure::Billed::usage : ProviderFailure::Billed::unknown;
  if (usage) out.usage = *usage;
  return out;
}

// A cache count may be left out or null; then nothing was cached. False: it is there and is no count.
bool read_cache_count(const JsonObject& object, std::string_view key, std::int64_t& tokens) {
  const Json* value = key.empty() ? nullptr : object.if_contains(key);
  if (value == nullptr || value->is_null()) return true;
  const std::optional<std::int64_t> count = token_count(object, key);
  if (count) tokens = *count;
  return count.has_value();
}

}  // namespace

std::optional<StopReason> stop_of(std::string_view reason, std::span<const StopName> table) {
  for (const StopName& entry : table) {
    if (entry.name == reason) return entry.stop;
  }
  return std::nullopt;
}

ProviderResult judge_answer(ReadAnswer answer, const job::ResolvedModel& model) {
  if (!answer.stop) {
    return std::unexpected(failure(ErrorKind::refused,
                                   model.name + ": the answer ended with the stop reason '" +
                                       excerpt(answer.reason, kExcerptBytesMax) +
                                       "', which is not that of a whole answer; it was not used",
                                   answer.usage));
  }
  if (*answer.stop == StopReason::complete && answer.text.empty()) {
    std::string message = model.name + ": the answer was empty";
    if (!answer.reason.empty()) message += " (stop reason '" + excerpt(answer.reason, kExcerptBytesMax) + "')";
    return std::unexpected(failure(ErrorKind::unavailable, std::move(message), answer.usage));
  }
  ModelResult result;
  result.text = std::move(answer.text);
  result.stop = *answer.stop;
  result.usage_known = answer.usage.has_value();
  if (answer.usage) result.usage = *answer.usage;
  result.model = model.name;
  return result;
}

ProviderFailure unreadable_answer(std::string_view what, std::string_view body, std::optional<Usage> usage,
                                  const job::ResolvedModel& model) {
  std::string message = model.name + ": the answer " + std::string(what);
  message += body.empty() ? "; its body is empty" : "; it begins: " + excerpt(body, kExcerptBytesMax);
  return failure(ErrorKind::unavailable, std::move(message), usage);
}

std::optional<std::int64_t> token_count(const JsonObject& object, std::string_view key) {
  const Json* value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;
  std::int64_t count = -1;
  if (value->is_int64()) count = value->get_int64();
  if (value->is_double()) {
    const double number = value->get_double();
    if (number >= 0 && number <= static_cast<double>(kTokensMax) && number == std::floor(number)) {
      count = static_cast<std::int64_t>(number);
    }
  }
  if (count < 0 || count > kTokensMax) return std::nullopt;
  return count;
}

std::optional<Usage> read_usage(const JsonObject* usage, const UsageNames& names, bool input_includes_cache) {
  if (usage == nullptr) return std::nullopt;
  const JsonObject& object = *usage;
  const std::optional<std::int64_t> input = token_count(object, names.input);
  const std::optional<std::int64_t> output = token_count(object, names.output);
  if (!input || !output) return std::nullopt;
  Usage out{*input, *output, 0, 0};
  if (!read_cache_count(object, names.cache_read, out.cache_read_tokens)) return std::nullopt;
  if (!read_cache_count(object, names.cache_write, out.cache_write_tokens)) return std::nullopt;
  if (out.total() == 0) return std::nullopt;
  if (input_includes_cache) {
    out.input_tokens = std::max<std::int64_t>(0, *input - out.cache_read_tokens - out.cache_write_tokens);
  }
  return out;
}

std::string_view text_of(const JsonObject& object, std::string_view key) {
  const Json* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

const JsonObject* object_of(const JsonObject& object, std::string_view key) {
  const Json* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

const JsonObject* first_object_of(const JsonObject& object, std::string_view key) {
  const Json* value = object.if_contains(key);
  if (value == nullptr || !value->is_array() || value->get_array().empty()) return nullptr;
  const Json& first = value->get_array().front();
  return first.is_object() ? &first.get_object() : nullptr;
}

std::string excerpt(std::string_view text, std::size_t bytes_max) {
  const std::string_view prefix = utf8_prefix(text, bytes_max);
  const bool is_text = find_invalid_utf8(prefix) == std::string_view::npos;  // messages end up in JSON
  std::string out(prefix);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
    if (byte >= 0x80 && !is_text) c = '?';
  }
  if (prefix.size() < text.size()) out += "…";
  return out;
}

}  // namespace palette::model
