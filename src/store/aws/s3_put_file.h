// A file into an object of S3: one request when it is small, an upload in parts when it is not.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "async/blocking.h"
#include "aws/s3.h"
#include "base/result.h"

namespace palette::store {

// The whole is never in memory. Where another writer gets in between (409), an upload starts again, a few times.
async::Task<Result<std::string>> put_file_into_s3(std::shared_ptr<aws::S3> s3, std::string name,
                                                  std::filesystem::path file, aws::S3Condition condition,
                                                  async::BlockingPool* pool);

}  // namespace palette::store
