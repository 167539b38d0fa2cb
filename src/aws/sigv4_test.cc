#include "aws/sigv4.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/hash.h"
#include "base/json.h"

namespace palette::aws {
namespace {

const SigningCredentials kKeys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};

SigningScope scope_of(std::string service) {
  return {"us-east-1", std::move(service), *UtcTime::from_iso("2015-08-30T12:36:00Z")};
}

RequestToSign get(std::string path, std::string query = "", Headers headers = {}) {
  headers.insert(headers.begin(), {"Host", "example.amazonaws.com"});
  headers.emplace_back("X-Amz-Date", "20150830T123600Z");
  return {"GET", std::move(path), std::move(query), std::move(headers), sha256_hex("")};
}

std::string line(const std::string& text, int number) {
  std::size_t start = 0;
  for (int i = 0; i < number; ++i) start = text.find('\n', start) + 1;
  return text.substr(start, text.find('\n', start) - start);
}

TEST(SigV4, PathsAreNormalizedAndEncodedOnceMore) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "/"},
      {"/", "/"},
      {"/a/../..", "/"},
      {"/./", "/"},
      {"//a///b//", "/a/b/"},
      {"/a/./b", "/a/b"},
      {"/%20x", "/%2520x"},
      {"/example space/", "/example%20space/"},
      {"/-._~0aZ", "/-._~0aZ"},
      // Converse on the ARN of an inference profile.
      {"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-lite-v1%3A0/"
       "converse",
       "/model/"
       "arn%253Aaws%253Abedrock%253Aus-east-1%253A123456789012%253Ainference-profile%252Fus.amazon.nova-lite-v1%253A0/"
       "converse"}};
  for (const auto& [wire, canonical] : cases) {
    EXPECT_EQ(line(canonical_request(get(wire), PathRule::encoded_again), 1), canonical) << wire;
  }
  EXPECT_EQ(line(canonical_request(get("/a//b/../c%20d"), PathRule::as_it_is), 1), "/a//b/../c%20d");
}

TEST(SigV4, QueriesAreEncodedStrictlyAndSorted) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"uploads", "uploads="},
                                                       {"b=2&a=1", "a=1&b=2"},
                                                       {"a=2&a=1", "a=1&a=2"},
                                                       {"p=a/b", "p=a%2Fb"},
                                                       {"p=a%2fb+c", "p=a%2Fb%2Bc"},
                                                       {"a=%zz", "a=%25zz"},
                                                       {"x=a=b", "x=a%3Db"}};
  for (const auto& [wire, canonical] : cases) {
    EXPECT_EQ(line(canonical_request(get("/", wire), PathRule::encoded_again), 2), canonical) << wire;
  }
}

TEST(SigV4, HeadersAreTrimmedJoinedAndSorted) {
  const std::string text = canonical_request(
      get("/", "", {{"My-B", "  a   b  "}, {"My-A", "2"}, {"my-a", "1"}, {"User-Agent", "x"}, {"Connection", "close"}}),
      PathRule::encoded_again);
  EXPECT_EQ(text,
            "GET\n/\n\nhost:example.amazonaws.com\nmy-a:2,1\nmy-b:a b\nx-amz-date:20150830T123600Z\n\n"
            "host;my-a;my-b;x-amz-date\n" +
                sha256_hex(""));
}

