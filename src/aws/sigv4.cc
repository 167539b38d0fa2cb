#include "aws/sigv4.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "aws/digest.h"

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

// Of ASCII alone, whatever the locale says; and inlined, for it is asked for every byte.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

void append_digits(std::string& out, unsigned value, unsigned count) {
  for (unsigned unit = count == 4 ? 1000 : 10; unit > 0; unit /= 10) out += static_cast<char>('0' + value / unit % 10);
}

// 20150830T123600Z
std::string basic_time(UtcTime time) {
  using namespace std::chrono;
  const sys_time<milliseconds> point{milliseconds{time.unix_ms}};
  const auto day = floor<days>(point);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(point - day)};
  std::string out;
  out.reserve(16);
  append_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_digits(out, static_cast<unsigned>(clock.hours().count()), 2);
  append_digits(out, static_cast<unsigned>(clock.minutes().count()), 2);
  append_digits(out, static_cast<unsigned>(clock.seconds().count()), 2);
  out += 'Z';
  return out;
}

// YYYYMMDD/region/service/aws4_request
std::string scope_text(std::string_view basic_time, std::string_view region, std::string_view service) {
  std::string out;
  out.reserve(24 + region.size() + service.size());
  out.append(basic_time.substr(0, 8)).append("/").append(region).append("/").append(service).append("/aws4_request");
  return out;
}

// RFC 3986, 5.2.4, and doubled slashes removed; a slash at the end stays.
std::string normalized(std::string_view path) {
  const bool is_plain = path.find("//") == std::string_view::npos && path.find("/.") == std::string_view::npos;
  if (is_plain && path.starts_with('/')) return std::string(path);
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
  const char small = lower(c);
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
void append_canonical_value(std::string& out, std::string_view value) {
  // A session token is a thousand bytes without a blank; counting is a loop that compilers make short.
  if (std::ranges::count_if(value, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }) == 0) {
    out += value;
    return;
  }
  const std::size_t start = out.size();
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) {
      out += c;
    } else if (out.size() > start && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.size() > start && out.back() == ' ') out.pop_back();
}

struct CanonicalRequest {
  std::string text;
  std::string signed_names;
};

// Appends the header lines ("name:value\n", sorted, those of one name joined by commas) and gives the names.
std::string append_canonical_headers(std::string& out, const Headers& headers) {
  std::vector<std::pair<std::string, std::string_view>> sorted;
  sorted.reserve(headers.size());
  for (const auto& [name, value] : headers) {
    std::string key = lower(name);
    if (std::find(kUnsigned.begin(), kUnsigned.end(), key) == kUnsigned.end())
      sorted.emplace_back(std::move(key), value);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string names;
  names.reserve(128);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && sorted[i].first == sorted[i - 1].first) {
      out.back() = ',';  // in place of the line end
    } else {
      if (i > 0) names += ';';
      names += sorted[i].first;
      out.append(sorted[i].first).append(":");
    }
    append_canonical_value(out, sorted[i].second);
    out += '\n';
  }
  return names;
}

CanonicalRequest canonical(const RequestToSign& request, std::string_view path) {
  CanonicalRequest out;
  out.text.reserve(1024);
  out.text.append(request.method).append("\n").append(path).append("\n");
  if (!request.query.empty()) out.text += canonical_query(request.query);
  out.text += '\n';
  out.signed_names = append_canonical_headers(out.text, request.headers);
  out.text.append("\n").append(out.signed_names).append("\n").append(request.payload_sha256);
  return out;
}

std::string string_to_sign_of(std::string_view canonical_request, std::string_view basic_time, std::string_view scope) {
  std::string out;
  out.reserve(192);
  out.append(kAlgorithm).append("\n").append(basic_time).append("\n").append(scope).append("\n");
  append_hex(out, sha256(canonical_request));
  return out;
}

HmacKey signing_key(const SigningCredentials& credentials, std::string_view day, std::string_view region,
                    std::string_view service) {
  Digest key = HmacKey("AWS4" + credentials.secret_access_key).of(day);
  key = HmacKey(bytes_of(key)).of(region);
  key = HmacKey(bytes_of(key)).of(service);
  return HmacKey(bytes_of(HmacKey(bytes_of(key)).of("aws4_request")));
}

