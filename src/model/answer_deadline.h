// How long to wait for an answer. A call that is given up is paid for all the same, so the wait is generous; but once a
// model's pace is known, one that hangs is told by being far slower than all the others.
#pragma once

#include <cstdint>
#include <optional>

namespace palette::model {

class AnswerDeadline {
 public:
  // `output_tokens`: the most that the answer may have; 0 when it is not known.
  std::int64_t for_call_ms(std::int64_t output_tokens) const;

  // A call that takes longer than this is far slower than the others: it may hang. Nothing while the pace is not known.
  std::optional<std::int64_t> overdue_ms() const;

  void on_answer(std::int64_t took_ms, std::int64_t now_ms);
  // Of a call that began at `started_ms`: the next ones get twice the time, unless others were answered meanwhile.
  void on_timeout(std::int64_t started_ms);

 private:
  std::int64_t answers_ = 0;
  std::int64_t slowest_ms_ = 0;   // of late: it decays slowly
  std::int64_t factor_ = 10;      // of the slowest
  std::int64_t answered_ms_ = 0;  // when the last answer came
};

}  // namespace palette::model
