// Beast's HTTP/1.1 parser, filling our Headers and a body with a limit. For .cc files only: Beast is heavy.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "http/inflate.h"
#include "http/message.h"

namespace palette::http {

template <bool isRequest>
class WireParser final : public boost::beast::http::basic_parser<isRequest> {
  using Parser = boost::beast::http::basic_parser<isRequest>;
  using Code = boost::beast::error_code;
  using View = boost::beast::string_view;

 public:
  WireParser(std::size_t header_bytes_max, std::uint64_t body_bytes_max)
      : header_bytes_max_(header_bytes_max), body_bytes_left_(body_bytes_max) {
    this->eager(true);
    this->header_limit(static_cast<std::uint32_t>(header_bytes_max));
    this->body_limit(boost::none);  // ours counts what a body unpacks to
  }

  // Parses as far as `data` goes and says how much of it is done with; what is left is given again with what comes
  // next. An error for what is no HTTP or crosses a limit: after it, nothing may be parsed.
  Result<std::size_t> parse(std::string_view data) {
    Code code;
    const std::size_t used = this->put(boost::asio::const_buffer(data.data(), data.size()), code);
    if (fault_) return std::unexpected(*fault_);
    if (code == boost::beast::http::error::header_limit)
      return fail(ErrorKind::too_large,
                  "the header is larger than the limit of " + std::to_string(header_bytes_max_) + " bytes");
    if (code && code != boost::beast::http::error::need_more)
      return fail(ErrorKind::corrupt, "what came is not HTTP/1.1: " + code.message());
    return used;
  }

  // The stream has ended. True when that ends the message (no length was given); false: it was cut.
  bool finish_at_end() {
    if (!header_done || !this->need_eof()) return false;
    Code code;
    this->put_eof(code);
    return !code;
  }

  // The body is not to be unpacked, whatever the headers say of it.
  void keep_packed() { keeps_packed_ = true; }
  // The body came packed with gzip, and is unpacked here: what the headers say of its form is of the packed one.
  bool unpacks() const { return packed_; }
  // Whether the unpacked body is whole.
  bool whole() const { return !inflater_ || inflater_->whole(); }

  std::string method, target;  // of a request
  int status_code = 0;         // of a response
  bool http_1_0 = false;
  Headers headers;
  std::string body;
  bool header_done = false;

 private:
  void on_request_impl(boost::beast::http::verb, View name, View where, int version, Code&) override {
    http_1_0 = version == 10;
    method.assign(name.data(), name.size());
    target.assign(where.data(), where.size());
  }
  void on_response_impl(int status, View, int version, Code&) override {
    http_1_0 = version == 10;
    status_code = status;
  }
  void on_field_impl(boost::beast::http::field, View name, View value, Code&) override {
    if (header_done) return;  // a trailer: nothing here asks for one
    headers.add(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  void on_header_impl(Code& code) override {
    header_done = true;
    if (this->is_done()) return;  // no body follows
    if (!keeps_packed_ && !isRequest) {
      const std::string_view packing = headers.get("Content-Encoding");
      packed_ = boost::beast::iequals(packing, "gzip") || boost::beast::iequals(packing, "x-gzip");
    }
    const auto length = this->content_length();
    if (!length) return;
    if (*length > body_bytes_left_) return stop(too_large(), code);
    // A length is a claim: beyond a megabyte the body grows as it comes.
    constexpr std::uint64_t kReserveMax = limits::kMiB;
    if (!packed_) body.reserve(static_cast<std::size_t>(std::min(*length, kReserveMax)));
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {
    if (packed_) inflater_ = std::make_unique<Inflater>();
  }
  std::size_t on_body_impl(View piece, Code& code) override {
    const std::string_view bytes(piece.data(), piece.size());
    if (inflater_) {
      const std::size_t before = body.size();
      if (Status done = inflater_->append(bytes, body, body_bytes_left_); !done) stop(done.error(), code);
      body_bytes_left_ -= body.size() - before;
    } else if (bytes.size() > body_bytes_left_) {
      stop(too_large(), code);
    } else {
      body_bytes_left_ -= bytes.size();
      body.append(bytes);
    }
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View piece, Code& code) override { return on_body_impl(piece, code); }
  void on_finish_impl(Code&) override {}

  static Error too_large() { return Error{ErrorKind::too_large, "the body is larger than the limit"}; }
  void stop(Error error, Code& code) {
    fault_ = std::move(error);
    code = boost::beast::http::make_error_code(boost::beast::http::error::body_limit);
  }

  std::size_t header_bytes_max_;
  std::uint64_t body_bytes_left_;
  bool packed_ = false;
  bool keeps_packed_ = false;
  std::unique_ptr<Inflater> inflater_;
  std::optional<Error> fault_;
};

}  // namespace palette::http
