#include "http/resolver.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <list>

namespace palette::http {

using boost::asio::ip::tcp;

struct Resolver::Name {
  explicit Name(const boost::asio::any_io_executor& executor) : resolver(executor) {}

  tcp::resolver resolver;
  Addresses addresses;
  std::string failure;
  std::int64_t good_until_ms = 0;
  bool asked = true;                              // the answer is still out
  std::list<boost::asio::steady_timer*> waiting;  // one a task
};

namespace {

// Among those who wait for a name, as long as it lives.
struct Waiting {
  Waiting(const boost::asio::any_io_executor& executor, std::list<boost::asio::steady_timer*>* its_queue)
      : answered(executor, boost::asio::steady_timer::time_point::max()),
        queue(its_queue),
        place(queue->insert(queue->end(), &answered)) {}
  ~Waiting() { queue->erase(place); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  boost::asio::steady_timer answered;
  std::list<boost::asio::steady_timer*>* queue;
  std::list<boost::asio::steady_timer*>::iterator place;
};

}  // namespace

Resolver::Resolver(boost::asio::any_io_executor executor, std::int64_t ttl_ms, std::size_t names_max)
    : executor_(std::move(executor)), ttl_ms_(ttl_ms), names_max_(std::max<std::size_t>(names_max, 1)) {}

Resolver::~Resolver() {
  for (const auto& [host, name] : names_) name->resolver.cancel();
}

Resolver::Addresses by_turns(const Resolver::Addresses& addresses) {
  Resolver::Addresses first, second, out;
  for (const auto& address : addresses) {
    (address.is_v6() == addresses.front().is_v6() ? first : second).push_back(address);
  }
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) out.push_back(first[i]);
    if (i < second.size()) out.push_back(second[i]);
  }
  return out;
}

void Resolver::make_room() {
  while (names_.size() >= names_max_) {
    const auto oldest = std::ranges::min_element(
        names_, {}, [](const auto& entry) { return entry.second->asked ? kNever_ms : entry.second->good_until_ms; });
    if (oldest->second->asked) return;  // all of them are being asked for
    names_.erase(oldest);
  }
}

std::shared_ptr<Resolver::Name> Resolver::look_up(const std::string& host) {
  make_room();
  auto name = std::make_shared<Name>(executor_);
  names_[host] = name;
  ++lookups_;
  // The lookup belongs to nobody: a request that gives up does not take it from the others. It touches only `name`,
  // which it keeps alive.
  name->resolver.async_resolve(
      host, "", [name, ttl_ms = ttl_ms_](boost::system::error_code error, const tcp::resolver::results_type& found) {
        name->asked = false;
        for (const auto& one : found) name->addresses.push_back(one.endpoint().address());
        if (!name->addresses.empty()) {
          name->addresses = by_turns(name->addresses);
          name->good_until_ms = coarse_now_ms() + ttl_ms;
        } else {
          name->failure = error ? error.message() : "it has no address";
        }
        for (boost::asio::steady_timer* waiter : name->waiting) waiter->cancel();
      });
  return name;
}

async::Task<Result<Resolver::Addresses>> Resolver::addresses(std::string host, Call* call) {
  boost::system::error_code no_literal;
  const auto literal = boost::asio::ip::make_address(host, no_literal);
  if (!no_literal) co_return Addresses{literal};

  const auto known = names_.find(host);
  std::shared_ptr<Name> name = known == names_.end() ? nullptr : known->second;
  if (name && !name->asked && name->good_until_ms <= coarse_now_ms()) name = nullptr;
  if (!name) name = look_up(host);
  while (name->asked) {
    Waiting waiting(executor_, &name->waiting);
    if (!co_await wait_for_event(call, &waiting.answered)) co_return std::unexpected(call->ended());
  }
  if (name->addresses.empty())
    co_return fail(ErrorKind::unavailable, "the name \"" + host + "\" cannot be resolved: " + name->failure +
                                               "; check the spelling and the network");
  co_return name->addresses;
}

}  // namespace palette::http
