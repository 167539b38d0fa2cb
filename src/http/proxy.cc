#include "http/proxy.h"

#include <arpa/inet.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace palette::http {
namespace {

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// User information comes percent-encoded (RFC 3986 section 3.2.1).
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

// An address as its bytes; empty for a name.
std::vector<unsigned char> address_bytes(const std::string& host) {
  unsigned char bytes[16];
  if (inet_pton(AF_INET, host.c_str(), bytes) == 1) return {bytes, bytes + 4};
  if (inet_pton(AF_INET6, host.c_str(), bytes) == 1) return {bytes, bytes + 16};
  return {};
}

bool in_network(const std::vector<unsigned char>& address, const std::vector<unsigned char>& network, int prefix_bits) {
  if (address.size() != network.size()) return false;
  for (int bit = 0; bit < prefix_bits; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((address[byte] & mask) != (network[byte] & mask)) return false;
  }
  return true;
}

}  // namespace

Result<Proxy> Proxy::parse(std::string_view text) {
  constexpr std::string_view kExpected = "; a proxy is written like http://user:password@host:port";
  std::string_view rest = text;
  const std::size_t scheme_end = rest.find("://");
  if (scheme_end != std::string_view::npos) {
    if (rest.substr(0, scheme_end) != "http")
      return fail(ErrorKind::bad_input, "the proxy's scheme is \"" + std::string(rest.substr(0, scheme_end)) +
                                            "\", and only http is known" + std::string(kExpected));
    rest = rest.substr(scheme_end + 3);
  }
  Proxy proxy;
  const std::size_t at = rest.rfind('@');
  if (at != std::string_view::npos) {
    proxy.authorization = "Basic " + base64(percent_decoded(rest.substr(0, at)));  // RFC 7617 section 2
    rest = rest.substr(at + 1);
  }
  const Result<Url> url = Url::parse("http://" + std::string(rest));
  if (!url)
    return fail(ErrorKind::bad_input,
                "the proxy is no usable address: " + url.error().message + std::string(kExpected));
  proxy.host = url->host;
  proxy.port = url->port;
  return proxy;
}

ProxyExceptions::ProxyExceptions(std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", \t"), list.size());
    const std::string_view item = list.substr(0, end);
    if (item == "*") all_ = true;
    if (std::optional<Entry> entry = entry_of(item)) entries_.push_back(std::move(*entry));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

std::optional<ProxyExceptions::Entry> ProxyExceptions::entry_of(std::string_view item) {
  Entry entry;
  std::string host(item);
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (const std::size_t slash = host.find('/'); slash != std::string::npos) {
    const std::string bits = host.substr(slash + 1);
    entry.network = address_bytes(host.substr(0, slash));
    const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), entry.prefix_bits);
    const bool fits = entry.prefix_bits >= 0 && entry.prefix_bits <= static_cast<int>(entry.network.size() * 8);
    if (entry.network.empty() || error != std::errc() || end != bits.data() + bits.size() || !fits) return {};
    return entry;
  }
  const std::size_t colon = host.rfind(':');
  const bool bracketed = host.starts_with('[');
  const bool has_port = colon != std::string::npos && (bracketed ? host[colon - 1] == ']' : host.find(':') == colon);
  if (has_port) {
    std::from_chars(host.data() + colon + 1, host.data() + host.size(), entry.port);
    host.resize(colon);
  }
  if (bracketed && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.starts_with("*.")) host.erase(0, 1);
  if (host.starts_with('.')) host.erase(0, 1);
  if (host.empty()) return {};
  entry.host = std::move(host);
  return entry;
}

bool ProxyExceptions::covers(const Url& url) const {
  if (all_) return true;
  const std::vector<unsigned char> address = address_bytes(url.host);
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    if (entry.port != 0 && entry.port != url.port) return false;
    if (entry.host.empty()) return in_network(address, entry.network, entry.prefix_bits);
    return url.host == entry.host || (address.empty() && url.host.ends_with("." + entry.host));
  });
}

Result<ProxyRules> ProxyRules::parse(std::string_view http_proxy, std::string_view https_proxy,
                                     std::string_view no_proxy) {
  ProxyRules rules;
  const auto read = [](std::string_view text, std::optional<Proxy>& into) -> Status {
    if (text.empty()) return {};
    Result<Proxy> proxy = Proxy::parse(text);
    if (!proxy) return std::unexpected(proxy.error());
    into = std::move(*proxy);
    return {};
  };
  if (Status done = read(http_proxy, rules.http_); !done) return std::unexpected(done.error());
  if (Status done = read(https_proxy, rules.https_); !done) return std::unexpected(done.error());
  rules.exceptions_ = ProxyExceptions(no_proxy);
  return rules;
}

const Proxy* ProxyRules::proxy_for(const Url& url) const {
  const std::optional<Proxy>& proxy = url.tls ? https_ : http_;
  if (!proxy || is_local_host(url.host) || exceptions_.covers(url)) return nullptr;
  return &*proxy;
}

}  // namespace palette::http
