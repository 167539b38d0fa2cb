// What is put into an object or a part of one: a text in memory, or a source that is read piece by piece. Its hashes
// are made once: of a source by reading through it before it is sent (over plain http S3 takes no body that is not
// signed, and over TLS a signed one is checked on arrival; from a file the second reading comes out of the page cache).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "http/client.h"

namespace palette::aws {

struct S3Body {
  std::shared_ptr<const std::string> text = {};
  std::shared_ptr<http::BodySource> source = {};  // instead of `text`, when set
  std::uint64_t size = 0;
  std::string sha256 = {};  // hex
  std::uint32_t crc32 = 0;

  static S3Body of_text(std::string text);
  // bad_input when the source ends before or goes on after its size; else what the source fails with.
  static async::Task<Result<S3Body>> of_source(std::shared_ptr<http::BodySource> source);
};

}  // namespace palette::aws
