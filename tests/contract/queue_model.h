// A queue under random interleavings: workers that claim, renew, report, take slices, give back, park, end, die, freeze
// past their lease and lose answers, against a model of what must come of each step (DESIGN.md promises 3 and 5). At
// the end the living ones bring the job to its end.
//
//   QueueModel(store, seed).run(60);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "contract/job_store_fixture.h"

namespace palette::contract {

class QueueModel {
 public:
  // A job of one to four parts, and two to four workers. Every job has its own name, so that one store serves many.
  QueueModel(JobStore& store, std::uint64_t seed)
      : store_(store), random_(seed, 0, stream_of("queue model")), name_("job-" + std::to_string(seed)) {
    const auto parts = static_cast<std::int64_t>(1 + random_.below(4));
    workers_.resize(2 + random_.below(3));
    JobItem job = new_job(name_);
    job.unallocated = budget_ = Money{static_cast<std::int64_t>(random_.below(2'000))};
    std::vector<QueueItem> items;
    for (std::int64_t part = 1; part <= parts; ++part) {
      parts_[part] = {};
      job.parts[part] = {};
      items.push_back(new_item(name_, 0, part));
    }
    const Status created = await(store_.create_job(job, items));
    EXPECT_TRUE(created) << error_text(created);
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      step();
      check();
    }
    bring_to_its_end();
  }

 private:
  static constexpr std::int64_t kLease_s = 60;
  static constexpr std::int64_t kRecordsOfPart = 5;
  enum class Place : std::uint8_t { queued, running, parked, ended };

  struct Part {
    Place place = Place::queued;
    std::int64_t attempt = 0, lease_until_s = 0, records = 0, slice_no = 0, fruitless = 0;
    Money taken, last_slice;  // by the attempt that runs
  };
  // What a worker believes: it may be wrong, when it froze or was taken for dead.
  struct Worker {
    std::optional<QueueItem> held;
    std::int64_t records = 0, slice_no = 0;
    Money unspent;
  };

  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }
  bool owns(const Worker& worker) const {
    const Part& part = parts_.at(worker.held->part.value);
    return part.place == Place::running && part.attempt == worker.held->attempt.value;
  }
  PartProgress figures(const Worker& worker) const {
    return PartProgress{.attempt = {}, .records = worker.records, .tokens = worker.records * 10, .cost = {}};
  }
  std::vector<QueueItem> items(QueueStatus status) {
    auto all = await(store_.queue_items(status));
    EXPECT_TRUE(all) << error_text(all);
    std::vector<QueueItem> out;
    for (QueueItem& item : all.value_or(std::vector<QueueItem>{})) {
      if (item.job.text == name_) out.push_back(std::move(item));
    }
    return out;
  }

  void step() {
    Worker& worker = workers_[random_.below(workers_.size())];
    const std::uint64_t what = random_.below(12);
    if (what == 0) {
      now_s_ += static_cast<std::int64_t>(random_.below(50));
    } else if (what == 1) {
      unpark_one();
    } else if (what == 2 && chance(8)) {
      cancel();
    } else if (!worker.held) {
      claim(worker);
    } else if (what <= 3) {
      worker = {};  // it died
    } else if (what == 4) {
      heartbeat(worker);
    } else if (what <= 6) {
      work(worker);
    } else if (what <= 8) {
      take_slice(worker);
    } else if (what == 9) {
      give_back(worker);
    } else {
      end_part(worker);
    }
  }

  // The first that is QUEUED, or RUNNING and over its lease.
  void claim(Worker& worker) {
    std::vector<QueueItem> seen = items(QueueStatus::queued);
    for (QueueItem& item : items(QueueStatus::running)) seen.push_back(std::move(item));
    if (seen.empty()) return;
    const QueueItem item = seen[random_.below(seen.size())];
    if (item.kind == WorkKind::export_) return;  // bring_to_its_end() takes that
    Part& part = parts_.at(item.part.value);
    const bool lapsed = part.place == Place::running && part.lease_until_s <= now_s_;
    const Result<QueueItem> held =
        await(store_.claim(item, by("w" + std::to_string(random_.below(100)), now_s_, kLease_s)));
    if (part.place != Place::queued && !lapsed) {
      ASSERT_FALSE(held) << "the lease of part " << item.part.value << " still holds";
      EXPECT_EQ(held.error().kind, ErrorKind::held);
      return;
    }
    ASSERT_TRUE(held) << error_text(held);
    EXPECT_EQ(held->attempt.value, part.attempt + 1);
    lost_ += part.taken;  // by the attempt that is over: nobody gives that back
    part.taken = Money{};
    part.fruitless += lapsed;
    part.place = Place::running;
    part.attempt = held->attempt.value;
    part.lease_until_s = now_s_ + kLease_s;
    if (chance(6)) return;  // the answer was lost: nobody knows that it is claimed
    worker = {*held, part.records, part.slice_no, Money{}};
  }

  void heartbeat(Worker& worker) {
    const Result<store::Pulse> pulse = await(store_.heartbeat(*worker.held, at(now_s_ + kLease_s)));
    if (!owns(worker)) return expect_fenced(pulse, worker);
    ASSERT_TRUE(pulse) << error_text(pulse);
    EXPECT_EQ(pulse->stop_reason, stop_reason_);
    parts_.at(worker.held->part.value).lease_until_s = now_s_ + kLease_s;
  }

  void work(Worker& worker) {
    worker.records = std::min(kRecordsOfPart, worker.records + static_cast<std::int64_t>(random_.below(3)));
    const Status reported = await(store_.report(*worker.held, figures(worker), at(now_s_)));
    if (!owns(worker)) return expect_fenced(reported, worker);
    ASSERT_TRUE(reported) << error_text(reported);
    note(worker);
  }

  void note(const Worker& worker) {
    Part& part = parts_.at(worker.held->part.value);
    if (worker.records > part.records) part.fruitless = 0;
    part.records = worker.records;
  }

  // Sometimes the same again: its answer was lost.
  void take_slice(Worker& worker) {
    const Money amount{static_cast<std::int64_t>(1 + random_.below(300))};
    for (int i = chance(3) ? 2 : 1; i > 0; --i) {
      const auto answer = await(store_.take_slice(*worker.held, worker.slice_no + 1, amount));
      if (!owns(worker)) return expect_fenced(answer, worker);
      Part& part = parts_.at(worker.held->part.value);
      const bool is_again = part.slice_no == worker.slice_no + 1 && part.last_slice == amount;
      ASSERT_TRUE(answer) << error_text(answer);
      EXPECT_EQ(answer->granted, is_again || amount <= unallocated());
      if (!answer->granted) return;
      if (!is_again) {
        part.taken += amount;
        part.slice_no = worker.slice_no + 1;
        part.last_slice = amount;
      }
      EXPECT_EQ(answer->unallocated, unallocated());
    }
    ++worker.slice_no;
    worker.unspent += amount;
  }

  Money spent_part_of(Money amount) {
    return Money{static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(amount.pico) + 1))};
  }

