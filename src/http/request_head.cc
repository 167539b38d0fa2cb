// The request line and the header, as they go out.
#include <algorithm>

#include "http/exchange.h"
#include "http/field_rules.h"

namespace palette::http {

std::string_view held_body(const Request& request) {
  if (request.body_source) return {};
  return request.shared_body ? *request.shared_body : request.body;
}

Status check_request(const Request& request) {
  if (!sound_method(request.method))
    return fail(ErrorKind::bad_input, "the method \"" + request.method + "\" is no HTTP method; write one like GET");
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  const Url& url = request.url;
  if (url.host.empty() || url.target.empty() || !std::ranges::all_of(url.host, visible) ||
      !std::ranges::all_of(url.target, visible))
    return fail(ErrorKind::bad_input, "the address of the request has no host, or bytes that must be %-encoded");
  for (const auto& [name, value] : request.headers) {
    if (!sound_field(name, value))
      return fail(ErrorKind::bad_input,
                  "the header field \"" + name + "\" has characters that no field may have, such as a line break");
  }
  return {};
}

std::string request_head(const Request& request, const Proxy* proxy) {
  const bool absolute = proxy != nullptr && !request.url.tls;
  std::size_t size = 128 + request.url.target.size() + 2 * request.url.host.size();
  for (const auto& [name, value] : request.headers) size += name.size() + value.size() + 4;
  std::string head;
  head.reserve(size);
  const std::string authority = request.url.authority();
  head += request.method;
  head += ' ';
  if (absolute) head += "http://" + authority;
  head += request.url.target;
  head += " HTTP/1.1\r\n";
  if (!request.as_given || request.headers.find("Host") == nullptr) append_field(head, "Host", authority);
  for (const auto& [name, value] : request.headers) {
    if (is_one_of(name, {"Content-Length", "Connection", "Transfer-Encoding"})) continue;
    if (!request.as_given && is_one_of(name, {"Host", "Accept-Encoding"})) continue;
    append_field(head, name, value);
  }
  if (!request.as_given) append_field(head, "Accept-Encoding", "gzip");
  if (absolute && !proxy->authorization.empty()) append_field(head, "Proxy-Authorization", proxy->authorization);
  const std::uint64_t length = request.body_source ? request.body_source->size() : held_body(request).size();
  // A method that means something by its body says so even when that is empty (RFC 9110 section 8.6).
  if (length > 0 || is_one_of(request.method, {"POST", "PUT", "PATCH"}))
    append_field(head, "Content-Length", std::to_string(length));
  head += "\r\n";
  return head;
}

}  // namespace palette::http
