#include "http/proxy.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "http/client.h"
#include "http/testing.h"

namespace palette::http {
namespace {

using testing::RawServer;
using testing::Script;

Url url(std::string_view text) { return *Url::parse(text); }

TEST(Proxy, IsReadWithUserAndPassword) {
  const Result<Proxy> proxy = Proxy::parse("http://al%40ice:open%3Asesame@proxy.example:3128/");
  ASSERT_TRUE(proxy) << proxy.error().text();
  EXPECT_EQ(proxy->host, "proxy.example");
  EXPECT_EQ(proxy->port, 3128);
  EXPECT_EQ(proxy->authorization, "Basic YWxAaWNlOm9wZW46c2VzYW1l");
  EXPECT_EQ(Proxy::parse("proxy.example:8080")->port, 8080);
}

TEST(Proxy, SaysWhatItExpectsWithoutThePassword) {
  for (const char* text : {"socks5://user:secret@proxy:1080", "http://user:secret@pro xy", "http://user:secret@:80"}) {
    const Result<Proxy> proxy = Proxy::parse(text);
    ASSERT_FALSE(proxy) << text;
    EXPECT_EQ(proxy.error().kind, ErrorKind::bad_input);
    EXPECT_NE(proxy.error().message.find("http://user:password@host:port"), std::string::npos);
    EXPECT_EQ(proxy.error().message.find("secret"), std::string::npos);
  }
}

TEST(NoProxy, CoversHostsDomainsPortsAddressesAndBlocks) {
  const ProxyExceptions exceptions(
      "example.com, .internal ,*.lan,api.test:8443 10.0.0.0/8,192.168.1.7,[fd12::1]:80,fd34::/16");
  for (const char* covered :
       {"http://example.com", "http://a.b.example.com:8080", "https://x.internal", "http://internal", "http://one.lan",
        "https://api.test:8443", "http://10.1.2.3", "http://192.168.1.7:99", "http://[fd12::1]", "http://[fd34:1::2]"})
    EXPECT_TRUE(exceptions.covers(url(covered))) << covered;
  for (const char* other : {"http://notexample.com", "http://example.com.evil.test", "https://api.test",
                            "http://11.1.2.3", "http://192.168.1.70", "http://[fd12::1]:81", "http://[fd35::1]"})
    EXPECT_FALSE(exceptions.covers(url(other))) << other;
  EXPECT_TRUE(ProxyExceptions("*").covers(url("http://any.test")));
  EXPECT_FALSE(ProxyExceptions("10.0.0.0/99,bad/8,/").covers(url("http://10.0.0.1")));
}

TEST(ProxyRules, ChooseBySchemeAndNeverForThisMachine) {
  const Result<ProxyRules> rules = ProxyRules::parse("http://plain:1", "http://tls:2", "skip.test");
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->proxy_for(url("http://a.test"))->host, "plain");
  EXPECT_EQ(rules->proxy_for(url("https://a.test"))->host, "tls");
  for (const char* direct : {"http://localhost", "https://127.0.0.1", "http://169.254.170.2", "http://skip.test"})
    EXPECT_EQ(rules->proxy_for(url(direct)), nullptr) << direct;
}

TEST(ClientBehindAProxy, SendsTheWholeAddress) {
  async::EventLoop loop;
  RawServer proxy(loop.context(), {{{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}, Script::After::hang}});
  Client client(loop.context().get_executor(), {.http_proxy = "u:p@127.0.0.1:" + std::to_string(proxy.port())});
  Request request;
  request.url = url("http://service.example/path?x=1");
  const Outcome<Response> answer = loop.run(client.send(request));
  ASSERT_TRUE(answer) << answer.error().error.text();
  const std::string& sent = proxy.received()[0];
  EXPECT_TRUE(sent.starts_with("GET http://service.example/path?x=1 HTTP/1.1\r\nHost: service.example\r\n")) << sent;
  EXPECT_NE(sent.find("Proxy-Authorization: Basic dTpw\r\n"), std::string::npos);
}

TEST(ClientBehindAProxy, SaysWhenTheProxyRefuses) {
  struct {
    const char* answer;
    ErrorKind kind;
    const char* says;
  } const table[] = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", ErrorKind::denied, "user name and password"},
      {"HTTP/1.1 403 Forbidden\r\n\r\n", ErrorKind::denied, "status 403"},
      {"HTTP/1.1 502 Bad Gateway\r\n\r\n", ErrorKind::unavailable, "status 502"},
      {"nonsense\r\n\r\n", ErrorKind::corrupt, "not HTTP/1.1"},
      {"HTTP/1.1 200", ErrorKind::unavailable, "closed the connection"},
  };
  for (const auto& one : table) {
    async::EventLoop loop;
    RawServer proxy(loop.context(), {{{one.answer}}});
    Client client(loop.context().get_executor(), {.https_proxy = "http://127.0.0.1:" + std::to_string(proxy.port())});
    Request request;
    request.url = url("https://service.example/");
    const Outcome<Response> answer = loop.run(client.send(request));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().error.kind, one.kind) << answer.error().error.text();
    EXPECT_NE(answer.error().error.message.find(one.says), std::string::npos) << answer.error().error.text();
    EXPECT_FALSE(answer.error().sent);
  }
}

class Environment : public ::testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void clear() {
    for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                             "no_proxy", "NO_PROXY", "AWS_CA_BUNDLE", "SSL_CERT_FILE"})
      unsetenv(name);
  }
};

TEST_F(Environment, GivesProxiesAndAuthorities) {
  setenv("HTTP_PROXY", "http://set-by-a-request:1", 1);
  setenv("HTTPS_PROXY", "http://tls:2", 1);
  setenv("NO_PROXY", "a.test", 1);
  setenv("SSL_CERT_FILE", "system.pem", 1);
  Result<ClientSettings> settings = client_settings_from_environment();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->http_proxy, "");
  EXPECT_EQ(settings->https_proxy, "http://tls:2");
  EXPECT_EQ(settings->no_proxy, "a.test");
  EXPECT_EQ(settings->ca_file, "system.pem");
  setenv("AWS_CA_BUNDLE", "aws.pem", 1);
  setenv("ALL_PROXY", "http://all:3", 1);
  settings = client_settings_from_environment();
  EXPECT_EQ(settings->ca_file, "aws.pem");
  EXPECT_EQ(settings->http_proxy, "http://all:3");
}

TEST_F(Environment, NamesTheVariableOfABadProxy) {
  setenv("HTTPS_PROXY", "socks5://proxy:1080", 1);
  const Result<ClientSettings> settings = client_settings_from_environment();
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(settings.error().where, "https_proxy");
}

}  // namespace
}  // namespace palette::http
