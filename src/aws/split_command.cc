#include "aws/child_process.h"

namespace palette::aws {
namespace {

// POSIX shell, 2.2.3: inside double quotes a backslash quotes only these.
bool quoted_by_backslash(char c) { return c == '$' || c == '`' || c == '"' || c == '\\'; }

class Splitter {
 public:
  Result<std::vector<std::string>> split(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) take(text[i], i + 1 < text.size() ? text[i + 1] : '\0', i);
    if (quote_ != '\0') {
      return fail(ErrorKind::bad_input, std::string("the command has an open quote (") + quote_ + "); close it");
    }
    if (in_word_) words_.push_back(std::move(word_));
    if (words_.empty()) return fail(ErrorKind::bad_input, "the command is empty");
    return std::move(words_);
  }

 private:
  void take(char c, char next, std::size_t& at) {
    if (quote_ != '\0') {
      if (c == quote_) {
        quote_ = '\0';
      } else if (c == '\\' && quote_ == '"' && quoted_by_backslash(next)) {
        word_ += next;
        ++at;
      } else {
        word_ += c;
      }
      return;
    }
    if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word_) words_.push_back(std::exchange(word_, {}));
      in_word_ = false;
      return;
    }
    in_word_ = true;
    if (c == '\'' || c == '"') {
      quote_ = c;
    } else if (c == '\\' && next != '\0') {
      word_ += next;
      ++at;
    } else {
      word_ += c;
    }
  }

  std::vector<std::string> words_;
  std::string word_;
  bool in_word_ = false;
  char quote_ = '\0';
};

}  // namespace

Result<std::vector<std::string>> split_command(std::string_view text) { return Splitter().split(text); }

}  // namespace palette::aws
