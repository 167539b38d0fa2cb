#include "generate/ledger.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace palette::generate {
namespace {

class SlicesInMemory final : public SliceSource {
 public:
  explicit SlicesInMemory(Money unallocated) : unallocated_(unallocated) {}

  async::Task<Result<Answer>> take(std::int64_t, Money amount) override {
    const bool granted = amount <= unallocated_;
    if (granted) unallocated_ -= amount;
    co_return Answer{granted, unallocated_};
  }

 private:
  Money unallocated_;
};

}  // namespace

Infrastructure& Infrastructure::operator+=(const Infrastructure& other) {
  compute += other.compute;
  s3 += other.s3;
  dynamodb += other.dynamodb;
  compute_ms += other.compute_ms;
  s3_operations += other.s3_operations;
  return *this;
}

std::shared_ptr<SliceSource> slices_in_memory(Money unallocated) {
  return std::make_shared<SlicesInMemory>(unallocated);
}

Ledger::Ledger(LedgerSettings settings, std::shared_ptr<SliceSource> slices, RunControl& control, const Clock& clock)
    : settings_(settings),
      slices_(std::move(slices)),
      control_(control),
      clock_(clock),
      unallocated_(settings.unallocated),
      record_bound_(settings.record_bound),
      slice_no_(settings.slice_no),
      queue_(control.stop) {}

bool Ledger::admit(RecordIndex record) {
  if (record_bound_ > Money{} && for_calls() - held_ < record_bound_) return false;
  records_[record.value] = {record_bound_};
  held_ += record_bound_;
  return true;
}

void Ledger::release(RecordIndex record) {
  const auto found = records_.find(record.value);
  if (found == records_.end()) return;
  held_ -= found->second.held;
  // A record that needed more than was thought: the next ones may too.
  record_bound_ = std::max(record_bound_, found->second.bound());
  records_.erase(found);
  serve_waiting();
}

Money Ledger::held_by_older(std::int64_t record) const {
  Money held;
  for (auto older = records_.begin(); older != records_.end() && older->first < record; ++older)
    held += older->second.held;
  return held;
}

// What older records hold for their next steps is not touched; what newer ones hold may be.
bool Ledger::fits_now(Money bound, std::int64_t record) const {
  const auto own = records_.find(record);
  const Money held_by_others = own == records_.end() ? held_ : held_ - own->second.held;
  if (for_calls() - held_by_others >= bound) return true;
  return for_calls() - held_by_older(record) >= bound;
}

Money Ledger::InProgress::bound() const {
  Money sum;
  for (const auto& [step, bound] : steps) sum += bound;
  return sum;
}

void Ledger::set_aside(Money bound, async::TurnKey key) {
  reserved_ += bound;
  const auto found = records_.find(key.record);
  if (found == records_.end()) return;
  // Another try of a step takes nothing of what is held for the steps to come.
  auto& steps = found->second.steps;
  auto step = std::ranges::find(steps, key.step, &std::pair<std::int64_t, Money>::first);
  if (step == steps.end()) step = steps.insert(steps.end(), {key.step, Money{}});
  const Money more = std::max(Money{}, bound - step->second);
  step->second += more;
  const Money from_hold = std::min(found->second.held, more);
  found->second.held -= from_hold;
  held_ -= from_hold;
}

async::Task<Status> Ledger::reserve(Money bound, async::TurnKey key) {
  if (bound <= Money{}) co_return Status{};
  if (!can_ever_fit(bound)) {
    control_.over_budget = true;
    co_return std::unexpected(over_budget(bound));
  }
  const bool first = queue_.empty() || key < queue_.first()->key;
  if (first && fits_now(bound, key.record)) {
    set_aside(bound, key);
  } else if (const Status turn = co_await queue_.wait(key, Wanted{bound}); !turn) {
    co_return turn;
  }
  Status covered;
  if (taken_ < spent_ + reserved_) covered = co_await cover();
  if (covered && control_.stop->requested()) covered = fail(ErrorKind::cancelled, "the work is being stopped");
  if (!covered) {
    reserved_ -= bound;
    serve_waiting();
  }
  co_return covered;
}

