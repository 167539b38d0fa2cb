#include "aws/s3_checksum.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace palette::aws {
namespace {

static_assert(std::endian::native == std::endian::little, "eight bytes are taken at once, lowest first");

// Eight tables, so that eight bytes are done at once ("slicing by 8", Kounavis and Berry 2005). `kPolynomial` is the
// reflected one.
template <class Word, Word kPolynomial>
consteval std::array<std::array<Word, 256>, 8> crc_tables() {
  std::array<std::array<Word, 256>, 8> tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    Word value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = value;
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (std::size_t k = 1; k < 8; ++k) {
      const Word before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

template <class Word, Word kPolynomial>
Word crc_of(std::string_view data, Word crc) {
  static constexpr auto kTables = crc_tables<Word, kPolynomial>();
  crc = ~crc;
  for (; data.size() >= 8; data.remove_prefix(8)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, data.data(), sizeof bytes);
    bytes ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(bytes >> (8 * k)) & 0xff];
  }
  for (const char c : data) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

template <class Word>
std::string big_endian(Word value) {
  std::string out;
  for (int shift = static_cast<int>(8 * sizeof(Word)) - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(value >> shift & 0xff);
  }
  return out;
}

std::string hex_of(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// `bytes` long when decoded; nothing for what is not.
std::optional<std::string> decoded_base64(std::string_view text, std::size_t bytes) {
  if (text.size() != (bytes + 2) / 3 * 4) return {};
  std::array<unsigned char, 64> out{};
  if (text.size() / 4 * 3 > out.size()) return {};
  const int size =
      EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < static_cast<int>(bytes)) return {};
  return std::string(reinterpret_cast<const char*>(out.data()), bytes);
}

}  // namespace

std::uint32_t crc32_of(std::string_view data, std::uint32_t crc) {
  return static_cast<std::uint32_t>(::crc32_z(crc, reinterpret_cast<const unsigned char*>(data.data()), data.size()));
}

std::uint32_t crc32c_of(std::string_view data, std::uint32_t crc) {
  return crc_of<std::uint32_t, 0x82f63b78>(data, crc);
}

// The polynomial of the NVM Express specification, as S3 uses it.
std::uint64_t crc64nvme_of(std::string_view data, std::uint64_t crc) {
  return crc_of<std::uint64_t, 0x9a6c9329ac4bc9b5>(data, crc);
}

std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t second_size) {
  return static_cast<std::uint32_t>(::crc32_combine(first, second, static_cast<z_off_t>(second_size)));
}

std::string crc32_header(std::uint32_t crc) {
  const std::string bytes = big_endian(crc);
  std::array<unsigned char, 9> text{};
  const int size = EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  return std::string(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size));
}

ChecksumOfObject::ChecksumOfObject(Algorithm algorithm, std::string expected)
    : algorithm_(algorithm), expected_(std::move(expected)) {
  if (algorithm_ == Algorithm::sha256) sha256_ = std::make_unique<Sha256>();
}

std::optional<ChecksumOfObject> ChecksumOfObject::told_by(const http::Headers& headers) {
  // A sum over the sums of the parts; older answers tell it only by "-3" after the value.
  if (headers.get("x-amz-checksum-type") == "COMPOSITE") return {};
  struct Known {
    std::string_view header;
    Algorithm algorithm;
    std::size_t bytes;
  };
  static constexpr std::array<Known, 4> kKnown = {{{"x-amz-checksum-sha256", Algorithm::sha256, 32},
                                                   {"x-amz-checksum-crc64nvme", Algorithm::crc64nvme, 8},
                                                   {"x-amz-checksum-crc32c", Algorithm::crc32c, 4},
                                                   {"x-amz-checksum-crc32", Algorithm::crc32, 4}}};
  for (const Known& known : kKnown) {
    const std::string_view value = headers.get(known.header);
    if (value.empty()) continue;
    const std::optional<std::string> bytes = decoded_base64(value, known.bytes);
    if (bytes) return ChecksumOfObject(known.algorithm, hex_of(*bytes));
  }
  return {};
}

void ChecksumOfObject::update(std::string_view data) {
  switch (algorithm_) {
    case Algorithm::sha256:
      sha256_->update(data);
      break;
    case Algorithm::crc64nvme:
      crc_ = crc64nvme_of(data, crc_);
      break;
    case Algorithm::crc32c:
      crc_ = crc32c_of(data, static_cast<std::uint32_t>(crc_));
      break;
    case Algorithm::crc32:
      crc_ = crc32_of(data, static_cast<std::uint32_t>(crc_));
      break;
  }
}

std::string ChecksumOfObject::hex() {
  if (algorithm_ == Algorithm::sha256) return sha256_->finish_hex();
  if (algorithm_ == Algorithm::crc64nvme) return hex_of(big_endian(crc_));
  return hex_of(big_endian(static_cast<std::uint32_t>(crc_)));
}

Status ChecksumOfObject::finish() {
  const std::string found = hex();
  if (found == expected_) return {};
  return fail(ErrorKind::corrupt, "what came of the object has the checksum " + found + ", not the " + expected_ +
                                      " that S3 keeps with it; it was damaged on the way or in the store");
}

}  // namespace palette::aws
