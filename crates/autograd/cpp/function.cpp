// A node of libtorch's graph whose backward pass is written in Rust (src/record.rs is the other half).
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/basic_ops.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <ATen/core/grad_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "report.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

namespace {

// What a backward pass answers: its gradients, or why it failed. Rust fills it with the functions below.
struct Answer {
  variable_list gradients;
  std::string error;
};

}  // namespace

extern "C" {

// Must match `Record` in src/record.rs. All pointers are lent for the call, except for `state`.
struct FainRecord {
  // Given over to the node, in every case.
  void* state;
  // Runs the backward pass. A null pointer in `gradients` stands for "nothing flowed back". Returns 0, or not 0 after
  // `fain_answer_fail`.
  int (*backward)(const void* state, const at::Tensor* const* saved, size_t saved_count,
                  const at::Tensor* const* gradients, size_t gradient_count, Answer* answer);
  void (*drop)(void* state);
  const char* name;
  size_t name_length;
  const at::Tensor* const* inputs;
  size_t input_count;
  // Changed: after the call they are part of the graph.
  at::Tensor* const* outputs;
  size_t output_count;
  const at::Tensor* const* saved;
  size_t saved_count;
  const at::Tensor* const* non_differentiable;
  size_t non_differentiable_count;
};

}  // extern "C"

namespace {

using Backward = decltype(FainRecord::backward);

// Makes a gradient of a gradient an error. The gradients were computed without being recorded: without this, a second
// differentiation would take them for constants and be wrong in silence. `origins` leads to all that the gradients
// depend on, so that each way back meets the refusal.
void refuse_second_derivative(variable_list& gradients, torch::autograd::edge_list&& origins,
                              const std::string& name) {
  std::shared_ptr<torch::autograd::Error> refusal(
      new torch::autograd::Error(name + " cannot be differentiated twice: its backward pass is not differentiable",
                                 std::move(origins)),
      torch::autograd::deleteNode);
  for (auto& gradient : gradients) {
    // A new handle: what the function returned may be in use elsewhere.
    if (gradient.defined()) gradient = gradient.detach();
    torch::autograd::set_history(gradient, refusal);
  }
}

class FunctionNode final : public torch::autograd::Node {
 public:
  FunctionNode(std::shared_ptr<void> state, Backward backward, std::string name)
      : state_(std::move(state)), backward_(backward), name_(std::move(name)) {}

  void save(const FainRecord& record) {
    saved_.reserve(record.saved_count);
    for (size_t i = 0; i < record.saved_count; i++) {
      const at::Tensor& tensor = *record.saved[i];
      // A node must not own its own outputs, or neither would ever be freed.
      const bool is_output = tensor.defined() && tensor.grad_fn().get() == this;
      saved_.emplace_back(tensor, is_output);
    }
  }

  std::string name() const override { return name_; }

  variable_list apply(variable_list&& gradients) override {
    std::shared_ptr<void> state;
    variable_list saved;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      TORCH_CHECK(state_, torch::autograd::ERR_BACKWARD_TWICE);
      state = state_;
      saved.reserve(saved_.size());
      for (const auto& variable : saved_) saved.push_back(variable.unpack(getptr()));
    }
    std::vector<const at::Tensor*> lent_saved, lent_gradients;
    for (const auto& tensor : saved) lent_saved.push_back(&tensor);
    for (const auto& tensor : gradients) lent_gradients.push_back(tensor.defined() ? &tensor : nullptr);

    Answer answer;
    {
      at::AutoGradMode not_recorded(false);
      c10::impl::ExcludeDispatchKeyGuard as_written(c10::autocast_dispatch_keyset);
      const int failed = backward_(state.get(), lent_saved.data(), lent_saved.size(), lent_gradients.data(),
                                   lent_gradients.size(), &answer);
      if (failed) throw std::runtime_error(answer.error);
    }
    if (at::GradMode::is_enabled()) {
      auto origins = torch::autograd::collect_next_edges(gradients);
      origins.insert(origins.end(), next_edges().begin(), next_edges().end());
      refuse_second_derivative(answer.gradients, std::move(origins), name_);
    }
    return std::move(answer.gradients);
  }

  // Called when backward has run and the graph is not kept.
  void release_variables() override {
    std::vector<SavedVariable> saved;
    std::shared_ptr<void> state;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      saved.swap(saved_);
      state.swap(state_);
    }
    // Both are freed here, after the lock is.
  }

 private:
  std::shared_ptr<void> state_;
  Backward backward_;
  std::string name_;
  std::vector<SavedVariable> saved_;
};

void record_function(const FainRecord& record) {
  std::shared_ptr<void> state(record.state, record.drop);
  std::shared_ptr<FunctionNode> node(
      new FunctionNode(std::move(state), record.backward, std::string(record.name, record.name_length)),
      torch::autograd::deleteNode);

  variable_list inputs;
  for (size_t i = 0; i < record.input_count; i++) inputs.push_back(*record.inputs[i]);
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));

  std::vector<std::optional<at::Tensor>> outputs;
  for (size_t i = 0; i < record.output_count; i++) outputs.emplace_back(*record.outputs[i]);
  std::unordered_set<c10::TensorImpl*> non_differentiable;
  for (size_t i = 0; i < record.non_differentiable_count; i++) {
    non_differentiable.insert(record.non_differentiable[i]->unsafeGetTensorImpl());
  }
  const auto no_forward_mode = [](const variable_list&, const variable_list&) -> variable_list {
    throw std::runtime_error("functions written in Rust have no forward-mode derivative");
  };
  const auto view_as_self = [](const at::Tensor& tensor) { return tensor.view_as(tensor); };

  auto wrapped = torch::autograd::_wrap_outputs(inputs, non_differentiable, /*dirty_inputs=*/{}, outputs, node,
                                                no_forward_mode, /*to_save_if_setup_context=*/{}, view_as_self,
                                                /*pure_view=*/false);
  for (size_t i = 0; i < record.output_count; i++) *record.outputs[i] = std::move(*wrapped[i]);
  // After wrapping, when it is known which of the saved tensors are outputs.
  node->save(record);
}

}  // namespace

extern "C" {

bool fain_gradients_are_recorded() noexcept { return at::GradMode::is_enabled(); }

// Puts a function into the graph. Returns 0, or not 0 after `report` got the reason.
int fain_record_function(const FainRecord* record, void* sink, Report report) noexcept {
  return attempt(sink, report, [&] { record_function(*record); }) ? 0 : 1;
}

// Adds the gradient of the next input; null stands for none.
void fain_answer_gradient(Answer* answer, const at::Tensor* gradient) noexcept {
  answer->gradients.push_back(gradient ? *gradient : at::Tensor());
}

void fain_answer_fail(Answer* answer, const char* text, size_t length) noexcept {
  answer->error.assign(text, length);
}

}  // extern "C"
