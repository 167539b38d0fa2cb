// Where files are written before they get their name: a folder of one's own inside `root/.tmp`, held by a kernel file
// lock, so that what a killed process left there is told from what a living one is writing.
//
//   TempFolder temp(root / ".tmp");
//   Result<std::filesystem::path> path = temp.new_path();
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>

#include "base/result.h"
#include "store/local/file.h"

namespace palette::store {

// Any thread may call it.
class TempFolder {
 public:
  // Nothing is made before it is needed, so that reading leaves no traces.
  explicit TempFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  // A name that no file has yet. The first call makes the folder and removes what dead processes left.
  Result<std::filesystem::path> new_path();

  // The lock of the whole root, for as long as the value lives: one holder among all threads and processes. Waits for
  // it.
  Result<FileDescriptor> lock_root();

 private:
  Status open();
  void remove_left_overs() const;

  std::filesystem::path folder_;
  std::mutex mutex_;
  bool is_open_ = false;
  std::filesystem::path own_;
  FileDescriptor own_lock_;
  std::uint64_t files_ = 0;
};

}  // namespace palette::store
