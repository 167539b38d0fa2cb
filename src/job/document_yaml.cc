// YAML through yaml-cpp, converted at once: scalars by the core schema of YAML 1.2 (no yes/no booleans).
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <sstream>

#include "base/limits.h"
#include "job/document.h"
#include "job/scalar_source.h"

namespace palette::job {
namespace {

Mark to_mark(const YAML::Mark& mark) {
  return Mark{static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    if (text == name) return true;
  }
  return false;
}

// Only what the core schema calls a number: no "inf", "nan" or hex floats of from_chars.
bool looks_numeric(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.starts_with('.')) rest.remove_prefix(1);
  return !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
}

bool read_integer(std::string_view text, std::int64_t& value) {
  int base = 10;
  const bool positive = text.starts_with('+');
  if (positive) text.remove_prefix(1);
  if (text.starts_with("0x")) base = 16;
  if (text.starts_with("0o")) base = 8;
  if (base != 10) text.remove_prefix(2);
  if ((positive || base != 10) && text.starts_with('-')) return false;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return ec == std::errc{} && end == text.data() + text.size() && !text.empty();
}

void resolve_plain_scalar(Node& node) {
  const std::string& text = node.text;
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) {
    node.kind = Node::Kind::null;
  } else if (is_one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) {
    node.kind = Node::Kind::boolean;
    node.boolean = text[0] == 't' || text[0] == 'T';
  } else if (read_integer(text, node.integer)) {
    node.kind = Node::Kind::integer;
    node.number = static_cast<double>(node.integer);
  } else if (looks_numeric(text)) {
    const std::string_view digits = text[0] == '+' ? std::string_view(text).substr(1) : text;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), node.number);
    const bool whole = ec == std::errc{} && end == digits.data() + digits.size() && std::isfinite(node.number);
    node.kind = whole ? Node::Kind::number : Node::Kind::string;
  } else {
    node.kind = Node::Kind::string;
  }
}

class Converter {
 public:
  explicit Converter(std::string_view text) : text_(text) {}

  Result<Node> convert(const YAML::Node& yaml, std::size_t depth) {
    // Aliases can make a small file a huge tree: what is counted is the tree.
    if (++nodes_ > limits::kYamlNodesMax || depth > limits::kJsonDepth) {
      Error error{ErrorKind::bad_input,
                  depth > limits::kJsonDepth
                      ? "this nests deeper than " + std::to_string(limits::kJsonDepth) + " levels, the limit"
                      : "the file has more than " + std::to_string(limits::kYamlNodesMax) +
                            " values, the limit; what an alias (*name) stands for counts each time"};
      error.line = to_mark(yaml.Mark()).line;
      error.column = to_mark(yaml.Mark()).column;
      return std::unexpected(error);
    }
    Node node;
    node.mark = to_mark(yaml.Mark());
    switch (yaml.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        node.kind = Node::Kind::null;
        return node;
      case YAML::NodeType::Scalar:
        if (Status read = scalar(yaml, node); !read) return std::unexpected(read.error());
        return node;
      case YAML::NodeType::Sequence:
        return sequence(yaml, std::move(node), depth);
      case YAML::NodeType::Map:
        return map(yaml, std::move(node), depth);
    }
    return node;
  }

 private:
  Status scalar(const YAML::Node& yaml, Node& node) {
    node.text = yaml.Scalar();
    if (yaml.Tag() == "?" || yaml.Tag().empty()) {
      resolve_plain_scalar(node);
    } else {
      node.kind = Node::Kind::string;
    }
    if (node.kind != Node::Kind::string) return {};
    const std::size_t at = skip_properties(static_cast<std::size_t>(yaml.Mark().pos), node);
    find_origin(at, node);
    return check_closed(at, node);
  }

  // yaml-cpp takes the end of the file for the closing quote.
  Status check_closed(std::size_t at, const Node& node) const {
    if (node.indent != 1 || node.is_block || at >= text_.size()) return {};
    const std::size_t bytes = node.source.empty() ? 1 + node.text.size() : node.source.size();
    if (text_.find(text_[at], at + bytes) != std::string_view::npos) return {};
    Error error{ErrorKind::bad_input, "this is not valid YAML: the quote that opens here is not closed"};
    error.line = node.mark.line;
    error.column = node.mark.column;
    return std::unexpected(error);
  }

  // An anchor or a tag may stand before a scalar; a text in the next line keeps the place of the anchor.
  std::size_t skip_properties(std::size_t at, Node& node) const {
    while (at < text_.size() && (text_[at] == '&' || text_[at] == '!')) {
      const std::size_t next = text_.find_first_not_of(' ', std::min(text_.find_first_of(" \n", at), text_.size()));
      if (next == std::string_view::npos || text_[next] == '\n') return text_.size();
      node.mark.column += static_cast<std::uint32_t>(next - at);
      at = next;
    }
    return at;
  }

  // yaml-cpp does not tell a block from a quoted scalar; the file does.
  void find_origin(std::size_t at, Node& node) const {
    if (at >= text_.size()) return;
    if (text_[at] == '"' || text_[at] == '\'') node.indent = 1;
    node.is_folded = text_[at] == '>';
    if (node.is_folded) return;
    if (text_[at] != '|') {
      const bool as_it_is = text_.substr(at + node.indent).starts_with(node.text);
      if (!as_it_is) node.source = scalar_source(text_.substr(at), node.text.size());
      return;
    }
    node.is_block = true;
    std::size_t line = text_.find('\n', at);
    while (line != std::string_view::npos) {
      const std::size_t start = line + 1, content = text_.find_first_not_of(' ', start);
      if (content == std::string_view::npos) return;
      if (text_[content] != '\n' && text_[content] != '\r') {
        // Blanks of the text's own are there with an indentation indicator: `|2`.
        const std::size_t first = std::min(node.text.find_first_not_of('\n'), node.text.size());
        const std::size_t own = std::min(node.text.find_first_not_of(' ', first), node.text.size()) - first;
        node.indent = static_cast<std::uint32_t>(content - start - std::min(own, content - start));
        return;
      }
      line = text_.find('\n', content);
    }
  }

