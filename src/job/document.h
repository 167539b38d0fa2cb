// A YAML or JSON file as a tree of nodes that remember where they stand, so that every message about a job file can
// name its line and column. YAML is read with yaml-cpp, JSON with Boost.JSON; both become the same tree.
//
//   Result<Document> file = load_document("job.yaml");
//   const Node* prompt = file->root.find("template");
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace palette::job {

struct Mark {  // 1-based; column in bytes
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

struct Member;

struct Node {
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, list, map };

  Kind kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;            // of an integer too
  std::string text;             // a string's value; of other scalars the text in the file
  std::vector<Node> items;      // list
  std::vector<Member> members;  // map, in order; duplicates are kept (see find_duplicate_keys)
  Mark mark;

  // How a position inside a string maps to the file: line k of a literal block stands at mark.line + k, shifted right
  // by indent. Other strings stand in one line as they are (indent = 1 when quoted), or `source` is what is written
  // there.
  bool is_block = false;
  bool is_folded = false;  // a folded block: no line maps, only its start is known
  std::uint32_t indent = 0;
  std::string source;  // with its quotes, escapes and line breaks; empty when the text stands there as it is

  const Node* find(std::string_view key) const;  // nullptr when absent or not a map
  Mark position_of(std::uint32_t line, std::uint32_t column) const;
  Json to_json() const;
  std::string describe() const;  // for messages: `"abc"`, `12`, `a list`, `nothing`
};

struct Member {
  std::string key;
  Mark mark;
  Node value;
};

struct Document {
  std::string file;  // as the user named it
  Node root;
};

// Reads a file of at most limits::kJobFileBytesMax; .json is JSON, everything else YAML. Errors carry file, line,
// column.
Result<Document> load_document(const std::filesystem::path& file);
Result<Document> parse_document(std::string file, std::string_view text);

// The text of such a file, as it is. Errors: not_found; bad_input when it is a folder, too large, or cannot be read.
Result<std::string> read_document_text(const std::filesystem::path& file);

Result<Node> parse_yaml_node(std::string_view text);
Result<Node> parse_json_node(std::string_view text);

}  // namespace palette::job
