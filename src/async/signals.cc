#include "async/signals.h"

#include <boost/asio/signal_set.hpp>
#include <csignal>

namespace palette::async {

struct StopSignals::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& context, Handler handler)
      : set(context, SIGINT, SIGTERM), on_signal(std::move(handler)) {}

  void wait() {
    set.async_wait([self = shared_from_this()](const boost::system::error_code& error, int signal) {
      if (error || self->closed) return;
      self->on_signal(signal, ++self->count);
      self->wait();
    });
  }

  boost::asio::signal_set set;
  Handler on_signal;
  int count = 0;
  bool closed = false;
};

StopSignals::StopSignals(boost::asio::io_context& context, Handler on_signal)
    : state_(std::make_shared<State>(context, std::move(on_signal))) {
  state_->wait();
}

StopSignals::~StopSignals() {
  state_->closed = true;
  state_->set.cancel();
  state_->set.clear();
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
}

}  // namespace palette::async
