#include "model/model.h"

namespace palette::model {

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::complete:
      return "complete";
    case StopReason::truncated:
      return "truncated";
    case StopReason::refused:
      return "refused";
  }
  return {};
}

std::string CallIdentity::text() const { return job + "-" + std::to_string(record.value) + "/" + step; }

}  // namespace palette::model
