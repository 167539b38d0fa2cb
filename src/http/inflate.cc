#include "http/inflate.h"

#define ZLIB_CONST
#include <zlib.h>

namespace palette::http {

struct Inflater::State {
  z_stream stream{};
  bool usable = false;
  bool between_members = true;
};

Inflater::Inflater() : state_(std::make_unique<State>()) {
  constexpr int kGzipOnly = 16;
  state_->usable = inflateInit2(&state_->stream, kGzipOnly + MAX_WBITS) == Z_OK;
}

Inflater::~Inflater() {
  if (state_->usable) inflateEnd(&state_->stream);
}

bool Inflater::whole() const { return state_->between_members; }

Status Inflater::append(std::string_view packed, std::string& out, std::uint64_t room) {
  if (!state_->usable) return fail(ErrorKind::internal, "zlib has no memory to unpack an answer");
  z_stream& stream = state_->stream;
  stream.next_in = reinterpret_cast<const Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());  // pieces are one read of a socket: far below 4 GiB
  Bytef piece[16 * 1024];
  bool more_out = false;
  while (stream.avail_in > 0 || more_out) {
    // Members may follow each other (RFC 1952 section 2.2).
    if (state_->between_members) inflateReset(&stream);
    state_->between_members = false;
    stream.next_out = piece;
    stream.avail_out = sizeof piece;
    const int verdict = inflate(&stream, Z_NO_FLUSH);
    if (verdict != Z_OK && verdict != Z_STREAM_END && verdict != Z_BUF_ERROR)
      return fail(ErrorKind::corrupt, std::string("the answer says it is gzip and is not: ") +
                                          (stream.msg != nullptr ? stream.msg : "it cannot be unpacked"));
    const std::size_t got = sizeof piece - stream.avail_out;
    if (got > room) return fail(ErrorKind::too_large, "the answer unpacks to more than the limit");
    room -= got;
    out.append(reinterpret_cast<const char*>(piece), got);
    state_->between_members = verdict == Z_STREAM_END;
    more_out = verdict == Z_OK && stream.avail_out == 0;
    if (verdict == Z_BUF_ERROR && got == 0) break;  // it wants more input
  }
  return {};
}

}  // namespace palette::http
