// A loop over libtorch's own threads (src/parallel.rs is the other half).
#include <ATen/Parallel.h>

#include <cstdint>
#include <exception>
#include <string>

#if defined(AT_PARALLEL_OPENMP) && AT_PARALLEL_OPENMP && !defined(_OPENMP)
#error "compile this file with OpenMP: without it, at::parallel_for runs on one thread and says nothing"
#endif

extern "C" {

// Calls `body` for parts of 0..count. Returns 0, or not 0 after `report` got the reason.
int fain_parallel_for(int64_t count, int64_t grain, void (*body)(const void* data, int64_t begin, int64_t end),
                      const void* data, void* sink,
                      void (*report)(void* sink, const char* text, size_t length)) noexcept {
  try {
    at::parallel_for(0, count, grain, [&](int64_t begin, int64_t end) { body(data, begin, end); });
    return 0;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    report(sink, text.data(), text.size());
  }
  return 1;
}

}  // extern "C"
