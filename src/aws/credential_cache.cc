#include "aws/credential_cache.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

namespace palette::aws {
namespace {

// One fetch that is under way, and those that wait for it.
struct Refresh {
  explicit Refresh(boost::asio::any_io_executor executor)
      : done(executor, boost::asio::steady_timer::time_point::max()) {}

  boost::asio::steady_timer done;
  std::optional<Status> result;
  boost::asio::cancellation_signal stop;
};

struct Cache {
  std::unique_ptr<CredentialSource> source;
  const Clock* clock = nullptr;
  std::shared_ptr<const Credentials> current;  // null: none yet
  bool refused = false;                        // the service said that `current` has expired
  std::shared_ptr<Refresh> refresh;            // null: none under way
  std::int64_t refreshed_ms = 0;               // monotonic: when the last one ended, well or not
  bool ever_refreshed = false;
  Status last = {};  // how it ended
};

enum class Need : std::uint8_t { none, advisory, mandatory };

bool refreshed_just_now(const Cache& cache) {
  return cache.ever_refreshed && cache.clock->monotonic_ms() - cache.refreshed_ms < kBetweenRefreshes_ms;
}

Need need_of(const Cache& cache) {
  if (!cache.current || cache.refused) return Need::mandatory;
  if (!cache.current->expires_at) return Need::none;
  const std::int64_t left_ms = cache.current->expires_at->unix_ms - cache.clock->now().unix_ms;
  if (left_ms > kAdvisoryWindow_ms) return Need::none;
  if (left_ms > kMandatoryWindow_ms) return refreshed_just_now(cache) ? Need::none : Need::advisory;
  // Some sources give out nothing that lasts longer: used for a minute, if it lives as long.
  const bool short_lived = left_ms > 0 && cache.last.has_value() && refreshed_just_now(cache);
  return short_lived ? Need::none : Need::mandatory;
}

Status taken(Cache& cache, Result<Credentials> fetched) {
  if (!fetched) return std::unexpected(fetched.error());
  if (fetched->expires_at && *fetched->expires_at <= cache.clock->now()) {
    return fail(ErrorKind::denied,
                "it gave credentials that expired at " + fetched->expires_at->to_iso() +
                    "; renew them there, or check this machine's clock",
                fetched->source);
  }
  cache.current = std::make_shared<const Credentials>(std::move(*fetched));
  cache.refused = false;
  return {};
}

async::Task<void> run_refresh(std::shared_ptr<Cache> cache, std::shared_ptr<Refresh> refresh) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  Result<Credentials> fetched = co_await cache->source->fetch();
  cache->last = taken(*cache, std::move(fetched));
  cache->refreshed_ms = cache->clock->monotonic_ms();
  cache->ever_refreshed = true;
  cache->refresh.reset();
  refresh->result = cache->last;
  refresh->done.cancel();
}

// A task of its own, so that it goes on when the call that needed it is cancelled.
void start(std::shared_ptr<Cache> cache, boost::asio::any_io_executor executor) {
  if (cache->refresh) return;
  const auto refresh = std::make_shared<Refresh>(executor);
  cache->refresh = refresh;
  boost::asio::co_spawn(executor, run_refresh(cache, refresh),
                        boost::asio::bind_cancellation_slot(refresh->stop.slot(), [refresh](std::exception_ptr thrown) {
                          if (thrown) std::rethrow_exception(thrown);
                        }));
}

async::Task<Result<Credentials>> current_of(std::shared_ptr<Cache> cache) {
  const Need need = need_of(*cache);
  if (need == Need::none) co_return *cache->current;
  start(cache, co_await boost::asio::this_coro::executor);
  if (need == Need::advisory) co_return *cache->current;  // a failure shows in the mandatory window, if it lasts
  const std::shared_ptr<Refresh> refresh = cache->refresh;
  while (refresh && !refresh->result) {
    co_await refresh->done.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (!refresh->result && state.cancelled() != boost::asio::cancellation_type::none) {
      co_return fail(ErrorKind::cancelled, "the wait for credentials was cancelled");
    }
  }
  const Status ended = refresh ? *refresh->result : cache->last;
  if (!ended) co_return std::unexpected(ended.error());
  co_return *cache->current;
}

class FreshCredentials final : public CredentialProvider {
 public:
  FreshCredentials(std::unique_ptr<CredentialSource> source, const Clock& clock) : cache_(std::make_shared<Cache>()) {
    cache_->source = std::move(source);
    cache_->clock = &clock;
  }
  ~FreshCredentials() override {
    if (const auto refresh = cache_->refresh) refresh->stop.emit(boost::asio::cancellation_type::terminal);
  }

  async::Task<Result<Credentials>> get() override { return current_of(cache_); }

  std::shared_ptr<const Credentials> at_hand() override {
    return need_of(*cache_) == Need::none ? cache_->current : nullptr;
  }

  void expire(const Credentials& refused) override {
    const auto& current = cache_->current;
    if (!current || current->keys.access_key_id != refused.keys.access_key_id ||
        current->keys.secret_access_key != refused.keys.secret_access_key ||
        current->keys.session_token != refused.keys.session_token) {
      return;
    }
    cache_->refused = true;
  }

 private:
  std::shared_ptr<Cache> cache_;
};

}  // namespace

std::shared_ptr<CredentialProvider> keep_fresh(std::unique_ptr<CredentialSource> source, const Clock& clock) {
  return std::make_shared<FreshCredentials>(std::move(source), clock);
}

}  // namespace palette::aws
