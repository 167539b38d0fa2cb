#include "aws/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "base/hash.h"

namespace palette::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// Hop-by-hop headers, and those that proxies add or change.
constexpr std::array<std::string_view, 13> kUnsigned = {"authorization",
                                                        "connection",
                                                        "expect",
                                                        "keep-alive",
                                                        "proxy-authenticate",
                                                        "proxy-authorization",
                                                        "proxy-connection",
                                                        "te",
                                                        "trailer",
                                                        "transfer-encoding",
                                                        "upgrade",
                                                        "user-agent",
                                                        "x-amzn-trace-id"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(data.data()),
       data.size(), digest, &size);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

std::string hex(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// 20150830T123600Z
std::string basic_time(UtcTime time) {
  std::string out = time.to_iso().substr(0, 19);
  std::erase(out, '-');
  std::erase(out, ':');
  return out + "Z";
}

std::string scope_text(const SigningScope& scope) {
  return basic_time(scope.time).substr(0, 8) + "/" + scope.region + "/" + scope.service + "/aws4_request";
}

// RFC 3986, 5.2.4, and doubled slashes removed; a slash at the end stays.
std::string normalized(std::string_view path) {
  std::vector<std::string_view> kept;
  const bool slash_at_end = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view segment = path.substr(start, end - start);
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
    start = end + 1;
  }
  std::string out;
  for (const std::string_view segment : kept) out += "/" + std::string(segment);
  if (out.empty() || slash_at_end) out += "/";
  return out;
}

std::string canonical_path(std::string_view path, PathRule rule) {
  const std::string whole = path.empty() ? "/" : std::string(path);
  switch (rule) {
    case PathRule::as_it_is:
      return whole;
    case PathRule::encoded_only:
      return uri_encode(whole, true);
    case PathRule::encoded_again:
      return uri_encode(normalized(whole), true);
  }
  return whole;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

std::string uri_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
    } else {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

// Names and values decoded and encoded strictly, sorted by name, then value; a name without a value gets "=".
std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    parameters.emplace_back(uri_encode(uri_decode(pair.substr(0, equals)), false),
                            uri_encode(uri_decode(value), false));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string out;
  for (const auto& [name, value] : parameters) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

// Trimmed, runs of blanks made one.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

using CanonicalHeaders = std::map<std::string, std::string>;

CanonicalHeaders canonical_headers(const Headers& headers) {
  CanonicalHeaders out;
  for (const auto& [name, value] : headers) {
    const std::string key = lower(name);
    if (std::find(kUnsigned.begin(), kUnsigned.end(), key) != kUnsigned.end()) continue;
    const auto [entry, first] = out.try_emplace(key);
    entry->second += (first ? "" : ",") + canonical_value(value);
  }
  return out;
}

std::string signed_header_names(const CanonicalHeaders& headers) {
  std::string out;
  for (const auto& [name, value] : headers) out += (out.empty() ? "" : ";") + name;
  return out;
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slash) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte < 0x80 && (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~');
    if (plain || (c == '/' && keep_slash)) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::string canonical_request(const RequestToSign& request, PathRule rule) {
  const CanonicalHeaders headers = canonical_headers(request.headers);
  std::string out =
      request.method + "\n" + canonical_path(request.path, rule) + "\n" + canonical_query(request.query) + "\n";
  for (const auto& [name, value] : headers) out += name + ":" + value + "\n";
  return out + "\n" + signed_header_names(headers) + "\n" + request.payload_sha256;
}

std::string string_to_sign(std::string_view canonical_request, const SigningScope& scope) {
  return std::string(kAlgorithm) + "\n" + basic_time(scope.time) + "\n" + scope_text(scope) + "\n" +
         sha256_hex(canonical_request);
}

std::string signature(const SigningCredentials& credentials, const SigningScope& scope,
                      std::string_view string_to_sign) {
  std::string key = hmac_sha256("AWS4" + credentials.secret_access_key, basic_time(scope.time).substr(0, 8));
  key = hmac_sha256(key, scope.region);
  key = hmac_sha256(key, scope.service);
  key = hmac_sha256(key, "aws4_request");
  return hex(hmac_sha256(key, string_to_sign));
}

Headers sign_headers(RequestToSign request, const SigningCredentials& credentials, const SigningScope& scope,
                     PathRule rule) {
  Headers added;
  const auto has = [&](std::string_view name) {
    return std::any_of(request.headers.begin(), request.headers.end(),
                       [&](const auto& header) { return lower(header.first) == name; });
  };
  if (!has("x-amz-date")) added.emplace_back("x-amz-date", basic_time(scope.time));
  if (!credentials.session_token.empty() && !has("x-amz-security-token"))
    added.emplace_back("x-amz-security-token", credentials.session_token);
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  const std::string signed_text =
      signature(credentials, scope, string_to_sign(canonical_request(request, rule), scope));
  added.emplace_back("Authorization", std::string(kAlgorithm) + " Credential=" + credentials.access_key_id + "/" +
                                          scope_text(scope) +
                                          ", SignedHeaders=" + signed_header_names(canonical_headers(request.headers)) +
                                          ", Signature=" + signed_text);
  return added;
}

std::string presign_query(RequestToSign request, const SigningCredentials& credentials, const SigningScope& scope,
                          PathRule rule, std::int64_t expires_s) {
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!request.query.empty()) request.query += '&';
    request.query += std::string(name) + "=" + uri_encode(value, false);
  };
  add("X-Amz-Algorithm", kAlgorithm);
  add("X-Amz-Credential", credentials.access_key_id + "/" + scope_text(scope));
  add("X-Amz-Date", basic_time(scope.time));
  add("X-Amz-Expires", std::to_string(expires_s));
  if (!credentials.session_token.empty()) add("X-Amz-Security-Token", credentials.session_token);
  add("X-Amz-SignedHeaders", signed_header_names(canonical_headers(request.headers)));
  add("X-Amz-Signature", signature(credentials, scope, string_to_sign(canonical_request(request, rule), scope)));
  return request.query;
}

}  // namespace palette::aws
