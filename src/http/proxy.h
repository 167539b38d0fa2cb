// Which requests go through which proxy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace palette::http {

struct Proxy {
  std::string host;
  std::uint16_t port = 80;
  std::string authorization;  // the value of Proxy-Authorization; empty: none

  // http://[user:password@]host[:port], the scheme may be missing. bad_input else; the password is not repeated.
  static Result<Proxy> parse(std::string_view text);
};

// The hosts of NO_PROXY: names (and all below them), addresses, CIDR blocks, each with a port or without; `*` is all.
class ProxyExceptions {
 public:
  explicit ProxyExceptions(std::string_view list);

  bool covers(const Url& url) const;

 private:
  struct Entry {
    std::string host;        // without a leading dot; empty for a block
    std::uint16_t port = 0;  // 0: any
    std::vector<unsigned char> network;
    int prefix_bits = 0;
  };
  static std::optional<Entry> entry_of(std::string_view item);

  std::vector<Entry> entries_;
  bool all_ = false;
};

class ProxyRules {
 public:
  ProxyRules() = default;
  // As in ClientSettings. bad_input for a proxy that is no address.
  static Result<ProxyRules> parse(std::string_view http_proxy, std::string_view https_proxy, std::string_view no_proxy);

  // Null: straight to the host. Never a proxy for what is_local_host.
  const Proxy* proxy_for(const Url& url) const;

 private:
  std::optional<Proxy> http_, https_;
  ProxyExceptions exceptions_{""};
};

}  // namespace palette::http
