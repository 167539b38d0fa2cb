#include "aws/digest.h"

#include <cstring>

namespace palette::aws {
namespace {

constexpr std::size_t kBlockBytes = 64;

Digest finish(SHA256_CTX& context) {
  Digest out;
  SHA256_Final(out.data(), &context);
  return out;
}

}  // namespace

Digest sha256(std::string_view data) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, data.data(), data.size());
  return finish(context);
}

HmacKey::HmacKey(std::string_view key) {
  std::array<unsigned char, kBlockBytes> block{};
  if (key.size() > kBlockBytes) {
    const Digest shortened = sha256(key);
    std::memcpy(block.data(), shortened.data(), shortened.size());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  for (unsigned char& byte : block) byte ^= 0x36;
  SHA256_Init(&inner_);
  SHA256_Update(&inner_, block.data(), block.size());
  for (unsigned char& byte : block) byte ^= 0x36 ^ 0x5c;
  SHA256_Init(&outer_);
  SHA256_Update(&outer_, block.data(), block.size());
}

Digest HmacKey::of(std::string_view data) const {
  SHA256_CTX state = inner_;
  SHA256_Update(&state, data.data(), data.size());
  const Digest inner = finish(state);
  state = outer_;
  SHA256_Update(&state, inner.data(), inner.size());
  return finish(state);
}

std::string_view bytes_of(const Digest& digest) {
  return std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size());
}

void append_hex(std::string& out, const Digest& digest) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<char, 2 * std::tuple_size_v<Digest>> text;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    text[2 * i] = kHex[digest[i] >> 4];
    text[2 * i + 1] = kHex[digest[i] & 15];
  }
  out.append(text.data(), text.size());
}

}  // namespace palette::aws
