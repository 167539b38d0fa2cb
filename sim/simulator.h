// The stand-in itself: takes a request, gives the reply. Everything else in this folder is a part of it.
//
//   Simulator simulator(settings, catalogue, system_clock());
//   auto server = http::Server::listen(executor, {}, [&](http::ServerRequest r) { return
//   simulator.handle(std::move(r)); });
//
// Lives on the loop of the server, and longer than it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/time.h"
#include "call.h"
#include "fault_replies.h"
#include "http/server.h"
#include "keyring.h"
#include "metadata_endpoints.h"
#include "model_table.h"
#include "prompt_cache.h"
#include "settings.h"
#include "statistics.h"
#include "target.h"

namespace palette::sim {

class Simulator {
 public:
  Simulator(Settings settings, job::Catalogue catalogue, const Clock& clock);

  async::Task<http::ServerReply> handle(http::ServerRequest request);

 private:
  class Flight;
  struct Visit;

  // A call of a model, from its arrival to the moment when its answer is due.
  Visit admit(const http::ServerRequest& request, const Target& target);
  Result<Call> read(const http::ServerRequest& request, const Target& target);
  void draw(Visit& visit);
  void reserve(Visit& visit);
  void generate(Visit& visit);
  http::ServerReply finish(Visit visit);
  void fill_answer(const Visit& visit, http::ServerReply& reply);

  // Everything else.
  http::Response serve(const http::ServerRequest& request, const Target& target);
  http::Response serve_admin(const http::ServerRequest& request);
  http::Response count_tokens(const http::ServerRequest& request, const Target& target);
  http::Response list_models(const Target& target) const;
  // Nothing when whoever asks may; else the reply that refuses it.
  std::optional<http::Response> refuse_stranger(const http::ServerRequest& request, bool is_openai) const;
  std::string next_request_id();
  void reset();

  Settings settings_;
  Behaviour behaviour_;  // now; settings_ has that of the start
  const Clock& clock_;
  ModelTable models_;
  Keyring keyring_;
  MetadataEndpoints metadata_;
  FaultScripts scripts_;
  PromptCache cache_;
  Statistics statistics_;
  std::uint64_t sequence_ = 0;  // of calls that were drawn for
  std::uint64_t request_id_ = 0;
  std::uint64_t generation_ = 0;  // goes up at every reset
};

}  // namespace palette::sim
