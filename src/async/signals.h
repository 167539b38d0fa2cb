// SIGINT and SIGTERM, told on the event loop.
//
//   StopSignals signals(loop.context(), [&](int signal, int count) { … });
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

namespace palette::async {

// While it lives, SIGINT and SIGTERM do not end the process but call `on_signal(signal number, how many came so far)`
// on the loop. Afterwards they are ignored: what follows the work is the end of the process, which a late signal must
// not turn into a death that looks like a failure.
class StopSignals {
 public:
  using Handler = std::function<void(int signal, int count)>;

  StopSignals(boost::asio::io_context& context, Handler on_signal);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace palette::async
