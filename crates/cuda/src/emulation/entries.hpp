// What is called from outside; the kernels are above. 0 is success.

static ForwardArguments forward_arguments;
static BackwardArguments backward_arguments;

extern "C" int emulate_forward(const ForwardArguments* arguments, unsigned blocks, unsigned threads, size_t memory,
                               int backwards) {
    forward_arguments = *arguments;
    return emulation::run([] { recurrence_forward(forward_arguments); }, blocks, threads, memory, backwards != 0) ? 0 : 1;
}

extern "C" int emulate_backward(const BackwardArguments* arguments, unsigned blocks, unsigned threads, size_t memory,
                                int backwards) {
    backward_arguments = *arguments;
    return emulation::run([] { recurrence_backward(backward_arguments); }, blocks, threads, memory, backwards != 0) ? 0 : 1;
}
