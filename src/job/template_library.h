// `{% include 'id' %}`: the template files beside a template or job file, found by their template.id. An included
// template is its steps' prompts, joined by a blank line. The folder is looked at only when something is included.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace palette::job {

class TemplateLibrary {
 public:
  explicit TemplateLibrary(std::filesystem::path folder) : folder_(std::move(folder)) {}
  // A library that holds exactly these texts: of a job that was saved with them.
  explicit TemplateLibrary(std::map<std::string, std::string> texts) : scanned_(true), texts_(std::move(texts)) {}

  std::optional<std::string> find(std::string_view id);

  // The ids that find() gave so far, with their texts.
  const std::map<std::string, std::string>& used() const { return used_; }
  // Files of the folder that could not be read as templates: for the message when an id is missing.
  const std::map<std::string, std::string>& unreadable() const { return unreadable_; }

 private:
  void scan();

  std::filesystem::path folder_;
  bool scanned_ = false;
  std::map<std::string, std::string> texts_, used_, unreadable_;
};

}  // namespace palette::job