// The first example of AWS's test suite.
TEST(SigV4, AuthorizationOfAPlainGet) {
  RequestToSign request{"GET", "/", "", {{"Host", "example.amazonaws.com"}}, sha256_hex("")};
  const Headers added = sign_headers(request, kKeys, scope_of("service"), PathRule::encoded_again);
  ASSERT_EQ(added.size(), 2u);
  EXPECT_EQ(added[0], (std::pair<std::string, std::string>{"x-amz-date", "20150830T123600Z"}));
  EXPECT_EQ(
      added[1].second,
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, "
      "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(SigV4, TheSessionTokenIsSigned) {
  SigningCredentials keys = kKeys;
  keys.session_token = "TOKEN";
  const Headers added = sign_headers(get("/"), keys, scope_of("service"), PathRule::encoded_again);
  EXPECT_EQ(added[0], (std::pair<std::string, std::string>{"x-amz-security-token", "TOKEN"}));
  EXPECT_NE(added[1].second.find("SignedHeaders=host;x-amz-date;x-amz-security-token"), std::string::npos);
}

TEST(SigV4, ASignerThatKeepsItsKeySignsAsWithoutOne) {
  Signer signer("us-east-1", "service", PathRule::encoded_again);
  SigningCredentials other = kKeys;
  other.secret_access_key += "2";
  const std::pair<SigningCredentials, const char*> cases[] = {{kKeys, "2015-08-30T12:36:00Z"},
                                                              {kKeys, "2015-08-30T23:59:59Z"},
                                                              {kKeys, "2015-08-31T00:00:00Z"},
                                                              {other, "2015-08-31T00:00:00Z"},
                                                              {kKeys, "2015-08-31T00:00:00Z"}};
  for (const auto& [keys, time] : cases) {
    RequestToSign request{"GET", "/", "", {{"Host", "example.amazonaws.com"}}, sha256_hex("")};
    SigningScope scope = scope_of("service");
    scope.time = *UtcTime::from_iso(time);
    const std::string expected = signature(keys, scope, [&] {
      RequestToSign dated = request;
      std::string date = time;
      std::erase(date, '-');
      std::erase(date, ':');
      dated.headers.emplace_back("x-amz-date", date);
      return string_to_sign(canonical_request(dated, PathRule::encoded_again), scope);
    }());
    EXPECT_TRUE(signer.sign(request, keys, scope.time).back().second.ends_with("Signature=" + expected)) << time;
  }
}

// --- ../shared/testdata/sigv4: 134 vectors that others made.

std::string text_of(const JsonObject& object, std::string_view key) { return json_string(object, key).value(); }

RequestToSign request_of(const JsonObject& vector, const JsonObject& flags) {
  RequestToSign request{text_of(vector, "method"), text_of(vector, "path"), text_of(vector, "query"), {}, {}};
  for (const Json& header : vector.at("headers").as_array()) {
    request.headers.emplace_back(header.at(0).as_string(), header.at(1).as_string());
  }
  const std::string payload = text_of(flags, "payload_hash");
  request.payload_sha256 = payload == "body"    ? sha256_hex(text_of(vector, "body"))
                           : payload == "empty" ? sha256_hex("")
                                                : payload;
  const bool header_mode = text_of(vector, "mode") == "header";
  if (header_mode && flags.at("add_content_sha256_header").as_bool()) {
    request.headers.emplace_back("x-amz-content-sha256", request.payload_sha256);
  }
  return request;
}

void check_vector(const JsonObject& vector) {
  const JsonObject& flags = vector.at("flags").as_object();
  const JsonObject& keys = vector.at("credentials").as_object();
  SigningCredentials credentials{text_of(keys, "access_key_id"), text_of(keys, "secret_access_key"),
                                 text_of(keys, "session_token")};
  if (flags.at("omit_session_token").as_bool()) credentials.session_token.clear();
  const SigningScope scope{text_of(vector, "region"), text_of(vector, "service"),
                           *UtcTime::from_iso(text_of(vector, "timestamp"))};
  const PathRule rule = !flags.at("double_uri_encode").as_bool() ? PathRule::as_it_is
                        : flags.at("normalize_path").as_bool()   ? PathRule::encoded_again
                                                                 : PathRule::encoded_only;
  RequestToSign request = request_of(vector, flags);
  const std::string expected = text_of(vector, "expected_signature");
  if (text_of(vector, "mode") == "query") {
    const std::string query = presign_query(request, credentials, scope, rule, flags.at("expires").as_int64());
    EXPECT_TRUE(query.ends_with("&X-Amz-Signature=" + expected)) << query;
    return;
  }
  const Headers added = sign_headers(request, credentials, scope, rule);
  EXPECT_EQ(added.back().second, text_of(vector, "expected_authorization"));
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  const std::string canonical = canonical_request(request, rule);
  EXPECT_EQ(canonical, text_of(vector, "expected_canonical_request"));
  EXPECT_EQ(string_to_sign(canonical, scope), text_of(vector, "expected_string_to_sign"));
}

TEST(SigV4, AllVectorsOfTheSharedSuite) {
  std::ifstream file(std::string(PALETTE_SOURCE_DIR) + "/../shared/testdata/sigv4/all.jsonl");
  if (!file) GTEST_SKIP() << "the shared test data is absent";
  int vectors = 0;
  for (std::string text; std::getline(file, text); ++vectors) {
    const Result<Json> vector = parse_json(text);
    ASSERT_TRUE(vector) << vector.error().text();
    SCOPED_TRACE(text_of(vector->as_object(), "name"));
    check_vector(vector->as_object());
  }
  EXPECT_EQ(vectors, 134);
}

}  // namespace
}  // namespace palette::aws
