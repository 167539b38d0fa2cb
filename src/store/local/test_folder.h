// A new folder for a test, removed with all it holds at the end.
#pragma once

#include <filesystem>
#include <string>

#include "base/ids.h"

namespace palette::store {

struct TestFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("palette-test-" + random_hex_id());

  TestFolder() { std::filesystem::create_directories(path); }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
};

}  // namespace palette::store
