#include "aws/s3_bucket.h"

#include <gtest/gtest.h>

namespace palette::aws {
namespace {

Environment nothing() {
  Environment out;
  out.home = "/nowhere";
  return out;
}

TEST(S3Bucket, HasAHostOfItsOwn) {
  const Result<S3Bucket> bucket = s3_bucket_of("my-bucket", "eu-west-1", nothing());
  ASSERT_TRUE(bucket) << bucket.error().text();
  EXPECT_EQ(bucket->address().text(), "https://my-bucket.s3.eu-west-1.amazonaws.com/");
  EXPECT_EQ(bucket->path(), "");
  EXPECT_EQ(bucket->location("a/b"), "s3://my-bucket/a/b");
}

TEST(S3Bucket, WhatIsNoHostNameGoesIntoThePath) {
  for (const char* name : {"my.bucket", "My-Bucket", "my_bucket", "bucket-"}) {
    const Result<S3Bucket> bucket = s3_bucket_of(name, "us-east-1", nothing());
    ASSERT_TRUE(bucket) << bucket.error().text();
    EXPECT_EQ(bucket->address().text(), "https://s3.us-east-1.amazonaws.com/") << name;
    EXPECT_EQ(bucket->path(), "/" + std::string(name));
  }
}

TEST(S3Bucket, AnEndpointThatIsToldStays) {
  Environment environment = nothing();
  environment.variables["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:9000";
  const Result<S3Bucket> bucket = s3_bucket_of("my-bucket", "us-east-1", environment);
  ASSERT_TRUE(bucket) << bucket.error().text();
  EXPECT_TRUE(bucket->by_path);
  EXPECT_EQ(bucket->address().text(), "http://127.0.0.1:9000/");
  const Result<S3Bucket> moved = s3_bucket_in(*bucket, "eu-west-1");
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->address().text(), "http://127.0.0.1:9000/");
  EXPECT_EQ(moved->region, "eu-west-1");
  EXPECT_EQ(s3_bucket_of("my-bucket", "", environment)->region, "us-east-1");
}

TEST(S3Bucket, MovesToTheRegionThatIsTold) {
  const Result<S3Bucket> bucket = s3_bucket_of("my-bucket", "us-east-1", nothing());
  const Result<S3Bucket> moved = s3_bucket_in(*bucket, "cn-north-1");
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->address().text(), "https://my-bucket.s3.cn-north-1.amazonaws.com.cn/");
  // A region becomes part of a host name, and it comes from outside.
  for (const char* bad : {"", "x.evil.example/", "us-east-1@evil", "US"}) {
    EXPECT_EQ(s3_bucket_in(*bucket, bad).error().kind, ErrorKind::bad_input) << bad;
  }
}

TEST(S3Bucket, RefusesWhatIsNoName) {
  for (const char* bad : {"", "ab", "s3://bucket", "arn:aws:s3:::b", "-bucket", ".bucket", "a..b", "a/b", "b\n"}) {
    const Result<S3Bucket> bucket = s3_bucket_of(bad, "us-east-1", nothing());
    ASSERT_FALSE(bucket) << bad;
    EXPECT_EQ(bucket.error().kind, ErrorKind::bad_input);
    EXPECT_NE(bucket.error().message.find("is no name of an S3 bucket"), std::string::npos) << bucket.error().message;
  }
  EXPECT_FALSE(s3_bucket_of("my-bucket", "", nothing())) << "without a region there is no endpoint";
}

}  // namespace
}  // namespace palette::aws
