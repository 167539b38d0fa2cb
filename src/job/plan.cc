#include "job/plan.h"

#include "base/random.h"

namespace palette::job {

std::uint64_t seed_row_of(SeedSampling sampling, std::uint64_t seed, RecordIndex index, std::uint64_t rows) {
  const auto i = static_cast<std::uint64_t>(index.value);
  switch (sampling) {
    case SeedSampling::random:
      return CounterRandom(seed, i, stream_of("seed_row")).below(rows);
    case SeedSampling::shuffle:
      return permuted(i % rows, rows, seed, i / rows);
    case SeedSampling::sequential:
      return i % rows;
  }
  return 0;
}

}  // namespace palette::job
