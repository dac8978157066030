// libtorch's autocast, for any device (src/autocast.rs is the other half). tch knows that of CUDA alone, in float16.
#include <ATen/autocast_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "report.h"

#include <cstdint>
#include <exception>

extern "C" {

// Must match `State` in src/autocast.rs.
struct FainAutocast {
  // A `c10::ScalarType`.
  int kind;
  bool enabled;
  // Whether a cast of a weight is kept for its next use.
  bool keeps_casts;
};

// Sets autocast for this thread and a kind of device (a `c10::DeviceType`), and says in `before` what it was. Returns 0,
// or not 0 after `report` got the reason.
int fain_exchange_autocast(int device, const FainAutocast* next, FainAutocast* before, void* sink,
                           Report report) noexcept {
  const auto exchange = [&] {
    const auto type = static_cast<at::DeviceType>(device);
    before->kind = static_cast<int>(at::autocast::get_autocast_dtype(type));
    before->enabled = at::autocast::is_autocast_enabled(type);
    before->keeps_casts = at::autocast::is_autocast_cache_enabled();
    at::autocast::set_autocast_dtype(type, static_cast<at::ScalarType>(next->kind));
    at::autocast::set_autocast_enabled(type, next->enabled);
    at::autocast::set_autocast_cache_enabled(next->keeps_casts);
  };
  return attempt(sink, report, exchange) ? 0 : 1;
}

// The `c10::ScalarType` that autocast computes in on this thread; -1 where it is off, or not to be had.
int fain_autocast_kind(int device) noexcept {
  try {
    const auto type = static_cast<at::DeviceType>(device);
    return at::autocast::is_autocast_enabled(type) ? static_cast<int>(at::autocast::get_autocast_dtype(type)) : -1;
  } catch (const std::exception&) {
    return -1;
  }
}

// Switches autocast off for this thread and all devices. Gives what `fain_resume_autocast` wants to know.
uint64_t fain_suspend_autocast() noexcept {
  auto keys = c10::impl::tls_local_dispatch_key_set();
  const auto before = keys.excluded_ & c10::autocast_dispatch_keyset;
  keys.excluded_ = keys.excluded_ | c10::autocast_dispatch_keyset;
  c10::impl::_force_tls_local_dispatch_key_set(keys);
  return before.raw_repr();
}

void fain_resume_autocast(uint64_t before) noexcept {
  auto keys = c10::impl::tls_local_dispatch_key_set();
  const c10::DispatchKeySet kept(c10::DispatchKeySet::RAW, before);
  keys.excluded_ = (keys.excluded_ - c10::autocast_dispatch_keyset) | kept;
  c10::impl::_force_tls_local_dispatch_key_set(keys);
}

}  // extern "C"
