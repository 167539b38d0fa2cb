// A file without a name: written once, then read at any place by any thread; it is gone when the process ends. One that
// is to be moved elsewhere has a name until then.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace palette::dataset {

class SpoolFile {
 public:
  // Makes `folder` when it is missing. Errors: denied, io.
  static Result<std::unique_ptr<SpoolFile>> create(const std::filesystem::path& folder);
  // Keeps its name until it is destroyed. Who moves the file away meanwhile can go on reading it here.
  static Result<std::unique_ptr<SpoolFile>> create_named(const std::filesystem::path& folder);

  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  Status append(std::string_view bytes);

  const std::string& name() const { return name_; }

  // What was appended can be read after it.
  Status flush();

  // `size` bytes at `offset`; thread-safe. Errors: io.
  Result<std::string> read(std::uint64_t offset, std::size_t size) const;

 private:
  SpoolFile(std::string name, int descriptor) : name_(std::move(name)), descriptor_(descriptor) {}

  std::string name_;
  int descriptor_;
  std::string buffer_;
  bool has_name_ = true;
};

}  // namespace palette::dataset