void Ledger::settle(const model::CallBill& bill) {
  reserved_ -= bill.reserved;
  spent_ += bill.cost;
  over_bound_ = over_bound_ || bill.cost > bill.reserved;
  estimated_calls_ += bill.estimated;
  throttles_ += bill.throttled;
  if (bill.end != model::CallBill::End::free) by_model_[std::string(bill.model)].add(bill.usage, bill.cost);
  if (bill.end == model::CallBill::End::wasted) waste_[std::string(bill.model)].add(bill.usage, bill.cost);
  if (!queue_.empty()) serve_waiting();
}

void Ledger::write_off(const std::string& model, const model::Usage& usage, Money cost) {
  waste_[model].add(usage, cost);
}

// Some of what is to come is taken with it: the same again and again would be a slice each.
async::Task<Status> Ledger::pay_infrastructure(Infrastructure cost) {
  constexpr std::int64_t kAhead = 8;
  spent_ += cost.total();
  infrastructure_ += cost;
  if (taken_ < spent_ + reserved_ && !taking_) co_return co_await take_slice(Money::of(kAhead, cost.total().pico));
  co_return Status{};
}

// In the order of age. One that cannot fit whatever the calls in flight will cost is told so; one that may fit later
// keeps its place, and those behind it wait.
void Ledger::serve_waiting() {
  while (auto* first = queue_.first()) {
    const Money bound = first->payload.bound;
    if (!can_ever_fit(bound)) {
      control_.over_budget = true;
      queue_.refuse(*first, over_budget(bound));
    } else if (fits_now(bound, first->key.record)) {
      set_aside(bound, first->key);
      queue_.grant(*first);
    } else {
      return;
    }
  }
}

// Until what is spent and set aside is covered by slices.
async::Task<Status> Ledger::cover() {
  while (taken_ < spent_ + reserved_) {
    if (!taking_) {
      if (const Status taken = co_await take_slice(); !taken) co_return taken;
      continue;
    }
    boost::asio::steady_timer taken(co_await boost::asio::this_coro::executor);
    taken.expires_at(boost::asio::steady_timer::time_point::max());
    const auto place = waiting_for_slice_.insert(waiting_for_slice_.end(), &taken);
    (void)co_await taken.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    waiting_for_slice_.erase(place);
    if (control_.stop->requested()) co_return fail(ErrorKind::cancelled, "the work is being stopped");
  }
  co_return Status{};
}

// `ahead`: beside what is missing, if it is there.
async::Task<Status> Ledger::take_slice(Money ahead) {
  taking_ = true;
  const Money missing = spent_ + reserved_ - taken_;
  const Money amount = std::max(slice_size(missing), std::min(missing + ahead, unallocated_));
  const Result<SliceSource::Answer> answer = co_await slices_->take(slice_no_ + 1, amount);
  taking_ = false;
  for (boost::asio::steady_timer* waiting : waiting_for_slice_) waiting->cancel();
  if (!answer) {
    // Nobody's record has failed: the attempt cannot go on.
    control_.halt(answer.error());
    co_return fail(ErrorKind::cancelled, "no slice of the budget could be taken");
  }
  unallocated_ = answer->unallocated;
  if (answer->granted) {
    ++slice_no_;
    taken_ += amount;
    last_slice_ = amount;
    last_slice_ms_ = clock_.monotonic_ms();
    co_return Status{};
  }
  // Other parts of the job were faster.
  if (unallocated_ >= missing) co_return Status{};
  control_.over_budget = true;
  co_return std::unexpected(over_budget(missing));
}

// So large that it lasts for about slice_ms: twice the last one while they go faster, half of it when slower.
Money Ledger::slice_size(Money at_least) {
  const std::int64_t lasted_ms = clock_.monotonic_ms() - last_slice_ms_;
  Money size = last_slice_;
  if (lasted_ms < settings_.slice_ms) size = size + size;
  if (lasted_ms > 2 * settings_.slice_ms) size = Money{size.pico / 2};
  if (last_slice_ == Money{}) size = std::min(settings_.first_slice, Money{unallocated_.pico / 8});
  return std::max(at_least, std::min(size, unallocated_));
}

Error Ledger::over_budget(Money bound) const {
  return Error{ErrorKind::over_budget, "the next call may cost up to $" + bound.to_decimal() + ", and $" +
                                           std::max(Money{}, for_calls() + reserved_).to_decimal() +
                                           " of the budget are left"};
}

}  // namespace palette::generate