  void give_back(Worker& worker) {
    store::GiveBack back{.unspent = worker.unspent - spent_part_of(worker.unspent)};
    if (chance(3)) back.cause = "an error";
    const bool parks = chance(2);
    const Status given = parks ? await(store_.park(*worker.held, figures(worker), back, std::nullopt, at(now_s_)))
                               : await(store_.requeue(*worker.held, figures(worker), back, at(now_s_)));
    if (!owns(worker)) return expect_fenced(given, worker);
    ASSERT_TRUE(given) << error_text(given);
    note(worker);
    Part& part = parts_.at(worker.held->part.value);
    if (!back.cause.empty()) ++part.fruitless;
    lost_ += part.taken - back.unspent;
    part.taken = Money{};
    part.place = parks ? Place::parked : Place::queued;
    worker = {};
  }

  void unpark_one() {
    const std::vector<QueueItem> parked = items(QueueStatus::parked);
    if (parked.empty()) return;
    ASSERT_TRUE(await(store_.unpark(parked[random_.below(parked.size())])).has_value());
    EXPECT_EQ(items(QueueStatus::parked).size() + 1, parked.size());
    for (auto& [number, part] : parts_) {
      const bool is_parked = std::ranges::any_of(items(QueueStatus::parked),
                                                 [&](const QueueItem& item) { return item.part.value == number; });
      if (part.place == Place::parked && !is_parked) part.place = Place::queued;
    }
  }

  void cancel() {
    const bool is_begun = std::ranges::any_of(parts_, [](const auto& part) { return part.second.attempt > 0; });
    if (!is_begun) return;  // a job that nobody has begun is over at once: parts_contract.h
    const auto stopped = await(store_.request_stop(JobId{name_}, "cancelled", job::JobStatus::cancelled, at(now_s_)));
    ASSERT_TRUE(stopped) << error_text(stopped);
    stop_reason_ = "cancelled";
    for (auto& [number, part] : parts_) {
      if (part.place == Place::parked) part.place = Place::queued;
    }
  }

  void end_part(Worker& worker) {
    if (worker.records < kRecordsOfPart && stop_reason_.empty()) return;
    QueueItem exporting = new_item(name_, 0, store::kExportPart.value);
    exporting.kind = WorkKind::export_;
    const Money unspent = worker.unspent - spent_part_of(worker.unspent);
    const Result<bool> ended =
        await(store_.end_part(*worker.held, figures(worker), unspent, "", exporting, at(now_s_)));
    if (!owns(worker)) return expect_fenced(ended, worker);
    ASSERT_TRUE(ended) << error_text(ended);
    note(worker);
    Part& part = parts_.at(worker.held->part.value);
    lost_ += part.taken - unspent;
    part.taken = Money{};
    part.place = Place::ended;
    EXPECT_EQ(*ended, all_ended());
    worker = {};
  }

