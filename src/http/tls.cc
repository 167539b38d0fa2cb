#include "http/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstring>

namespace palette::http {
namespace {

// What OpenSSL says of its last error, e.g. "no start line".
std::string last_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown reason" : reason;
}

Result<SslContextPointer> new_context(const SSL_METHOD* method) {
  ERR_clear_error();
  SslContextPointer context(SSL_CTX_new(method));
  if (!context) return fail(ErrorKind::internal, "OpenSSL gives no TLS context: " + last_reason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Buffers are given back while a connection waits; a write that came half way may be repeated from elsewhere.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return context;
}

// Which slot of a connection points to the place where its origin's session is kept.
int session_slot() {
  static const int slot = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* const place = static_cast<SslSessionPointer*>(SSL_get_ex_data(ssl, session_slot()));
  if (place == nullptr) return 0;
  place->reset(session);
  return 1;  // the reference is ours now
}

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

}  // namespace

void SslDeleter::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void SslDeleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void SslDeleter::operator()(ssl_session_st* session) const { SSL_SESSION_free(session); }

Result<SslContextPointer> client_tls_context(const std::string& ca_file, bool verify) {
  Result<SslContextPointer> context = new_context(TLS_client_method());
  if (!context) return context;
  SSL_CTX_set_verify(context->get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  // A system without authorities is no error here: the handshake will name the certificate that it cannot check.
  SSL_CTX_set_default_verify_paths(context->get());
  ERR_clear_error();
  if (!ca_file.empty() && SSL_CTX_load_verify_file(context->get(), ca_file.c_str()) != 1)
    return fail(ErrorKind::bad_input,
                "the certificate authorities cannot be read (" + last_reason() +
                    "); a file of PEM certificates is expected: see AWS_CA_BUNDLE and SSL_CERT_FILE",
                ca_file);
  SSL_CTX_set_session_cache_mode(context->get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context->get(), keep_session);
  return context;
}

Result<SslPointer> client_tls(ssl_ctx_st* context, const std::string& host, SslSessionPointer* sessions) {
  ERR_clear_error();
  SslPointer ssl(SSL_new(context));
  if (!ssl) return fail(ErrorKind::internal, "OpenSSL gives no TLS connection: " + last_reason());
  SSL_set_connect_state(ssl.get());
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool address = is_address(host);
  const bool named = address ? X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1
                             : X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1 &&
                                   SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1;
  constexpr std::array<unsigned char, 9> kProtocols = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};  // RFC 7301
  if (!named || SSL_set_alpn_protos(ssl.get(), kProtocols.data(), kProtocols.size()) != 0)
    return fail(ErrorKind::internal, "OpenSSL does not take the host name \"" + host + "\": " + last_reason());
  if (sessions != nullptr) {
    SSL_set_ex_data(ssl.get(), session_slot(), sessions);
    if (*sessions) SSL_set_session(ssl.get(), sessions->get());
  }
  return ssl;
}

Result<SslContextPointer> server_tls_context(const std::string& certificate_file, const std::string& key_file) {
  Result<SslContextPointer> context = new_context(TLS_server_method());
  if (!context) return context;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context->get(), certificate_file.c_str()) != 1)
    return fail(ErrorKind::bad_input, "the certificate cannot be read (" + last_reason() + "); PEM is expected",
                certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context->get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return fail(ErrorKind::bad_input,
                "the key cannot be read, or is not that of the certificate (" + last_reason() + "); PEM is expected",
                key_file);
  return context;
}

Result<SslPointer> server_tls(ssl_ctx_st* context) {
  ERR_clear_error();
  SslPointer ssl(SSL_new(context));
  if (!ssl) return fail(ErrorKind::internal, "OpenSSL gives no TLS connection: " + last_reason());
  SSL_set_accept_state(ssl.get());
  return ssl;
}

Error handshake_error(ssl_st* ssl, std::string_view peer, int system_errno) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK)
    return Error{ErrorKind::denied,
                 "the certificate of " + std::string(peer) +
                     " is not accepted: " + X509_verify_cert_error_string(verdict) +
                     "; if the server is right, name its authority's PEM file in SSL_CERT_FILE or AWS_CA_BUNDLE"};
  const std::string why = system_errno != 0 ? std::string(std::strerror(system_errno)) : last_reason();
  return Error{ErrorKind::unavailable, "no TLS connection to " + std::string(peer) + ": " + why};
}

}  // namespace palette::http
