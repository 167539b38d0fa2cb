#include "http/message.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace palette::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }
bool is_name_character(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.' || c == '_';
}

// What RFC 3986 lets stand in a path or a query, and the square brackets that many servers take there.
bool is_target_character(char c) {
  constexpr std::string_view kNever = "\"<>\\^`{|}";
  return c > 0x20 && c < 0x7f && kNever.find(c) == std::string_view::npos;
}

std::unexpected<Error> bad_url(std::string_view text, std::string_view why) {
  constexpr std::size_t kShown = 200;
  return fail(ErrorKind::bad_input, "\"" + std::string(text.substr(0, kShown)) + "\" is no usable address: " +
                                        std::string(why) + "; write it like https://host:port/path");
}

Result<std::string> host_of(std::string_view text, std::string_view host) {
  std::string low(host);
  std::ranges::transform(low, low.begin(), lower);
  if (low.starts_with('[')) {
    low = low.substr(1, low.size() - 2);
    in6_addr address;
    if (inet_pton(AF_INET6, low.c_str(), &address) != 1) return bad_url(text, "what is in brackets is no IPv6 address");
    return low;
  }
  constexpr std::size_t kNameBytesMax = 253;  // RFC 1035 section 2.3.4
  if (low.empty()) return bad_url(text, "it has no host");
  if (low.size() > kNameBytesMax) return bad_url(text, "its host is longer than 253 bytes");
  if (!std::ranges::all_of(low, is_name_character)) return bad_url(text, "its host has characters no host name has");
  return low;
}

Result<std::uint16_t> port_of(std::string_view text, std::string_view port) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0)
    return bad_url(text, "its port is not a number from 1 to 65535");
  return number;
}

Result<std::string> target_of(std::string_view text, std::string_view rest) {
  rest = rest.substr(0, rest.find('#'));
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (!is_target_character(rest[i])) return bad_url(text, "its path or query has bytes that must be %-encoded");
    const bool escape = rest[i] == '%';
    if (escape && (i + 2 >= rest.size() || !is_hex(rest[i + 1]) || !is_hex(rest[i + 2])))
      return bad_url(text, "a % in its path or query is not followed by two hexadecimal digits");
  }
  return rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
}

}  // namespace

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  fields_.emplace_back(std::string(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [name](const Field& field) { return same_name(field.first, name); });
}

const std::string* Headers::find(std::string_view name) const {
  const auto field = std::ranges::find_if(fields_, [name](const Field& one) { return same_name(one.first, name); });
  return field == fields_.end() ? nullptr : &field->second;
}

std::string_view Headers::get(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? std::string_view() : std::string_view(*value);
}

Result<Url> Url::parse(std::string_view text) {
  Url url;
  const std::size_t scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end);
  if (same_name(scheme, "https")) {
    url.tls = true;
    url.port = 443;
  } else if (!same_name(scheme, "http")) {
    return bad_url(text, "it does not begin with http:// or https://");
  }
  const std::string_view rest = text.substr(scheme_end + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  // The text is not repeated: what stands before the @ may be a password.
  if (authority.find('@') != std::string_view::npos)
    return fail(ErrorKind::bad_input,
                "an address with a user name or password in it is not taken; remove what stands before the @");

  const bool bracketed = authority.starts_with('[');
  const std::size_t bracket = authority.find(']');
  if (bracketed && bracket == std::string_view::npos) return bad_url(text, "its [ has no ]");
  const std::size_t colon = authority.find(':', bracketed ? bracket : 0);
  const std::size_t host_end = std::min(colon, authority.size());
  if (bracketed && host_end != bracket + 1) return bad_url(text, "after the ] only :port may come");

  Result<std::string> host = host_of(text, authority.substr(0, host_end));
  if (!host) return std::unexpected(host.error());
  url.host = std::move(*host);
  if (colon != std::string_view::npos) {
    const Result<std::uint16_t> port = port_of(text, authority.substr(colon + 1));
    if (!port) return std::unexpected(port.error());
    url.port = *port;
  }
  Result<std::string> target = target_of(text, rest.substr(authority_end));
  if (!target) return std::unexpected(target.error());
  url.target = std::move(*target);
  return url;
}

std::string Url::authority() const {
  const bool six = host.find(':') != std::string::npos;
  std::string out = six ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

std::string Url::origin() const {
  const bool six = host.find(':') != std::string::npos;
  return (tls ? "https://" : "http://") + (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Url::text() const { return (tls ? "https://" : "http://") + authority() + target; }

bool is_local_host(std::string_view host) {
  std::string name(host);
  std::ranges::transform(name, name.begin(), lower);
  if (name.ends_with('.')) name.pop_back();
  if (name == "localhost" || name.ends_with(".localhost")) return true;  // RFC 6761 section 6.3

  std::array<unsigned char, 4> four{};
  const auto local_four = [&four] { return four[0] == 127 || (four[0] == 169 && four[1] == 254); };
  if (inet_pton(AF_INET, name.c_str(), four.data()) == 1) return local_four();

  std::array<unsigned char, 16> six{};
  if (inet_pton(AF_INET6, name.c_str(), six.data()) != 1) return false;
  constexpr std::array<unsigned char, 16> kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (six == kLoopback) return true;
  if (std::equal(kMapped.begin(), kMapped.end(), six.begin())) {
    std::copy(six.begin() + 12, six.end(), four.begin());
    return local_four();
  }
  const bool link_local = six[0] == 0xfe && (six[1] & 0xc0) == 0x80;                     // fe80::/10
  const bool cloud = six[0] == 0xfd && six[1] == 0 && six[2] == 0x0e && six[3] == 0xc2;  // fd00:ec2::/32
  return link_local || cloud;
}

}  // namespace palette::http
