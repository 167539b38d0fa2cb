// What goes over HTTP: addresses, headers, requests, responses. Values, no I/O.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace palette::http {

// Header fields in order, duplicates kept; names compare without case (RFC 9110 section 5.1).
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  void reserve(std::size_t fields) { fields_.reserve(fields); }
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  // Replaces every field of that name.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  // The first of that name; null when there is none.
  const std::string* find(std::string_view name) const;
  // The same, "" when there is none.
  std::string_view get(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

// An absolute http or https address.
struct Url {
  bool tls = false;
  std::string host;  // lower case; an IPv6 address without its brackets
  std::uint16_t port = 80;
  std::string target = "/";  // path and query as they go on the wire, already encoded; no fragment

  // bad_input for what is no absolute http(s) URL, has user information or unencoded bytes.
  static Result<Url> parse(std::string_view text);

  std::string authority() const;  // for the Host header: the port only when it is not the scheme's own
  std::string origin() const;     // "https://host:port", always with the port: the key of the connection pool
  std::string text() const;
};

// Is the host this machine or link-local (127.0.0.0/8, ::1, localhost, 169.254.0.0/16, fe80::/10, fd00:ec2::/32)? Such
// addresses are never reached through a proxy.
bool is_local_host(std::string_view host);

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

}  // namespace palette::http
