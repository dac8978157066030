// A copy to a device that the host does not wait for (src/upload.rs is the other half). By tch, pinning memory gives a
// warning of libtorch on the console.
#include <ATen/core/Tensor.h>

#include "report.h"

extern "C" {

// The numbers of a tensor on the CPU in a new tensor on a device (a `c10::DeviceType` and its number), which is the
// caller's. Null after `report` got the reason.
at::Tensor* fain_upload(const at::Tensor* tensor, int type, int number, void* sink, Report report) noexcept {
  at::Tensor* copy = nullptr;
  attempt(sink, report, [&] {
    const at::Device device(static_cast<at::DeviceType>(type), static_cast<at::DeviceIndex>(number));
    // The copy keeps the block from its allocator's next use until it is done.
    copy = new at::Tensor(tensor->pin_memory().to(device, tensor->scalar_type(), /*non_blocking=*/true));
  });
  return copy;
}

}  // extern "C"
