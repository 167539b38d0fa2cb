// A new local file that is written once, from its beginning to its end, and made durable by `finish`.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace palette::dataset {

class FileSink {
 public:
  // Errors: already_exists, not_found (the folder), denied, io.
  static Result<std::unique_ptr<FileSink>> create(const std::filesystem::path& file);

  ~FileSink();
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  // Buffered.
  Status write(std::string_view bytes);

  // Flushes, fsyncs and closes.
  Status finish();

  // For a library that writes on its own; it must not be mixed with `write`.
  int descriptor() const { return descriptor_; }

 private:
  FileSink(std::string name, int descriptor) : name_(std::move(name)), descriptor_(descriptor) {}
  Status flush();

  std::string name_;
  int descriptor_;
  std::string buffer_;
};

// All bytes to a descriptor; `name` is for the error.
Status write_all(int descriptor, std::string_view bytes, std::string_view name);

}  // namespace palette::dataset