bool same_name(std::string_view name, std::string_view lower_name) {
  return name.size() == lower_name.size() &&
         std::equal(name.begin(), name.end(), lower_name.begin(), [](char a, char b) { return lower(a) == b; });
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slash) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + 32);
  for (const char c : text) {
    if (is_unreserved(c) || (c == '/' && keep_slash)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::string canonical_request(const RequestToSign& request, PathRule rule) {
  return canonical(request, canonical_path(request.path, rule)).text;
}

std::string string_to_sign(std::string_view canonical_request, const SigningScope& scope) {
  const std::string time = basic_time(scope.time);
  return string_to_sign_of(canonical_request, time, scope_text(time, scope.region, scope.service));
}

std::string signature(const SigningCredentials& credentials, const SigningScope& scope,
                      std::string_view string_to_sign) {
  const std::string day = basic_time(scope.time).substr(0, 8);
  std::string out;
  append_hex(out, signing_key(credentials, day, scope.region, scope.service).of(string_to_sign));
  return out;
}

Headers sign_headers(RequestToSign request, const SigningCredentials& credentials, const SigningScope& scope,
                     PathRule rule) {
  return Signer(scope.region, scope.service, rule).sign(std::move(request), credentials, scope.time);
}

struct Signer::DayKey {
  std::string day, secret;
  HmacKey key;
};

Signer::Signer(std::string region, std::string service, PathRule rule)
    : region_(std::move(region)), service_(std::move(service)), rule_(rule) {}
Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

Headers Signer::sign(RequestToSign request, const SigningCredentials& credentials, UtcTime time) {
  const std::string basic = basic_time(time);
  const std::string_view day = std::string_view(basic).substr(0, 8);
  if (!key_ || key_->day != day || key_->secret != credentials.secret_access_key) {
    key_ = std::make_unique<DayKey>(
        DayKey{std::string(day), credentials.secret_access_key, signing_key(credentials, day, region_, service_)});
  }
  Headers added;
  added.reserve(3);
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(request.headers, [&](const auto& header) { return same_name(header.first, name); });
  };
  if (!has("x-amz-date")) added.emplace_back("x-amz-date", basic);
  if (!credentials.session_token.empty() && !has("x-amz-security-token"))
    added.emplace_back("x-amz-security-token", credentials.session_token);
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  if (canonical_path_.empty() || request.path != path_) {
    path_ = request.path;
    canonical_path_ = canonical_path(path_, rule_);
  }
  const CanonicalRequest to_sign = canonical(request, canonical_path_);
  const std::string scope = scope_text(basic, region_, service_);
  std::string value;
  value.reserve(256);
  value.append(kAlgorithm).append(" Credential=").append(credentials.access_key_id).append("/").append(scope);
  value.append(", SignedHeaders=").append(to_sign.signed_names).append(", Signature=");
  append_hex(value, key_->key.of(string_to_sign_of(to_sign.text, basic, scope)));
  added.emplace_back("Authorization", std::move(value));
  return added;
}

std::string presign_query(RequestToSign request, const SigningCredentials& credentials, const SigningScope& scope,
                          PathRule rule, std::int64_t expires_s) {
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!request.query.empty()) request.query += '&';
    request.query += std::string(name) + "=" + uri_encode(value, false);
  };
  add("X-Amz-Algorithm", kAlgorithm);
  const std::string time = basic_time(scope.time);
  add("X-Amz-Credential", credentials.access_key_id + "/" + scope_text(time, scope.region, scope.service));
  add("X-Amz-Date", time);
  add("X-Amz-Expires", std::to_string(expires_s));
  if (!credentials.session_token.empty()) add("X-Amz-Security-Token", credentials.session_token);
  add("X-Amz-SignedHeaders", canonical(request, canonical_path(request.path, rule)).signed_names);
  add("X-Amz-Signature", signature(credentials, scope, string_to_sign(canonical_request(request, rule), scope)));
  return request.query;
}

}  // namespace palette::aws
