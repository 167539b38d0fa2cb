#include "http/connection_pool.h"

#include <algorithm>

namespace palette::http {

// In the queue from its making until it is given a lease, or destroyed with the task that waits.
struct ConnectionPool::Waiter {
  Waiter(ConnectionPool* its_pool, Origin* its_origin)
      : event(its_pool->executor_, boost::asio::steady_timer::time_point::max()),
        pool(its_pool),
        origin(its_origin),
        place(pool->waiters_.insert(pool->waiters_.end(), this)) {}
  ~Waiter() {
    if (queued) pool->waiters_.erase(place);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  boost::asio::steady_timer event;
  ConnectionPool* pool;
  Origin* origin;
  std::list<Waiter*>::iterator place;
  bool queued = true;
  std::optional<Lease> given;
};

Lease::~Lease() {
  if (pool_ == nullptr) return;
  connection_.reset();
  pool_->give_back(*origin_, nullptr);
}

void Lease::keep() {
  const std::shared_ptr<ConnectionPool> pool = std::move(pool_);
  pool_ = nullptr;
  connection_->reused = true;
  pool->give_back(*origin_, std::move(connection_));
}

ConnectionPool::ConnectionPool(boost::asio::any_io_executor executor, std::shared_ptr<DeadlineSweep> sweep,
                               const ClientSettings& settings)
    : executor_(std::move(executor)),
      sweep_(std::move(sweep)),
      connections_max_(std::max<std::size_t>(settings.connections_max, 1)),
      idle_per_origin_max_(settings.idle_per_origin_max),
      idle_close_ms_(settings.idle_close_ms) {}

ConnectionPool::~ConnectionPool() {
  if (watched_) sweep_->remove(*this);
}

Origin& ConnectionPool::origin_of(const OriginName& name) {
  if (const auto known = origins_.find(name); known != origins_.end()) return *known->second;
  forget_unused_origins();
  auto origin = std::make_unique<Origin>(executor_);
  origin->host = name.host;
  origin->port = name.port;
  origin->tls = name.tls;
  const OriginName key{origin->host, name.port, name.tls};
  return *origins_.emplace(key, std::move(origin)).first->second;
}

void ConnectionPool::forget_unused_origins() {
  constexpr std::size_t kOriginsMax = 256;
  if (origins_.size() < kOriginsMax || !waiters_.empty()) return;
  std::erase_if(origins_, [](const auto& entry) { return entry.second->open == 0; });
}

std::unique_ptr<PooledConnection> ConnectionPool::take_idle(Origin& origin) {
  while (!origin.idle.empty()) {
    std::unique_ptr<PooledConnection> last = std::move(origin.idle.back());
    origin.idle.pop_back();
    --idle_;
    // A look is a system call, and a request on a dead connection a retry: no server closes what it used a moment ago.
    constexpr std::int64_t kTrusted_ms = 1'000;
    const bool is_fresh = coarse_now_ms() - last->idle_since_ms < kTrusted_ms;
    if (is_fresh || last->transport.quiet()) return last;
    ++found_closed_;
    --origin.open;
    --open_;
  }
  return nullptr;
}

bool ConnectionPool::close_oldest_idle() {
  if (idle_ == 0) return false;
  Origin* oldest = nullptr;
  for (const auto& [name, origin] : origins_) {
    if (origin->idle.empty()) continue;
    if (oldest == nullptr || origin->idle.front()->idle_since_ms < oldest->idle.front()->idle_since_ms)
      oldest = origin.get();
  }
  oldest->idle.erase(oldest->idle.begin());
  --idle_;
  --oldest->open;
  --open_;
  return true;
}

std::optional<Lease> ConnectionPool::try_lease(const OriginName& name) {
  if (!waiters_.empty()) return std::nullopt;
  Origin& origin = origin_of(name);
  std::unique_ptr<PooledConnection> idle = take_idle(origin);
  if (!idle) {
    if (open_ >= connections_max_ && !close_oldest_idle()) return std::nullopt;
    ++origin.open;
    ++open_;
  }
  return Lease(shared_from_this(), &origin, std::move(idle));
}

async::Task<std::optional<Lease>> ConnectionPool::lease(const Url* url, Call* call) {
  const OriginName name{url->host, url->port, url->tls};
  if (std::optional<Lease> lease = try_lease(name)) co_return lease;
  Waiter waiter(this, &origin_of(name));
  // A lease that was given just before the call ended goes to the next in the queue as it is destroyed.
  const bool goes_on = co_await wait_for_event(call, &waiter.event);
  if (!goes_on) co_return std::nullopt;
  co_return std::move(waiter.given);
}

// The end of a lease, with its connection when that can go on.
void ConnectionPool::give_back(Origin& origin, std::unique_ptr<PooledConnection> connection) {
  if (!waiters_.empty()) {
    Waiter* const next = waiters_.front();
    waiters_.pop_front();
    next->queued = false;
    if (next->origin != &origin) {
      connection.reset();
      --origin.open;
      ++next->origin->open;
    }
    next->given.emplace(Lease(shared_from_this(), next->origin, std::move(connection)));
    next->event.cancel();
    return;
  }
  if (!connection || origin.idle.size() >= idle_per_origin_max_) {
    --origin.open;
    --open_;
    return;
  }
  connection->idle_since_ms = coarse_now_ms();
  origin.idle.push_back(std::move(connection));
  ++idle_;
  if (!watched_) watch(coarse_now_ms() + idle_close_ms_);
}

void ConnectionPool::watch(std::int64_t due_ms) {
  if (!watched_) sweep_->add(*this);
  watched_ = true;
  sweep_->arm(*this, due_ms);
}

void ConnectionPool::on_deadline() {
  const std::int64_t kept_since_ms = coarse_now_ms() - idle_close_ms_;
  std::int64_t oldest_ms = kNever_ms;
  for (const auto& [name, origin] : origins_) {
    auto& idle = origin->idle;
    const auto first_kept = std::ranges::find_if(
        idle, [kept_since_ms](const auto& connection) { return connection->idle_since_ms > kept_since_ms; });
    const auto closed = static_cast<std::size_t>(first_kept - idle.begin());
    idle.erase(idle.begin(), first_kept);
    idle_ -= closed;
    origin->open -= closed;
    open_ -= closed;
    if (!idle.empty()) oldest_ms = std::min(oldest_ms, idle.front()->idle_since_ms);
  }
  if (oldest_ms != kNever_ms) return watch(oldest_ms + idle_close_ms_);
  sweep_->remove(*this);
  watched_ = false;
}

}  // namespace palette::http
