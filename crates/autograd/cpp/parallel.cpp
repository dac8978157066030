// A loop over libtorch's own threads (src/parallel.rs is the other half).
//
// It is `at::parallel_for`, but for one thing: that template is made of OpenMP pragmas, which clang translates for a
// runtime of its own, whose threads would compete with libtorch's, and which a compiler without `-fopenmp` takes for a
// loop on one thread. libtorch's runtime is GNU OpenMP; here it is called by its functions.
#include <ATen/Parallel.h>
#include <c10/util/ParallelGuard.h>

#include "report.h"

#include <algorithm>
#include <cstdint>

#if !AT_PARALLEL_OPENMP
#error "this libtorch has no OpenMP"
#endif

extern "C" {
// Runs `body` on as many threads as libtorch has set for the caller when `threads` is 0, and waits for all.
void GOMP_parallel(void (*body)(void* data), void* data, unsigned threads, unsigned flags);
// The two ends of it, without the caller's own call of `body`.
void GOMP_parallel_start(void (*body)(void* data), void* data, unsigned threads);
void GOMP_parallel_end(void);
int omp_get_max_threads(void);
int omp_get_num_threads(void);
void omp_set_num_threads(int threads);
int omp_get_thread_num(void);
}

namespace {

struct Loop {
  int64_t count;
  int64_t grain;
  // Lets no exception out.
  void (*body)(const void* data, int64_t begin, int64_t end);
  const void* data;

  void run(int64_t thread, int64_t begin, int64_t end) const {
    at::internal::ThreadIdGuard numbered(thread);
    c10::ParallelGuard parallel(true);
    body(data, begin, end);
  }
};

// What each thread does.
void run_part(void* data) {
  const auto& loop = *static_cast<const Loop*>(data);
  const int64_t parts = std::min<int64_t>(omp_get_num_threads(), at::divup(loop.count, loop.grain));
  const int64_t length = at::divup(loop.count, parts);
  const int64_t thread = omp_get_thread_num();
  const int64_t begin = thread * length;
  if (thread < parts && begin < loop.count) loop.run(thread, begin, std::min(loop.count, begin + length));
}

}  // namespace

extern "C" {

// Calls `body` for parts of 0..count. Returns 0, or not 0 after `report` got the reason.
int fain_parallel_for(int64_t count, int64_t grain, void (*body)(const void* data, int64_t begin, int64_t end),
                      const void* data, void* sink, Report report) noexcept {
  if (count == 0) return 0;
  const auto loop_over = [&] {
    at::internal::lazy_init_num_threads();
    Loop loop{count, std::max<int64_t>(grain, 1), body, data};
    if (count <= loop.grain || at::in_parallel_region() || at::get_num_threads() == 1) {
      loop.run(0, 0, count);
    } else {
      GOMP_parallel(run_part, &loop, 0, 0);
    }
  };
  return attempt(sink, report, loop_over) ? 0 : 1;
}

// Calls `body` once on each of libtorch's threads but the caller's, which goes on; until `fain_team_end` it is in a parallel
// region. Returns whether there are other threads and the caller is in no such region already.
bool fain_team_begin(void (*body)(void* data), void* data) noexcept {
  at::internal::lazy_init_num_threads();
  if (at::in_parallel_region() || omp_get_max_threads() == 1) return false;
  GOMP_parallel_start(body, data, 0);
  return true;
}

// Waits until all have returned.
void fain_team_end() noexcept { GOMP_parallel_end(); }

// One thread for the loops that the calling thread begins.
void fain_compute_alone() noexcept {
  // libtorch gives a thread its number at its first loop, and would take this one back.
  at::internal::lazy_init_num_threads();
  omp_set_num_threads(1);
}

}  // extern "C"