  template <class Answer>
  void expect_fenced(const Answer& answer, Worker& worker) {
    ASSERT_FALSE(answer) << "attempt " << worker.held->attempt.value << " owns part " << worker.held->part.value
                         << " no longer";
    EXPECT_EQ(answer.error().kind, ErrorKind::fenced) << answer.error().text();
    worker = {};
  }

  bool all_ended() const {
    return std::ranges::all_of(parts_, [](const auto& part) { return part.second.place == Place::ended; });
  }
  Money unallocated() const {
    Money out = budget_ - lost_;
    for (const auto& [number, part] : parts_) out -= part.taken;
    return out;
  }

  // The store says what the model says.
  void check() {
    const Result<JobItem> job = await(store_.get_job(JobId{name_}));
    ASSERT_TRUE(job) << error_text(job);
    EXPECT_EQ(job->unallocated, unallocated());
    EXPECT_GE(job->unallocated, Money{});
    EXPECT_EQ(job->stop_reason, stop_reason_);
    EXPECT_FALSE(job::is_terminal(job->status));
    std::int64_t ended = 0, records = 0;
    std::map<std::int64_t, Place> places;
    for (const auto& [status, place] : {std::pair{QueueStatus::queued, Place::queued},
                                        {QueueStatus::running, Place::running},
                                        {QueueStatus::parked, Place::parked}}) {
      for (const QueueItem& item : items(status)) {
        EXPECT_TRUE(places.emplace(item.part.value, place).second) << "two items of part " << item.part.value;
      }
    }
    for (const auto& [number, part] : parts_) {
      ended += part.place == Place::ended;
      records += part.records;
      const auto found = places.find(number);
      if (part.place == Place::ended) {
        EXPECT_EQ(found, places.end()) << number;
      } else {
        ASSERT_NE(found, places.end()) << "part " << number << " is in no queue";
        EXPECT_EQ(found->second, part.place) << number;
      }
      EXPECT_EQ(job->parts.at(number).attempt.value, part.attempt) << number;
      EXPECT_EQ(job->parts.at(number).records, part.records) << number;
      EXPECT_EQ(job->parts.at(number).fruitless, part.fruitless) << number;
    }
    EXPECT_EQ(job->parts_ended, ended);
    EXPECT_EQ(job->records_generated, records);
    EXPECT_EQ(places.contains(store::kExportPart.value), all_ended());
  }

  // Whatever has happened, a worker that goes on alone ends the job.
  void bring_to_its_end() {
    Worker last;
    for (int i = 0; i < 200 && !all_ended() && !::testing::Test::HasFailure(); ++i) {
      now_s_ += 2 * kLease_s;
      if (!items(QueueStatus::parked).empty()) unpark_one();
      if (!last.held) claim(last);
      if (!last.held) continue;
      last.records = kRecordsOfPart;
      end_part(last);
    }
    if (::testing::Test::HasFailure()) return;
    check();
    const std::vector<QueueItem> waiting = items(QueueStatus::queued);
    ASSERT_EQ(waiting.size(), 1u);
    const Result<QueueItem> exporting = await(store_.claim(waiting[0], by("last", now_s_)));
    ASSERT_TRUE(exporting) << error_text(exporting);
    JobItem end = await(store_.get_job(JobId{name_})).value();
    end.status = stop_reason_.empty() ? job::JobStatus::completed : job::JobStatus::cancelled;
    ASSERT_TRUE(await(store_.finish(*exporting, end, Money{})).has_value());
    EXPECT_TRUE(job::is_terminal(await(store_.get_job(JobId{name_}))->status));
    EXPECT_TRUE(await(store_.queue_items_of(JobId{name_}))->empty());
  }

  JobStore& store_;
  CounterRandom random_;
  std::string name_;
  std::int64_t now_s_ = 0;
  std::map<std::int64_t, Part> parts_;
  std::vector<Worker> workers_;
  std::string stop_reason_;
  Money budget_, lost_;  // lost: spent, or with an attempt that is over
};

// Jobs one after the other in one store: `seeds` of them, or PALETTE_QUEUE_SEEDS where that is set.
inline void run_queue_models(JobStore& store, std::uint64_t first_seed, std::uint64_t seeds, int steps) {
  if (const char* wanted = std::getenv("PALETTE_QUEUE_SEEDS")) seeds = std::strtoull(wanted, nullptr, 10);
  for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    QueueModel(store, seed).run(steps);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace palette::contract
