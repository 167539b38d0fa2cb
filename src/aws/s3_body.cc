#include "aws/s3_body.h"

#include <utility>

#include "aws/digest.h"
#include "aws/s3_checksum.h"
#include "base/hash.h"

namespace palette::aws {

S3Body S3Body::of_text(std::string text) {
  S3Body out;
  out.size = text.size();
  append_hex(out.sha256, aws::sha256(text));
  out.crc32 = crc32_of(text);
  out.text = std::make_shared<const std::string>(std::move(text));
  return out;
}

async::Task<Result<S3Body>> S3Body::of_source(std::shared_ptr<http::BodySource> source) {
  if (Status rewound = source->rewind(); !rewound) co_return std::unexpected(rewound.error());
  S3Body out;
  Sha256 hash;
  const std::uint64_t size_told = source->size();
  for (;;) {
    const Result<std::string> piece = co_await source->next();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    out.size += piece->size();
    if (out.size > size_told) break;
    hash.update(*piece);
    out.crc32 = crc32_of(*piece, out.crc32);
  }
  if (out.size != size_told) {
    co_return fail(ErrorKind::bad_input, "what is to be put changed while it was read: " + std::to_string(size_told) +
                                             " bytes were expected, " + std::to_string(out.size) + " came");
  }
  out.sha256 = hash.finish_hex();
  out.source = std::move(source);
  co_return out;
}

}  // namespace palette::aws
