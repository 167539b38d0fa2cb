// The models that jobs of this run may name: the catalogue, the user's own file, the region. Read when the first name
// needs it: a job of offline models starts without.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "job/catalogue.h"
#include "job/diagnostics.h"

namespace palette::job {

class ModelDirectory {
 public:
  // `user_file`: empty when there is none. `region` chooses the profiles of aliases; empty is taken as us-east-1.
  ModelDirectory(std::filesystem::path user_file, std::string region)
      : user_file_(std::move(user_file)), region_(std::move(region)) {}

  // With the text of such a file instead: of a job that was saved with it. `file` names it in messages.
  static ModelDirectory of_text(std::string file, std::string text, std::string region);

  // As Catalogue::resolve. What is wrong with the user's file is told once, to the diagnostics of open().
  Result<ResolvedModel> resolve(std::string_view name);

  // Reads both now; every complaint about the user's file goes to the diagnostics.
  const Catalogue& open(Diagnostics& diagnostics);

  // Must be read at the start whatever the job says: a file that was named and cannot be read is an error.
  bool has_user_file() const { return !user_file_.empty(); }
  const std::string& region() const { return region_; }
  // What the user's file says, once it was read: for a job that is saved with it. Empty when there is none.
  const std::string& user_text() const { return user_text_; }
  std::string user_file_name() const { return user_file_.filename().string(); }

 private:
  std::filesystem::path user_file_;
  std::string region_;
  std::string user_text_;
  bool is_read_ = false;  // user_text_ is what user_file_ says
  std::optional<Catalogue> catalogue_;
};

}  // namespace palette::job