  Result<Node> sequence(const YAML::Node& yaml, Node node, std::size_t depth) {
    node.kind = Node::Kind::list;
    for (const YAML::Node& item : yaml) {
      Result<Node> child = convert(item, depth + 1);
      if (!child) return child;
      node.items.push_back(std::move(*child));
    }
    return node;
  }

  Result<Node> map(const YAML::Node& yaml, Node node, std::size_t depth) {
    node.kind = Node::Kind::map;
    for (const auto& pair : yaml) {
      if (!pair.first.IsScalar()) {
        Error error{ErrorKind::bad_input,
                    "a key must be a text, not a list, an object or nothing; put a template such as {{ x }} in quotes"};
        error.line = to_mark(pair.first.Mark()).line;
        error.column = to_mark(pair.first.Mark()).column;
        return std::unexpected(error);
      }
      Result<Node> child = convert(pair.second, depth + 1);
      if (!child) return child;
      node.members.push_back(Member{pair.first.Scalar(), to_mark(pair.first.Mark()), std::move(*child)});
    }
    return node;
  }

  std::string_view text_;
  std::size_t nodes_ = 0;
};

struct DocumentStart final : YAML::EventHandler {
  std::optional<Mark> mark;

  void OnDocumentStart(const YAML::Mark& at) override { mark = to_mark(at); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// What yaml-cpp says, and what to do about it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kComplaints = {{
    {"end of sequence flow not found", "the list that opens with [ is not closed; expected , or ]"},
    {"end of map flow not found", "the object that opens with { is not closed; expected , or }"},
    {"end of sequence not found",
     "this line is no entry of the list above it; give it the indentation of its neighbours"},
    {"end of map not found",
     "this is no key of the object above it; give it the indentation of its neighbours, and put a "
     "text with { } or : in quotes"},
    {"illegal map value", "a ':' cannot stand here; put a text that holds ': ' in quotes, and check the indentation"},
    {"illegal map key", "a key cannot stand here; check the indentation"},
    {"illegal block entry", "a '- ' cannot stand here; check the indentation"},
    {"unknown token", "a text cannot begin with this character; put it in quotes"},
    {"the referenced anchor is not defined",
     "no anchor (&name) of this name stands above; put a text that begins with * in "
     "quotes"},
    {"bad file", "this nests too deeply"},
    {"illegal EOF in scalar", "the quote that opens this text is not closed"},
    {"illegal EOF", "the file ends too early; a bracket or a quote is not closed"},
    {"illegal document indicator in scalar",
     "a line of --- or ... cannot stand inside a quoted text; is the quote closed?"},
    {"alias not found after *", "a text cannot begin with *; put it in quotes"},
    {"anchor not found after &", "a text cannot begin with &; put it in quotes"},
    {"bad character found while scanning tag", "a text cannot begin with !; put it in quotes"},
    {"unexpected character in block scalar",
     "nothing but - + 1-9 can follow | or > in its line; begin the text in the next line"},
}};

// Does the line of this position, or the one before it, begin with a tab after its blanks?
bool is_indented_by_tab(std::string_view line) {
  const std::size_t first = line.find_first_not_of(' ');
  return first != std::string_view::npos && line[first] == '\t' &&
         line.find_first_not_of(" \t\r", first) != std::string_view::npos;
}

Error yaml_complaint(std::string_view text, const YAML::Exception& error) {
  Error out{ErrorKind::bad_input, "this is not valid YAML: " + error.msg};
  for (const auto& [theirs, ours] : kComplaints) {
    if (error.msg == theirs) out.message = "this is not valid YAML: " + std::string(ours);
  }
  if (error.mark.is_null()) return out;
  out.line = to_mark(error.mark).line;
  out.column = to_mark(error.mark).column;
  const std::size_t end = text.find('\n', std::min(static_cast<std::size_t>(error.mark.pos), text.size()));
  const std::string_view up_to = text.substr(0, end);
  if (is_indented_by_tab(up_to.substr(up_to.rfind('\n') + 1))) {
    out.message = "this is not valid YAML: this line is indented by a tab; use blanks";
  }
  return out;
}

// YAML::Load silently leaves out what follows the first document; LoadAll can eat all memory.
std::optional<Mark> second_document(std::string_view text) {
  if (text.find("\n---") == std::string_view::npos && text.find("\n...") == std::string_view::npos) return std::nullopt;
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  DocumentStart first, second;
  if (!parser.HandleNextDocument(first)) return std::nullopt;
  try {
    parser.HandleNextDocument(second);
  } catch (const YAML::Exception&) {
    // That there is one is told, not what is wrong in it.
  }
  return second.mark;
}

}  // namespace

Result<Node> parse_yaml_node(std::string_view text) {
  try {
    const YAML::Node yaml = YAML::Load(std::string(text));
    if (const auto mark = second_document(text)) {
      Error error{ErrorKind::bad_input,
                  "a second YAML document begins here (after ---); a file holds one: remove the rest, "
                  "or put it into a file of its own"};
      error.line = mark->line;
      error.column = mark->column;
      return std::unexpected(error);
    }
    return Converter(text).convert(yaml, 0);
  } catch (const YAML::Exception& error) {
    return std::unexpected(yaml_complaint(text, error));
  }
}

}  // namespace palette::job
