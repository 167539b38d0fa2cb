// The lines of a text, one after another, without their newlines; an empty last line is none.
//
//   for (std::string_view line : Lines(object.body)) …
#pragma once

#include <cstddef>
#include <string_view>

namespace palette::generate {

class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  class Iterator {
   public:
    Iterator(std::string_view text, std::size_t at) : text_(text), at_(at) {}
    std::string_view operator*() const { return text_.substr(at_, end() - at_); }
    Iterator& operator++() {
      at_ = end() == text_.size() ? text_.size() : end() + 1;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    std::size_t end() const {
      const std::size_t newline = text_.find('\n', at_);
      return newline == std::string_view::npos ? text_.size() : newline;
    }
    std::string_view text_;
    std::size_t at_;
  };

  Iterator begin() const { return {text_, 0}; }
  Iterator end() const { return {text_, text_.size()}; }

 private:
  std::string_view text_;
};

}  // namespace palette::generate
