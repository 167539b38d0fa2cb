// TLS 1.2 and later through OpenSSL: contexts for either end, and the errors of a handshake in words.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace palette::http {

struct SslDeleter {
  void operator()(ssl_st* ssl) const;
  void operator()(ssl_ctx_st* context) const;
  void operator()(ssl_session_st* session) const;
};
using SslPointer = std::unique_ptr<ssl_st, SslDeleter>;
using SslContextPointer = std::unique_ptr<ssl_ctx_st, SslDeleter>;
using SslSessionPointer = std::unique_ptr<ssl_session_st, SslDeleter>;

// Verifies against the system's authorities (SSL_CERT_FILE, when set) and those of `ca_file`, if it is not empty.
// bad_input when that file cannot be read.
Result<SslContextPointer> client_tls_context(const std::string& ca_file, bool verify);

// A connection to `host` under that context: server name sent, certificate checked against the host name or address.
// The session of an earlier connection, taken up if the server agrees, or null. New sessions are put into
// `sessions`, which outlives the connection.
Result<SslPointer> client_tls(ssl_ctx_st* context, const std::string& host, SslSessionPointer* sessions);

// bad_input when a file cannot be read, is not PEM, or the key is not that of the certificate.
Result<SslContextPointer> server_tls_context(const std::string& certificate_file, const std::string& key_file);
Result<SslPointer> server_tls(ssl_ctx_st* context);

// Reads and writes of `ssl` go to that descriptor, without signals.
void attach_socket(ssl_st* ssl, int descriptor);

// Why a handshake failed: `denied` for a certificate that is not accepted, else `unavailable`. `peer` is for the
// message; `system_errno` is 0 when it is an error of TLS.
Error handshake_error(ssl_st* ssl, std::string_view peer, int system_errno);

}  // namespace palette::http
