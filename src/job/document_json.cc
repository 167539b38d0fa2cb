// JSON: Boost.JSON says whether it is valid and reads the strings; a walk over the valid text adds the positions and
// keeps duplicate keys, which a parsed object would lose.
#include <boost/json/parse.hpp>

#include "job/document.h"
#include "job/json_complaint.h"

namespace palette::job {
namespace {

class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  // Precondition: the text is valid JSON, of limited depth.
  Node value() {
    skip_blanks();
    Node node;
    node.mark = mark();
    const char c = text_[at_];
    if (c == '{') {
      object(node);
    } else if (c == '[') {
      array(node);
    } else {
      scalar(node);
    }
    return node;
  }

 private:
  Mark mark() const { return Mark{line_, static_cast<std::uint32_t>(at_ - line_start_ + 1)}; }

  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
      if (text_[at_] == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
      ++at_;
    }
  }

  char next_after_blanks() {
    skip_blanks();
    return text_[at_];
  }

  std::string_view scalar_text() {
    const std::size_t start = at_;
    if (text_[at_] == '"') {
      for (++at_; text_[at_] != '"'; ++at_) at_ += text_[at_] == '\\';
      ++at_;
    } else {
      at_ = std::min(text_.find_first_of(" \t\r\n,]}", at_), text_.size());
    }
    return text_.substr(start, at_ - start);
  }

  void object(Node& node) {
    node.kind = Node::Kind::map;
    ++at_;
    while (next_after_blanks() != '}') {
      if (text_[at_] == ',') ++at_;
      skip_blanks();
      Member member;
      member.mark = mark();
      member.key = std::string(boost::json::parse(scalar_text()).get_string());
      skip_blanks();
      ++at_;  // ':'
      member.value = value();
      node.members.push_back(std::move(member));
    }
    ++at_;
  }

  void array(Node& node) {
    node.kind = Node::Kind::list;
    ++at_;
    while (next_after_blanks() != ']') {
      if (text_[at_] == ',') ++at_;
      node.items.push_back(value());
    }
    ++at_;
  }

  void scalar(Node& node) {
    const std::string_view source = scalar_text();
    const Json json = boost::json::parse(source);
    node.text = std::string(source);
    switch (json.kind()) {
      case boost::json::kind::null:
        node.kind = Node::Kind::null;
        break;
      case boost::json::kind::bool_:
        node.kind = Node::Kind::boolean;
        node.boolean = json.get_bool();
        break;
      case boost::json::kind::int64:
        node.kind = Node::Kind::integer;
        node.integer = json.get_int64();
        node.number = static_cast<double>(node.integer);
        break;
      case boost::json::kind::string:
        node.kind = Node::Kind::string;
        node.text = std::string(json.get_string());
        node.indent = 1;
        if (source.find('\\') != std::string_view::npos) node.source = std::string(source);
        break;
      default:
        node.kind = Node::Kind::number;
        node.number = json.to_number<double>();
    }
  }

  std::string_view text_;
  std::size_t at_ = 0, line_start_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace

Result<Node> parse_json_node(std::string_view text) {
  if (Result<Json> valid = parse_json(text); !valid) return std::unexpected(json_complaint(text, valid.error()));
  return Walker(text).value();
}

}  // namespace palette::job
