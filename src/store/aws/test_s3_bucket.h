// For tests: a new bucket in moto, and stores on it, also through what loses answers.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "aws/s3_test_parts.h"
#include "base/ids.h"
#include "contract/await.h"
#include "store/aws/s3_object_store.h"
#include "support/stand_in.h"

namespace palette::store {

inline void skip_for(const std::string& why) { GTEST_SKIP() << why; }

// Where moto is not installed the test that makes one is skipped, and `moto` is null.
struct S3TestBucket {
  S3TestBucket() {
    const auto started = testing::StandIn::moto();
    if (!started && started.error().kind == ErrorKind::not_found) {
      skip_for(started.error().text());
      return;
    }
    if (!started) throw std::runtime_error(started.error().text());
    moto = *started;
    aws::make_bucket(contract::process_loop(), moto->url(), name);
  }

  std::unique_ptr<S3ObjectStore> store_at(const std::string& url, async::BlockingPool& pool,
                                          std::string prefix = "") const {
    return std::make_unique<S3ObjectStore>(S3ObjectStoreParts{
        .s3 = aws::s3_at(contract::process_loop(), url, name), .pool = &pool, .prefix = std::move(prefix)});
  }

  // moto behind a proxy that does what `flags` say.
  std::shared_ptr<testing::StandIn> proxy(std::vector<std::string> flags) const {
    const auto started = testing::StandIn::fault_proxy(*moto, std::move(flags));
    if (!started) throw std::runtime_error(started.error().text());
    return *started;
  }

  std::string name = "palette-" + random_hex_id().substr(0, 16);
  std::shared_ptr<testing::StandIn> moto;
};

}  // namespace palette::store
