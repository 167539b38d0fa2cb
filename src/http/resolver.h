// Host names to addresses: asked once for all who want a name at the same time, kept for a while.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "http/call.h"

namespace palette::http {

class Resolver {
 public:
  using Addresses = std::vector<boost::asio::ip::address>;

  Resolver(boost::asio::any_io_executor executor, std::int64_t ttl_ms, std::size_t names_max);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // In the order to be tried: that of the system, families taking turns (RFC 8305 section 4). An address is its own.
  // unavailable when the name is not found; the error of the call when that ends first.
  async::Task<Result<Addresses>> addresses(std::string host, Call* call);

  // How many names are kept.
  std::size_t names() const { return names_.size(); }
  // Names that were asked of the system.
  std::int64_t lookups() const { return lookups_; }

 private:
  struct Name;
  std::shared_ptr<Name> look_up(const std::string& host);
  void make_room();

  boost::asio::any_io_executor executor_;
  std::int64_t ttl_ms_;
  std::size_t names_max_;
  std::unordered_map<std::string, std::shared_ptr<Name>> names_;
  std::int64_t lookups_ = 0;
};

// Addresses of the two families by turns, beginning with the family of the first.
Resolver::Addresses by_turns(const Resolver::Addresses& addresses);

}  // namespace palette::http
