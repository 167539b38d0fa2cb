#include "aws/s3_checksum.h"

#include <gtest/gtest.h>

#include <random>

namespace palette::aws {
namespace {

// The check values of the catalogue of CRC algorithms: the sum of "123456789".
TEST(S3Checksum, KnownValues) {
  EXPECT_EQ(crc32_of("123456789"), 0xcbf43926u);
  EXPECT_EQ(crc32c_of("123456789"), 0xe3069283u);
  EXPECT_EQ(crc64nvme_of("123456789"), 0xae8b14860a799888u);
  EXPECT_EQ(crc32_of(""), 0u);
  EXPECT_EQ(crc64nvme_of(""), 0u);
  EXPECT_EQ(crc32_header(0xcbf43926u), "y/Q5Jg==");
}

TEST(S3Checksum, PiecesAddUpToTheWhole) {
  std::mt19937 random(7);
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += static_cast<char>(random());
  for (std::size_t cut = 0; cut <= text.size(); cut += 13) {
    const std::string_view one = std::string_view(text).substr(0, cut), two = std::string_view(text).substr(cut);
    EXPECT_EQ(crc32_of(two, crc32_of(one)), crc32_of(text));
    EXPECT_EQ(crc32c_of(two, crc32c_of(one)), crc32c_of(text));
    EXPECT_EQ(crc64nvme_of(two, crc64nvme_of(one)), crc64nvme_of(text));
    EXPECT_EQ(crc32_joined(crc32_of(one), crc32_of(two), two.size()), crc32_of(text));
  }
}

struct Sum {
  const char *header, *value;
};

class EachChecksum : public ::testing::TestWithParam<Sum> {};

// Of "123456789".
INSTANTIATE_TEST_SUITE_P(
    S3Checksum, EachChecksum,
    ::testing::Values(Sum{"x-amz-checksum-crc32", "y/Q5Jg=="}, Sum{"x-amz-checksum-crc32c", "4waSgw=="},
                      Sum{"x-amz-checksum-crc64nvme", "rosUhgp5mIg="},
                      Sum{"x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="}));

TEST_P(EachChecksum, IsVerified) {
  http::Headers headers;
  headers.add(GetParam().header, GetParam().value);
  std::optional<ChecksumOfObject> right = ChecksumOfObject::told_by(headers);
  ASSERT_TRUE(right);
  right->update("1234");
  right->update("56789");
  const Status ok = right->finish();
  EXPECT_TRUE(ok) << ok.error().text();
  std::optional<ChecksumOfObject> wrong = ChecksumOfObject::told_by(headers);
  wrong->update("12345678X");
  EXPECT_EQ(wrong->finish().error().kind, ErrorKind::corrupt);
}

TEST(S3Checksum, WhatIsNoneOfTheWholeObjectIsNotLookedAt) {
  EXPECT_FALSE(ChecksumOfObject::told_by({}));
  EXPECT_FALSE(ChecksumOfObject::told_by({{"x-amz-checksum-sha1", "9AT+v7wtlT1Q2Aw7CDFGz9PFHNg="}}));
  EXPECT_FALSE(ChecksumOfObject::told_by({{"x-amz-checksum-crc32", "y/Q5Jg==-3"}}));
  EXPECT_FALSE(ChecksumOfObject::told_by({{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-checksum-type", "COMPOSITE"}}));
  EXPECT_FALSE(ChecksumOfObject::told_by({{"x-amz-checksum-crc32", "?"}}));
  EXPECT_TRUE(
      ChecksumOfObject::told_by({{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-checksum-type", "FULL_OBJECT"}}));
}

}  // namespace
}  // namespace palette::aws
