// A server on this machine that gives each call the same answer and keeps what it was asked, and a client to it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "async/timer.h"
#include "contract/await.h"
#include "http/client.h"
#include "http/server.h"
#include "model/test_provider.h"

namespace palette::model {

struct AnsweringServer {
  http::Response reply;
  http::Ending ending = http::Ending::whole;
  http::ServerRequest asked;  // the last one
  int calls = 0;
  std::shared_ptr<http::Client> client;

  AnsweringServer() {
    reply.status = 200;
    const auto executor = contract::process_loop().context().get_executor();
    client = std::make_shared<http::Client>(executor, http::ClientSettings{});
    auto listening = http::Server::listen(
        executor, {}, [this](http::ServerRequest request) { return answer(this, std::move(request)); });
    EXPECT_TRUE(listening) << contract::error_text(listening);
    if (listening) server_ = std::move(*listening);
  }

  // The client leaves first, and the server sees it go: nothing of a test is left on the loop for the next one.
  ~AnsweringServer() {
    client.reset();
    constexpr int kTurnsMax = 1'000;
    for (int i = 0; i < kTurnsMax && server_ && server_->connections() > 0; ++i) {
      (void)contract::await(async::sleep_for(1));
    }
  }
  AnsweringServer(const AnsweringServer&) = delete;
  AnsweringServer& operator=(const AnsweringServer&) = delete;

  http::Url url(const std::string& target) const {
    http::Url out;
    out.host = "127.0.0.1";
    out.port = server_->port();
    out.target = target;
    return out;
  }

 private:
  static async::Task<http::ServerReply> answer(AnsweringServer* self, http::ServerRequest request) {
    self->asked = std::move(request);
    ++self->calls;
    http::ServerReply out;
    out.response = self->reply;
    out.ending = self->ending;
    co_return out;
  }

  std::unique_ptr<http::Server> server_;
};

}  // namespace palette::model
