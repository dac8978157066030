// Runs a CUDA kernel on the processor: each thread of a block is a fiber that runs to the next barrier. The order of the
// fibers is chosen from outside: a missing barrier shows as a result that depends on it. Shared memory is full of NaN
// before each block: what is read before it is written shows as well.

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <ucontext.h>

#define __global__
#define __device__
#define __shared__
#define __forceinline__ inline
#define __launch_bounds__(threads)

struct alignas(16) float4 {
    float x, y, z, w;
};

struct Index {
    unsigned x;
};

static Index threadIdx, blockIdx, blockDim, gridDim;
extern float4 shared_memory[];
float4 shared_memory[1 << 15];

namespace emulation {

struct Fiber {
    ucontext_t context;
    std::vector<char> stack;
    bool waiting = false;
    bool done = false;
};

static ucontext_t scheduler;
static std::vector<Fiber> fibers;
static unsigned current;
static bool any_of_the_next, any_of_the_last;
static void (*body)();

static void enter() {
    body();
    fibers[current].done = true;
    swapcontext(&fibers[current].context, &scheduler);
}

static bool barrier(bool value) {
    any_of_the_next |= value;
    fibers[current].waiting = true;
    swapcontext(&fibers[current].context, &scheduler);
    return any_of_the_last;
}

// False when a thread has left the kernel while others wait for it.
static bool run_block(unsigned threads, bool backwards) {
    fibers.resize(threads);
    for (Fiber& fiber : fibers) {
        fiber.stack.resize(1 << 16);
        fiber.waiting = fiber.done = false;
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data();
        fiber.context.uc_stack.ss_size = fiber.stack.size();
        fiber.context.uc_link = nullptr;
        makecontext(&fiber.context, enter, 0);
    }
    for (;;) {
        any_of_the_next = false;
        unsigned waiting = 0;
        for (unsigned index = 0; index < threads; ++index) {
            current = backwards ? threads - 1 - index : index;
            threadIdx.x = current;
            fibers[current].waiting = false;
            swapcontext(&scheduler, &fibers[current].context);
            waiting += fibers[current].waiting;
        }
        if (waiting == 0) {
            return true;
        }
        if (waiting != threads) {
            return false;
        }
        any_of_the_last = any_of_the_next;
    }
}

// False, too, when shared memory is overrun.
static bool run(void (*kernel)(), unsigned blocks, unsigned threads, size_t memory, bool backwards) {
    if (memory > sizeof(shared_memory)) {
        return false;
    }
    body = kernel;
    gridDim.x = blocks;
    blockDim.x = threads;
    for (unsigned block = 0; block < blocks; ++block) {
        blockIdx.x = block;
        float* numbers = reinterpret_cast<float*>(shared_memory);
        for (size_t index = 0; index < sizeof(shared_memory) / sizeof(float); ++index) {
            // What lies behind the memory that was asked for is as foreign.
            numbers[index] = std::numeric_limits<float>::quiet_NaN();
        }
        if (!run_block(threads, backwards)) {
            return false;
        }
        for (size_t index = memory / sizeof(float); index < sizeof(shared_memory) / sizeof(float); ++index) {
            if (!std::isnan(numbers[index])) {
                return false;
            }
        }
    }
    return true;
}

} // namespace emulation

static bool __syncthreads_or(bool value) {
    return emulation::barrier(value);
}
