#include "target.h"

#include <charconv>

namespace palette::sim {
namespace {

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const bool has_digits = text[i] == '%' && i + 2 < text.size();
    const char* const digits = text.data() + i + 1;
    if (has_digits && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Route bedrock_route(std::string_view operation) {
  if (operation == "converse") return Route::converse;
  if (operation == "invoke") return Route::invoke;
  if (operation == "count-tokens") return Route::count_tokens;
  return Route::other;
}

}  // namespace

std::string_view path_of(const http::ServerRequest& request) {
  return std::string_view(request.target).substr(0, request.target.find('?'));
}

std::string_view query_value(const http::ServerRequest& request, std::string_view name) {
  const std::size_t question = request.target.find('?');
  std::string_view rest = question == std::string::npos ? "" : std::string_view(request.target).substr(question + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) return equals == std::string_view::npos ? "" : pair.substr(equals + 1);
  }
  return "";
}

Target target_of(const http::ServerRequest& request) {
  std::string_view path = path_of(request);
  constexpr std::string_view kModel = "/model/", kVersion = "/v1", kModels = "/models/";
  if (path.starts_with(kModel)) {
    // An ARN may hold slashes that nobody encoded: the operation is what follows the last one.
    const std::size_t slash = path.rfind('/');
    if (request.method != "POST" || slash <= kModel.size()) return {};
    return {bedrock_route(path.substr(slash + 1)), percent_decoded(path.substr(kModel.size(), slash - kModel.size()))};
  }
  if (path.starts_with("/_sim/")) return {Route::admin, ""};
  if (path.starts_with("/v1/")) path.remove_prefix(kVersion.size());
  if (path == "/chat/completions" && request.method == "POST") return {Route::chat, ""};
  if (request.method != "GET") return {};
  if (path == "/models") return {Route::models, ""};
  if (path.starts_with(kModels)) return {Route::model, percent_decoded(path.substr(kModels.size()))};
  return {};
}

}  // namespace palette::sim
