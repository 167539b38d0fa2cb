// What is no call of a model: counting tokens, lists of models, metadata, the admin paths.
#include <openssl/evp.h>

#include <charconv>

#include "replies.h"
#include "signature_check.h"
#include "simulator.h"
#include "strict.h"

namespace palette::sim {
namespace {

constexpr std::string_view kBearer = "Bearer ";

// Standard base64; nothing when it is none.
std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size =
      ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

// The call whose tokens are to be counted.
Result<Call> read_counted(const JsonObject& body, const Model& model) {
  const Json* input = body.if_contains("input");
  const JsonObject* kind = input == nullptr ? nullptr : input->if_object();
  const Json* converse = kind == nullptr ? nullptr : kind->if_contains("converse");
  if (converse != nullptr && converse->is_object()) return read_converse(model.id, converse->get_object());
  const Json* invoke = kind == nullptr ? nullptr : kind->if_contains("invokeModel");
  const Json* encoded = invoke == nullptr || !invoke->is_object() ? nullptr : invoke->get_object().if_contains("body");
  if (encoded == nullptr || !encoded->is_string())
    return fail(ErrorKind::bad_input, "The input of CountTokens must hold 'converse' or 'invokeModel' with a 'body'.");
  const std::optional<std::string> decoded = base64_decoded(encoded->get_string());
  const Result<Json> json = decoded ? parse_json(*decoded) : fail(ErrorKind::bad_input, "");
  if (!json || !json->is_object())
    return fail(ErrorKind::bad_input, "input.invokeModel.body must be a JSON object in base64.");
  return read_invoke(model.id, model.family, json->get_object());
}

std::string model_json(std::string_view id, std::string_view owner) {
  return to_json_text(JsonObject{{"id", id}, {"object", "model"}, {"created", 1'700'000'000}, {"owned_by", owner}});
}

http::Response admin_error(const Error& error) {
  return json_reply(400, to_json_text(JsonObject{{"message", error.message}}));
}

}  // namespace

std::optional<http::Response> Simulator::refuse_stranger(const http::ServerRequest& request, bool is_openai) const {
  const std::string_view header = request.headers.get("authorization");
  const bool is_bearer = header.starts_with(kBearer);
  const std::string_view key = is_bearer ? header.substr(kBearer.size()) : "";
  const bool has_key = !settings_.api_key.empty() && key == settings_.api_key;
  if (is_openai) {
    if (settings_.api_key.empty() || has_key) return std::nullopt;
    return key.empty() ? openai_error(401, "invalid_request_error", "", "You didn't provide an API key.")
                       : openai_error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.");
  }
  if (is_bearer && (!settings_.api_key.empty() || settings_.verify_signatures)) {
    if (has_key) return std::nullopt;
    return aws_error(403, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.");
  }
  if (!settings_.verify_signatures) return std::nullopt;
  auto checked = check_signature(request, keyring_, clock_.now());
  if (checked) return std::nullopt;
  return std::move(checked.error());
}

http::Response Simulator::serve(const http::ServerRequest& request, const Target& target) {
  switch (target.route) {
    case Route::admin:
      return serve_admin(request);
    case Route::count_tokens:
      return count_tokens(request, target);
    case Route::models:
    case Route::model:
      if (auto refused = refuse_stranger(request, true)) return std::move(*refused);
      return list_models(target);
    case Route::converse:
    case Route::invoke:
    case Route::chat:
    case Route::other:
      break;
  }
  if (auto reply = metadata_.answer(request, clock_.now())) return std::move(*reply);
  if (path_of(request).starts_with("/v1/"))
    return openai_error(404, "invalid_request_error", "",
                        "Invalid URL (" + request.method + " " + std::string(path_of(request)) + ")");
  return aws_error(404, "UnknownOperationException",
                   "plot-palette-sim has no " + request.method + " " + std::string(path_of(request)) +
                       "; sim/README.md lists what it speaks");
}

http::Response Simulator::count_tokens(const http::ServerRequest& request, const Target& target) {
  if (auto refused = refuse_stranger(request, false)) return std::move(*refused);
  const auto rejected = [](const Error& error) { return aws_error(400, "ValidationException", error.message); };
  const Result<Model*> model = models_.find(target.model, false);
  if (!model) return rejected(model.error());
  if (Status counts = check_counts_tokens(**model, settings_.strict); !counts) return rejected(counts.error());
  const Result<Json> body = parse_json(request.body);
  if (!body) return rejected(body.error());
  static const JsonObject kEmpty;
  const Result<Call> call = read_counted(body->is_object() ? body->get_object() : kEmpty, **model);
  if (!call) return rejected(call.error());
  statistics_.count_tokens_call();
  http::Response reply = json_reply(200, to_json_text(JsonObject{{"inputTokens", call->input_tokens}}));
  reply.headers.add("x-amzn-RequestId", next_request_id());
  return reply;
}

http::Response Simulator::list_models(const Target& target) const {
  std::string list;
  for (const auto& model : models_.catalogue().models()) {
    if (model->provider != job::Provider::openai) continue;
    if (target.route == Route::model && target.model == model->id)
      return json_reply(200, model_json(model->id, model->vendor));
    list += (list.empty() ? "" : ",") + model_json(model->id, model->vendor);
  }
  // Every name is answered; this one stands for those that the catalogue does not list.
  constexpr std::string_view kOwn = "sim-model", kOwner = "plot-palette-sim";
  if (target.route == Route::models)
    return json_reply(
        200, R"({"object":"list","data":[)" + list + (list.empty() ? "" : ",") + model_json(kOwn, kOwner) + "]}");
  if (target.model == kOwn) return json_reply(200, model_json(kOwn, kOwner));
  return openai_error(404, "invalid_request_error", "model_not_found",
                      "The model '" + target.model + "' does not exist or you do not have access to it.");
}

http::Response Simulator::serve_admin(const http::ServerRequest& request) {
  const std::string_view path = path_of(request);
  const bool is_get = request.method == "GET";
  const bool is_change = request.method == "POST" || request.method == "PUT";
  if (path == "/_sim/stats" && is_get) return json_reply(200, statistics_.to_json(models_));
  if (path == "/_sim/config" && is_get) return json_reply(200, config_json(behaviour_));
  if (path == "/_sim/calls" && is_get) {
    const std::string_view text = query_value(request, "since");
    std::uint64_t since = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), since);
    if (!text.empty() && (error != std::errc() || end != text.data() + text.size()))
      return admin_error(Error{ErrorKind::bad_input, "'since' must be the number of a call, as 'last' gives it"});
    return json_reply(200, statistics_.calls_json(since));
  }
  if (path == "/_sim/reset" && is_change) {
    reset();
    return json_reply(200, "{}");
  }
  const bool is_faults = path == "/_sim/faults";
  if (!is_change || (!is_faults && path != "/_sim/config"))
    return json_reply(404, R"({"message":"known are GET /_sim/stats, /_sim/calls?since=N and /_sim/config, POST )"
                           R"(/_sim/faults, /_sim/config and /_sim/reset"})");
  const Result<Json> body = parse_json(request.body);
  if (!body) return admin_error(body.error());
  if (!body->is_object()) return admin_error(Error{ErrorKind::bad_input, "the body must be a JSON object"});
  const Status done =
      is_faults ? add_scripts(body->get_object(), scripts_) : apply_config(body->get_object(), behaviour_);
  if (!done) return admin_error(done.error());
  return json_reply(200, is_faults ? to_json_text(JsonObject{{"waiting", scripts_.size()}}) : config_json(behaviour_));
}

}  // namespace palette::sim
