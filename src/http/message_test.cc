#include "http/message.h"

#include <gtest/gtest.h>

namespace palette::http {
namespace {

TEST(Headers, CompareWithoutCaseAndKeepDuplicates) {
  Headers headers = {{"Set-Cookie", "a"}, {"set-cookie", "b"}, {"X-Other", "c"}};
  EXPECT_EQ(headers.get("SET-COOKIE"), "a");
  EXPECT_EQ(headers.size(), 3U);
  headers.set("Set-cookie", "d");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.get("set-cookie"), "d");
  headers.remove("x-OTHER");
  EXPECT_EQ(headers.find("X-Other"), nullptr);
  EXPECT_EQ(headers.get("X-Other"), "");
}

TEST(Url, IsReadAndWrittenBack) {
  struct {
    const char* text;
    const char* host;
    int port;
    const char* target;
    const char* authority;
    const char* origin;
  } const table[] = {
      {"https://Example.COM", "example.com", 443, "/", "example.com", "https://example.com:443"},
      {"HTTP://a:8080/b?c=d#e", "a", 8080, "/b?c=d", "a:8080", "http://a:8080"},
      {"http://a?x=%3A", "a", 80, "/?x=%3A", "a", "http://a:80"},
      {"http://a:80/", "a", 80, "/", "a", "http://a:80"},
      {"https://[FD00:EC2::23]:444/x", "fd00:ec2::23", 444, "/x", "[fd00:ec2::23]:444", "https://[fd00:ec2::23]:444"},
  };
  for (const auto& one : table) {
    const Result<Url> url = Url::parse(one.text);
    ASSERT_TRUE(url) << url.error().text();
    EXPECT_EQ(url->host, one.host);
    EXPECT_EQ(url->port, one.port);
    EXPECT_EQ(url->target, one.target);
    EXPECT_EQ(url->authority(), one.authority);
    EXPECT_EQ(url->origin(), one.origin);
    EXPECT_EQ(Url::parse(url->text())->text(), url->text());
  }
}

TEST(Url, SaysWhyItIsNotTaken) {
  struct {
    const char* text;
    const char* says;
  } const table[] = {
      {"", "does not begin with http:// or https://"},
      {"ftp://a/", "does not begin with http:// or https://"},
      {"/only/a/path", "does not begin with http:// or https://"},
      {"http://", "it has no host"},
      {"http://:80/", "it has no host"},
      {"http://a:0/", "its port is not a number from 1 to 65535"},
      {"http://a:65536/", "its port is not a number"},
      {"http://a:/", "its port is not a number"},
      {"http://a b/", "its host has characters"},
      {"http://[::1/", "its [ has no ]"},
      {"http://[::zz]/", "no IPv6 address"},
      {"http://[::1]x/", "after the ]"},
      {"http://a/b c", "must be %-encoded"},
      {"http://a/\xc3\xa9", "must be %-encoded"},
      {"http://a/%4", "two hexadecimal digits"},
  };
  for (const auto& one : table) {
    const Result<Url> url = Url::parse(one.text);
    ASSERT_FALSE(url) << one.text;
    EXPECT_EQ(url.error().kind, ErrorKind::bad_input);
    EXPECT_NE(url.error().message.find(one.says), std::string::npos) << url.error().message;
  }
}

TEST(Url, DoesNotRepeatAPassword) {
  const Result<Url> url = Url::parse("https://user:secret@host/");
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().message.find("secret"), std::string::npos);
}

TEST(LocalHost, IsThisMachineAndItsLink) {
  for (const char* host : {"localhost", "LOCALHOST", "x.localhost", "localhost.", "127.0.0.1", "127.255.0.9", "::1",
                           "169.254.170.2", "fe80::1", "febf::1", "fd00:ec2::254", "::ffff:127.0.0.1"})
    EXPECT_TRUE(is_local_host(host)) << host;
  for (const char* host : {"example.com", "notlocalhost", "128.0.0.1", "169.253.1.1", "10.0.0.1", "fec0::1",
                           "fd00:ec3::1", "::2", "::ffff:10.0.0.1", ""})
    EXPECT_FALSE(is_local_host(host)) << host;
}

}  // namespace
}  // namespace palette::http
