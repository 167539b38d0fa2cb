#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <filesystem>

#include "async/timer.h"
#include "http/testing.h"

namespace palette::http::testing {

using async::Task;
using boost::asio::ip::tcp;

namespace {

constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

Task<void> play(std::shared_ptr<tcp::socket> socket, Script script, std::shared_ptr<std::vector<std::string>> received,
                std::size_t number) {
  std::string data;
  for (const std::string& answer : script.answers) {
    const auto [error, size] =
        co_await boost::asio::async_read_until(*socket, boost::asio::dynamic_buffer(data), "\r\n\r\n", kAwait);
    if (error) co_return;
    (*received)[number] += data;
    data.clear();
    co_await boost::asio::async_write(*socket, boost::asio::buffer(answer), kAwait);
  }
  constexpr std::int64_t kHour_ms = 3'600'000;
  if (script.after == Script::After::hang) co_await async::sleep_for(kHour_ms);
  if (script.after == Script::After::close_unread) co_await async::sleep_for(100);
  if (script.after == Script::After::read_and_close) {
    co_await boost::asio::async_read_until(*socket, boost::asio::dynamic_buffer(data), "\r\n\r\n", kAwait);
    (*received)[number] += data;
  }
}

Task<void> accept_scripts(std::shared_ptr<tcp::acceptor> acceptor, std::vector<Script> scripts,
                          std::shared_ptr<std::vector<std::string>> received) {
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    auto socket = std::make_shared<tcp::socket>(acceptor->get_executor());
    const auto [error] = co_await acceptor->async_accept(*socket, kAwait);
    if (error) co_return;
    boost::asio::co_spawn(acceptor->get_executor(), play(socket, scripts[i], received, i), boost::asio::detached);
  }
}

Task<void> relay(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to) {
  char data[16 * 1024];
  for (;;) {
    const auto [error, size] = co_await from->async_read_some(boost::asio::buffer(data), kAwait);
    if (error) break;
    const auto [failed, sent] = co_await boost::asio::async_write(*to, boost::asio::buffer(data, size), kAwait);
    if (failed) break;
  }
  boost::system::error_code ignored;
  to->shutdown(tcp::socket::shutdown_send, ignored);
}

Task<void> accept_tunnel(std::shared_ptr<tcp::acceptor> acceptor, std::uint16_t to_port,
                         std::shared_ptr<std::string> request) {
  auto inner = std::make_shared<tcp::socket>(acceptor->get_executor());
  auto outer = std::make_shared<tcp::socket>(acceptor->get_executor());
  co_await acceptor->async_accept(*inner, kAwait);
  co_await boost::asio::async_read_until(*inner, boost::asio::dynamic_buffer(*request), "\r\n\r\n", kAwait);
  co_await outer->async_connect({boost::asio::ip::address_v4::loopback(), to_port}, kAwait);
  const std::string answer = "HTTP/1.1 200 Connection established\r\nVia: a test\r\n\r\n";
  co_await boost::asio::async_write(*inner, boost::asio::buffer(answer), kAwait);
  boost::asio::co_spawn(acceptor->get_executor(), relay(outer, inner), boost::asio::detached);
  co_await relay(inner, outer);
}

std::shared_ptr<tcp::acceptor> listen_anywhere(boost::asio::io_context& context) {
  return std::make_shared<tcp::acceptor>(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
}

Task<ServerReply> answer_plainly(std::function<ServerReply(const ServerRequest&)> answer, ServerRequest request) {
  co_return answer(request);
}

}  // namespace

RawServer::RawServer(boost::asio::io_context& context, std::vector<Script> scripts)
    : received_(std::make_shared<std::vector<std::string>>(scripts.size())) {
  auto acceptor = listen_anywhere(context);
  port_ = acceptor->local_endpoint().port();
  boost::asio::co_spawn(context, accept_scripts(acceptor, std::move(scripts), received_), boost::asio::detached);
}

RelayProxy::RelayProxy(boost::asio::io_context& context, std::uint16_t to_port)
    : request_(std::make_shared<std::string>()) {
  auto acceptor = listen_anywhere(context);
  port_ = acceptor->local_endpoint().port();
  boost::asio::co_spawn(context, accept_tunnel(acceptor, to_port, request_), boost::asio::detached);
}

struct Certificates::Authority {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = nullptr;
};

namespace {

constexpr long kDay_s = 86'400;

X509* new_certificate(EVP_PKEY* key, const std::string& name, long serial, long from_s, long until_s) {
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void write_pem(const std::string& path, X509* certificate, EVP_PKEY* key) {
  FILE* const file = std::fopen(path.c_str(), "w");
  if (certificate != nullptr) PEM_write_X509(file, certificate);
  if (key != nullptr) PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

}  // namespace

Certificates::Certificates() : authority_(std::make_unique<Authority>()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "certificates-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  X509* const own = new_certificate(authority_->key, "an authority of a test", 1, -kDay_s, kDay_s);
  X509_set_issuer_name(own, X509_get_subject_name(own));
  add_extension(own, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(own, authority_->key, EVP_sha256());
  authority_->certificate = own;
  ca_file_ = folder_ + "/ca.pem";
  write_pem(ca_file_, own, nullptr);
}

Certificates::~Certificates() {
  X509_free(authority_->certificate);
  EVP_PKEY_free(authority_->key);
  std::filesystem::remove_all(folder_);
}

Certificates::Files Certificates::make(const std::string& subject, bool expired) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate =
      new_certificate(key, "a server of a test", 2 + made_, -2 * kDay_s, expired ? -kDay_s : kDay_s);
  X509_set_issuer_name(certificate, X509_get_subject_name(authority_->certificate));
  add_extension(certificate, NID_subject_alt_name, subject.starts_with("IP:") ? subject : "DNS:" + subject);
  X509_sign(certificate, authority_->key, EVP_sha256());
  const std::string base = folder_ + "/server-" + std::to_string(made_++);
  Files files{base + ".pem", base + ".key"};
  write_pem(files.certificate, certificate, nullptr);
  write_pem(files.key, nullptr, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

std::unique_ptr<Server> serve(async::EventLoop& loop, std::function<ServerReply(const ServerRequest&)> answer,
                              ServerSettings settings) {
  Result<std::unique_ptr<Server>> server =
      Server::listen(loop.context().get_executor(), std::move(settings),
                     [answer](ServerRequest request) { return answer_plainly(answer, std::move(request)); });
  if (!server) std::abort();
  return std::move(*server);
}

ServerReply text_reply(std::string body, int status) {
  ServerReply reply;
  reply.response.status = status;
  reply.response.headers.add("Content-Type", "text/plain");
  reply.response.body = std::move(body);
  return reply;
}

Request request_to(std::uint16_t port, std::string target, std::string method) {
  Request request;
  request.method = std::move(method);
  request.url = Url{false, "127.0.0.1", port, std::move(target)};
  return request;
}

Deadlines quick() { return {.connect_ms = 200, .first_byte_ms = 100, .idle_ms = 100, .total_ms = 2'000}; }

}  // namespace palette::http::testing
