#include "aws/s3_xml.h"

#include <algorithm>
#include <utility>

#include "aws/xml_element.h"

namespace palette::aws {
namespace {

constexpr std::size_t kDepthMax = 32;
constexpr std::string_view kBlanks = " \t\r\n";

bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }

// document = misc* element misc*      misc = comment | instruction | blanks
// element  = "<" name attributes "/>" | "<" name attributes ">" (element | misc | cdata | text)* "</" name blanks ">"
class Reader {
 public:
  explicit Reader(std::string_view document) : document_(document) {}

  Result<XmlElement> read() {
    if (document_.starts_with("\xef\xbb\xbf")) at_ = 3;  // the byte-order mark of UTF-8
    while (at_ < document_.size()) {
      if (Status ok = document_[at_] == '<' ? read_markup() : read_text(); !ok) return std::unexpected(ok.error());
    }
    if (!open_.empty()) return refused("ends inside of <" + open_.back().name + ">");
    if (!has_root_) return refused("has no element");
    return std::move(root_);
  }

 private:
  std::string_view rest() const { return document_.substr(at_); }

  std::unexpected<Error> refused(const std::string& why) const {
    return fail(ErrorKind::corrupt, "the XML of the answer " + why + ", at byte " + std::to_string(at_));
  }

  Status read_markup() {
    if (rest().starts_with("<?")) return skip_past("?>");
    if (rest().starts_with("<!--")) return skip_past("-->");
    if (rest().starts_with("<![CDATA[")) return read_cdata();
    if (rest().starts_with("<!")) return refused("has a document type, which is not taken");
    return rest().starts_with("</") ? read_end() : read_start();
  }

  Status skip_past(std::string_view mark) {
    const std::size_t end = document_.find(mark, at_);
    if (end == std::string_view::npos) return refused("ends before '" + std::string(mark) + "'");
    at_ = end + mark.size();
    return {};
  }

  Status read_cdata() {
    const std::size_t start = at_ + std::string_view("<![CDATA[").size();
    if (open_.empty()) return refused("has text outside of its element");
    if (Status ok = skip_past("]]>"); !ok) return ok;
    open_.back().text += document_.substr(start, at_ - start - 3);
    return {};
  }

  Status read_text() {
    const std::string_view text = rest().substr(0, rest().find('<'));
    if (open_.empty()) {
      if (!std::ranges::all_of(text, is_blank)) return refused("has text outside of its element");
    } else {
      open_.back().text += xml_decoded(text);
    }
    at_ += text.size();
    return {};
  }

  std::string_view read_name() {
    const std::string_view name = rest().substr(0, rest().find_first_of(" \t\r\n/>=<\"'"));
    at_ += name.size();
    return name;
  }

  void skip_blanks() {
    while (at_ < document_.size() && is_blank(document_[at_])) ++at_;
  }

  static std::string without_prefix(std::string_view name) {
    const std::size_t colon = name.find(':');
    return std::string(colon == std::string_view::npos ? name : name.substr(colon + 1));
  }

  Status read_start() {
    ++at_;
    const std::string_view name = read_name();
    if (name.empty()) return refused("has an element without a name");
    if (open_.empty() && has_root_) return refused("has a second root");
    if (open_.size() >= kDepthMax) return refused("is nested too deep");
    open_.push_back({without_prefix(name), {}, {}});
    for (;;) {
      skip_blanks();
      if (rest().starts_with("/>")) {
        at_ += 2;
        close();
        return {};
      }
      if (rest().starts_with('>')) {
        ++at_;
        return {};
      }
      if (Status ok = skip_attribute(); !ok) return ok;
    }
  }

  Status skip_attribute() {
    if (read_name().empty()) return refused("has an element that is not closed by '>'");
    skip_blanks();
    if (!rest().starts_with('=')) return refused("has an attribute without a value");
    ++at_;
    skip_blanks();
    const char quote = rest().empty() ? '\0' : rest().front();
    if (quote != '"' && quote != '\'') return refused("has an attribute without quotes");
    const std::size_t end = document_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return refused("has an attribute that does not end");
    at_ = end + 1;
    return {};
  }

  Status read_end() {
    at_ += 2;
    const std::string_view name = read_name();
    skip_blanks();
    if (open_.empty() || without_prefix(name) != open_.back().name) {
      return refused("closes <" + std::string(name) + ">, which is not open");
    }
    if (!rest().starts_with('>')) return refused("has an end tag that is not closed by '>'");
    ++at_;
    close();
    return {};
  }

  void close() {
    XmlElement done = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      root_ = std::move(done);
      has_root_ = true;
    } else {
      open_.back().children.push_back(std::move(done));
    }
  }

  std::string_view document_;
  std::size_t at_ = 0;
  std::vector<XmlElement> open_;  // from the root down
  XmlElement root_;
  bool has_root_ = false;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view child_name) const {
  const auto found = std::ranges::find(children, child_name, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::text_of(std::string_view child_name) const {
  const XmlElement* found = child(child_name);
  return found == nullptr ? std::string_view() : std::string_view(found->text);
}

Result<XmlElement> parse_xml(std::string_view document) { return Reader(document).read(); }

std::string xml_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "&#" + std::to_string(static_cast<int>(c)) + ";";
        } else {
          out += c;
        }
    }
  }
  return out;
}

}  // namespace palette::aws
