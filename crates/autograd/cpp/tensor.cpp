// What each borrow of a tensor's numbers asks of it, in one call (src/slices.rs is the other half).
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <exception>

extern "C" {

// The numbers of a dense, contiguous CPU tensor of a kind (a `c10::ScalarType`). False for other tensors.
bool fain_numbers(const at::Tensor* tensor, int kind, void** pointer, size_t* length) noexcept {
  try {
    if (!tensor->defined() || !tensor->is_cpu() || tensor->layout() != at::kStrided ||
        tensor->scalar_type() != static_cast<at::ScalarType>(kind) || !tensor->is_contiguous() || tensor->is_neg() ||
        tensor->_is_zerotensor()) {
      return false;
    }
    *length = static_cast<size_t>(tensor->numel());
    *pointer = *length == 0 ? nullptr : tensor->data_ptr();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// Tells libtorch that the numbers are changed in place. False when it keeps no count of changes for this tensor.
bool fain_changed(const at::Tensor* tensor) noexcept {
  try {
    tensor->unsafeGetTensorImpl()->bump_version();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // extern "C"
