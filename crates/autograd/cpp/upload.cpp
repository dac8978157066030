// A copy to a device that the host does not wait for (src/upload.rs is the other half). tch cannot say how memory is pinned without
// a warning of libtorch on the console.
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <exception>
#include <string>

extern "C" {

// The numbers of a tensor on the CPU in a new tensor on a device (a `c10::DeviceType` and its number), which is the
// caller's. Null after `report` got the reason.
at::Tensor* fain_upload(const at::Tensor* tensor, int type, int number, void* sink,
                        void (*report)(void* sink, const char* text, size_t length)) noexcept {
  try {
    const at::Device device(static_cast<at::DeviceType>(type), static_cast<at::DeviceIndex>(number));
    // The copy keeps the block from its allocator's next use until it is done.
    return new at::Tensor(tensor->pin_memory().to(device, tensor->scalar_type(), /*non_blocking=*/true));
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    report(sink, text.data(), text.size());
  } catch (const std::exception& error) {
    const std::string text = error.what();
    report(sink, text.data(), text.size());
  }
  return nullptr;
}

}  // extern "C"
