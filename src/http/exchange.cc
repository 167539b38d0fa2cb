#include "http/exchange.h"

#include <algorithm>
#include <cstring>

#include "http/wire_parser.h"

namespace palette::http {

struct Exchange::Answer {
  Answer(std::size_t header_bytes_max, const Request& request) : parser(header_bytes_max, request.body_bytes_max) {
    parser.skip(request.method == "HEAD");
    if (request.as_given) parser.keep_packed();
  }

  WireParser<false> parser;
  std::string unparsed;  // came, and waits for what comes next
};

Exchange::Exchange(const Request& request, const Proxy* proxy, std::size_t header_bytes_max, bool in_pieces)
    : request_(request),
      header_bytes_max_(header_bytes_max),
      head_(request_head(request, proxy)),
      in_pieces_(in_pieces) {
  restart();
}

Exchange::~Exchange() = default;

void Exchange::restart() {
  piece_.clear();
  written_ = 0;
  source_left_ = request_.body_source ? request_.body_source->size() : 0;
  answer_.reset();
  head_sent_ = sent_ = answered_ = write_broke_ = never_arrived_ = whole_ = false;
}

Call::Phase Exchange::phase() const {
  if (!sent_ && !write_broke_) return Call::Phase::send;
  return answer_ ? Call::Phase::body : Call::Phase::first_byte;
}

Exchange::Progress Exchange::failed(ErrorKind kind, std::string message) {
  error_ = std::make_unique<Error>(Error{kind, std::move(message)});
  return Progress::failed;
}

Exchange::Progress Exchange::advance(Transport& transport) {
  if (!sent_ && !write_broke_) {
    if (const Progress progress = write(transport); progress != Progress::done) return progress;
    // The answer takes its time: a look for it right now would be in vain.
    if (sent_ && !transport.holds_bytes()) return Progress::want_read;
  }
  return read(transport);
}

void Exchange::give_body(std::string piece) {
  piece_ = std::move(piece);
  written_ = 0;
}

Exchange::Progress Exchange::write(Transport& transport) {
  const std::string_view first = head_sent_ ? piece_ : head_;
  const std::string_view second = head_sent_ ? std::string_view() : held_body(request_);
  while (written_ < first.size() + second.size()) {
    const std::size_t of_first = std::min(written_, first.size());
    const IoResult sent = transport.write(first.substr(of_first), second.substr(written_ - of_first));
    if (sent.io == Io::want_write) return Progress::want_write;
    if (sent.io == Io::want_read) return Progress::want_read;
    if (sent.io != Io::moved) {
      // A server that refuses a request early closes while it is still being sent; its answer may be there.
      write_broke_ = true;
      return Progress::done;
    }
    written_ += sent.bytes;
  }
  if (head_sent_) {
    if (piece_.size() > source_left_)
      return failed(ErrorKind::bad_input, "the body's source gives more than the size it has told");
    source_left_ -= piece_.size();
    std::string().swap(piece_);
  }
  written_ = 0;
  head_sent_ = true;
  if (source_left_ > 0) return Progress::want_body;
  sent_ = true;
  return Progress::done;
}

Exchange::Progress Exchange::read(Transport& transport) {
  for (;;) {
    constexpr std::size_t kPieceBytes = 64 * 1024;
    // What is packed may grow a thousandfold, so less of it is taken at once when it is handed on in pieces.
    constexpr std::size_t kPackedPieceBytes = 2 * 1024;
    char piece[kPieceBytes];
    const bool packed = in_pieces_ && answer_ && answer_->parser.unpacks();
    const IoResult got = transport.read(std::span<char>(piece, packed ? kPackedPieceBytes : kPieceBytes));
    if (got.io == Io::want_read) return write_broke_ && !answered_ ? ended(transport, got) : Progress::want_read;
    if (got.io == Io::want_write) return Progress::want_write;
    if (got.io != Io::moved) return ended(transport, got);
    answered_ = true;
    if (const Progress progress = take({piece, got.bytes}); progress != Progress::want_read) return progress;
  }
}

// Parses what came, after what was left of what came before, and keeps what is left now.
Exchange::Progress Exchange::take(std::string_view came) {
  std::string before = answer_ ? std::move(answer_->unparsed) : std::string();
  if (!before.empty()) {
    before.append(came);
    came = before;
  }
  const Progress progress = parse(came);
  if (answer_) answer_->unparsed.assign(came);
  return progress;
}

Exchange::Progress Exchange::parse(std::string_view& came) {
  for (;;) {
    if (!answer_) answer_ = std::make_unique<Answer>(header_bytes_max_, request_);
    WireParser<false>& parser = answer_->parser;
    const Result<std::size_t> used = parser.parse(came);
    if (!used) return failed(used.error().kind, "in the answer: " + used.error().message);
    came.remove_prefix(*used);
    // Headers of chunks and trailers have no limit of the parser's own.
    if (!parser.is_done() && came.size() > header_bytes_max_)
      return failed(ErrorKind::too_large, "the header of the answer is larger than the limit");
    if (!parser.is_done()) return in_pieces_ && parser.header_done ? Progress::piece : Progress::want_read;
    if (parser.status_code == 101)
      return failed(ErrorKind::corrupt, "the server changes to another protocol, which nobody asked it to do");
    if (parser.status_code / 100 != 1) return finish();
    answer_.reset();  // an interim answer: the real one follows (RFC 9110 section 15.2)
    if (came.empty()) return Progress::want_read;
  }
}

Exchange::Progress Exchange::finish() {
  if (!answer_->parser.whole()) return failed(ErrorKind::corrupt, "the answer's gzip ends half way");
  whole_ = true;
  return Progress::done;
}

Exchange::Progress Exchange::ended(Transport& transport, const IoResult& got) {
  if (got.io == Io::end && answer_ && answer_->parser.finish_at_end()) return finish();
  std::string why = got.io == Io::end || got.error == 0 ? "" : std::string(": ") + std::strerror(got.error);
  if (answered_) return failed(ErrorKind::unavailable, "the answer ended half way, the connection was closed" + why);
  // A server that closed a kept connection before our request came to it never acknowledged the request; one that
  // acknowledged all of it may have acted on it.
  never_arrived_ = !sent_ || transport.unacknowledged_bytes() > 0;
  return failed(ErrorKind::unavailable, sent_ ? "the connection was closed without an answer" + why
                                              : "the connection was closed while the request was being sent" + why);
}

bool Exchange::reusable() const { return whole_ && sent_ && answer_->unparsed.empty() && answer_->parser.keep_alive(); }

int Exchange::status() const { return answer_->parser.status_code; }

Headers Exchange::take_headers() {
  Headers headers = std::move(answer_->parser.headers);
  if (answer_->parser.unpacks()) {
    headers.remove("Content-Encoding");
    headers.remove("Content-Length");
  }
  return headers;
}

std::optional<std::uint64_t> Exchange::content_length() const {
  const auto length = answer_->parser.content_length();
  if (!length || answer_->parser.unpacks()) return std::nullopt;
  return *length;
}

std::string& Exchange::body() { return answer_->parser.body; }

}  // namespace palette::http
