// Fault points: each durable write passes through one, so that a test can stop the process at every write in
// turn. Off unless PALETTE_CRASH_AT_WRITE is set; then the N-th point ends the process as kill -9 would.
#pragma once

#include <string_view>

namespace palette::fault {

// `name` is for the report that PALETTE_CRASH_TRACE=FILE asks for: one line a point, to count them.
void durable_write(std::string_view name);

}  // namespace palette::fault
