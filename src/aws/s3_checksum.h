// The checksums of objects in S3 (user guide, "Checking object integrity"): base64 of the big-endian bytes, in headers
// x-amz-checksum-<algorithm>.
//
// What is put goes out with CRC32. S3 knows it for the whole of an object that came in parts too (FULL_OBJECT), where
// SHA-256 gives only a hash of hashes; the sum of the whole follows from those of the parts; zlib has it; and every
// stand-in knows it. Against a change on the way every body is signed by its SHA-256 besides.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "http/message.h"

namespace palette::aws {

// Goes on from `crc`, 0 at the start.
std::uint32_t crc32_of(std::string_view data, std::uint32_t crc = 0);
std::uint32_t crc32c_of(std::string_view data, std::uint32_t crc = 0);
std::uint64_t crc64nvme_of(std::string_view data, std::uint64_t crc = 0);
// The sum of a text that has `first` and then, in `second_size` bytes, `second`.
std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t second_size);

// As in x-amz-checksum-crc32.
std::string crc32_header(std::uint32_t crc);

// What a GET of a whole object must add up to, by the strongest checksum in its answer that is known here (SHA-256,
// CRC64NVME, CRC32C, CRC32) and is one of the whole object, not of its parts.
class ChecksumOfObject {
 public:
  // Nothing when the answer has no such checksum.
  static std::optional<ChecksumOfObject> told_by(const http::Headers& headers);

  void update(std::string_view data);
  // corrupt when it does not add up. Once, at the end.
  Status finish();

 private:
  enum class Algorithm : std::uint8_t { sha256, crc64nvme, crc32c, crc32 };
  ChecksumOfObject(Algorithm algorithm, std::string expected);
  std::string hex();

  Algorithm algorithm_;
  std::string expected_;  // hex
  std::uint64_t crc_ = 0;
  std::unique_ptr<Sha256> sha256_;
};

}  // namespace palette::aws
