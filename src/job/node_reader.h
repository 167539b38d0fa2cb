// Reading a node of a job file with every complaint in one place: type, range, unknown and duplicate keys.
//
//   NodeReader reader(file, node, "template", diagnostics);
//   reader.only_known({"id", "steps"});
//   std::optional<std::int64_t> n = reader.integer("num_records", 1, limits::kRecordsMax);
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "job/diagnostics.h"
#include "job/document.h"

namespace palette::job {

class NodeReader {
 public:
  // `field` names the node in messages: "" for the whole file, "steps[2]" for a part.
  NodeReader(std::string file, const Node& node, std::string field, Diagnostics& diagnostics)
      : file_(std::move(file)), node_(node), field_(std::move(field)), diagnostics_(diagnostics) {}

  // Is it an object? Complains if not, and about unknown and duplicate keys.
  bool is_object_of(std::span<const std::string_view> known);

  // A member, or nothing when it is absent or null. A wrong type or range is told and gives nothing.
  const Node* any(std::string_view key) const;
  std::optional<std::string> string(std::string_view key, std::size_t bytes_max);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<double> number(std::string_view key, double min, double max);
  std::optional<bool> boolean(std::string_view key);
  // One string or a list of strings; at most `count_max`, none empty.
  std::vector<std::string> strings(std::string_view key, std::size_t count_max, std::size_t bytes_max);

  void complain(std::string_view key, const Node& at, std::string message);
  void complain_missing(std::string_view key, std::string_view what);
  std::string path(std::string_view key) const;
  std::string path_of(const Member& member) const;
  const std::string& file() const { return file_; }
  const Node& node() const { return node_; }

 private:
  std::string file_;
  const Node& node_;
  std::string field_;
  Diagnostics& diagnostics_;
};

}  // namespace palette::job
