#include "aws/digest.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace palette::aws {
namespace {

std::string hex_of(const Digest& digest) {
  std::string out;
  append_hex(out, digest);
  return out;
}

TEST(Digest, IsSha256) {
  EXPECT_EQ(hex_of(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (const std::size_t size : {1u, 55u, 56u, 63u, 64u, 65u, 1'000u, 100'000u}) {
    const std::string data(size, 'x');
    EXPECT_EQ(hex_of(sha256(data)), sha256_hex(data)) << size;
  }
}

// RFC 4231, test cases 1, 2, 6 (a key longer than a block).
TEST(Digest, HmacIsThatOfRfc4231) {
  const std::tuple<std::string, std::string, const char*> cases[] = {
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  for (const auto& [key, data, expected] : cases) {
    const HmacKey hmac(key);
    EXPECT_EQ(hex_of(hmac.of(data)), expected);
    EXPECT_EQ(hex_of(hmac.of(data)), expected) << "a key is not used up";
  }
}

}  // namespace
}  // namespace palette::aws
