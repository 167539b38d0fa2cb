#include "http/server_message.h"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>
#include <ctime>
#include <optional>

#include "http/field_rules.h"
#include "http/wire_parser.h"

namespace palette::http {
namespace {

Response plain_text(int status, std::string text) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = std::move(text) + "\n";
  return response;
}

}  // namespace

struct RequestReader::Parsing {
  Parsing(std::size_t header_bytes_max, std::size_t body_bytes_max) : parser(header_bytes_max, body_bytes_max) {}

  WireParser<true> parser;
  bool asked_to_continue = false;
};

RequestReader::RequestReader(const ServerSettings& settings) : settings_(settings) {}
RequestReader::~RequestReader() = default;

bool RequestReader::begun() const { return parsing_ != nullptr || !unparsed_.empty(); }

RequestReader::State RequestReader::advance(Transport& transport) {
  // What came along with the request before.
  if (!parsing_ && !unparsed_.empty()) {
    if (const State state = take({}); state != State::want_read) return state;
  }
  for (;;) {
    constexpr std::size_t kPieceBytes = 64 * 1024;
    char piece[kPieceBytes];
    const IoResult got = transport.read(piece);
    if (got.io == Io::want_read) return State::want_read;
    if (got.io == Io::want_write) return State::want_write;
    if (got.io != Io::moved) return State::ended;
    if (const State state = take({piece, got.bytes}); state != State::want_read) return state;
  }
}

// Parses what came, after what was left of what came before, and keeps what is left now.
RequestReader::State RequestReader::take(std::string_view came) {
  const bool joined = !unparsed_.empty();
  if (joined) {
    unparsed_.append(came);
    came = unparsed_;
  }
  const State state = parse(came);
  if (joined)
    unparsed_.erase(0, unparsed_.size() - came.size());
  else
    unparsed_.assign(came);
  if (unparsed_.empty() && unparsed_.capacity() > limits::kKiB) std::string().swap(unparsed_);
  return state;
}

RequestReader::State RequestReader::parse(std::string_view& came) {
  if (!parsing_) parsing_ = std::make_unique<Parsing>(settings_.header_bytes_max, settings_.body_bytes_max);
  WireParser<true>& parser = parsing_->parser;
  const Result<std::size_t> used = parser.parse(came);
  if (!used) return refuse(used.error());
  came.remove_prefix(*used);
  if (parser.is_done()) {
    keep_alive_ = parser.keep_alive();
    // A coding that is not understood hides where the body ends (RFC 9112 section 6.1).
    if (parser.headers.find("Transfer-Encoding") != nullptr && !parser.chunked())
      return refuse(
          Error{ErrorKind::corrupt, "the Transfer-Encoding is not known; send the body as it is, or chunked"});
    return State::complete;
  }
  // Headers of chunks and trailers have no limit of the parser's own.
  if (came.size() > settings_.header_bytes_max)
    return refuse(Error{ErrorKind::too_large, "the header is larger than the limit"});
  if (parser.header_done && !parsing_->asked_to_continue && parser.body.empty() &&
      boost::beast::iequals(parser.headers.get("Expect"), "100-continue")) {
    parsing_->asked_to_continue = true;
    return State::continue_;
  }
  return State::want_read;
}

RequestReader::State RequestReader::refuse(const Error& error) {
  const bool large = error.kind == ErrorKind::too_large;
  const int status = !large ? 400 : parsing_->parser.header_done ? 413 : 431;
  refusal_ = plain_text(status, error.message);
  keep_alive_ = false;
  return State::refused;
}

ServerRequest RequestReader::take() {
  WireParser<true>& parser = parsing_->parser;
  ServerRequest request{std::move(parser.method), std::move(parser.target), std::move(parser.headers),
                        std::move(parser.body), ""};
  http_1_0_ = parser.http_1_0;
  parsing_.reset();
  return request;
}

ReplyText reply_text(const Response& response, ReplyForm form, std::string_view date) {
  const bool bodiless = response.status / 100 == 1 || response.status == 204 || response.status == 304;
  ReplyText text;
  std::string& head = text.head;
  constexpr std::size_t kHeadBytesUsual = 512;
  head.reserve(kHeadBytesUsual);
  head += "HTTP/1.1 ";
  head += std::to_string(response.status);
  head += ' ';
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  head.append(reason.data(), reason.size());
  head += "\r\n";
  bool dated = false;
  std::string length = std::to_string(response.body.size());
  for (const auto& [name, value] : response.headers) {
    if (!sound_field(name, value)) continue;
    // To HEAD there is no body to measure: whoever answers may know how long it would be (RFC 9110 section 8.6).
    if (form.to_head && is_one_of(name, {"Content-Length"})) length = value;
    if (is_one_of(name, {"Content-Length", "Connection", "Transfer-Encoding"})) continue;
    dated = dated || is_one_of(name, {"Date"});
    append_field(head, name, value);
  }
  if (!dated) append_field(head, "Date", date);
  if (!form.keep_alive) append_field(head, "Connection", "close");
  if (form.keep_alive && form.http_1_0) append_field(head, "Connection", "keep-alive");
  if (!bodiless) append_field(head, "Content-Length", length);
  head += "\r\n";
  if (!bodiless && !form.to_head) text.body = response.body;
  if (form.half) text.body = text.body.substr(0, text.body.size() / 2);
  return text;
}

std::string http_date(std::int64_t unix_s) {
  const auto time = static_cast<std::time_t>(unix_s);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

}  // namespace palette::http
