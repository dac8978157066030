// Gated recurrences over histories of different lengths, forward and backward, in float32.
//
// Compiled when the program runs, for one cell and one width at a time. Set from outside:
//   CELL     GRU, AGRU, AUGRU or AUGRU_OFFICIAL
//   HIDDEN   H, the width of the state
//   SAMPLES  histories that a thread walks through side by side: each weight that it reads serves all of them
//   SHARED   1: a block keeps the weights in shared memory; 0: it reads them through the cache
//   THREADS  the most threads of a block
//
// B samples, N events, G gates of the cell, the candidate state among them. All matrices are row-major. The events of
// sample b are the rows offsets[b]..offsets[b + 1].
//
// A block is a row of groups of H threads, one thread for each unit of the state. A group has SAMPLES places. A place
// takes every (places of all blocks)-th sample, one after the other, so that it is never idle while there are samples
// left for it, and no sample waits for a longer one beside it. What is computed for a sample does not depend on its
// place.

#define GRU 0
#define AGRU 1
#define AUGRU 2
#define AUGRU_OFFICIAL 3

#if CELL == AGRU
#define GATES 2
#define RESET 0
#elif CELL == GRU
#define GATES 3
#define RESET 0
#define UPDATE 1
#else
#define GATES 3
#define RESET 1
#define UPDATE 0
#endif
#define CANDIDATE (GATES - 1)
#define ROWS (GATES * HIDDEN)

// Rows of four floats at a time, so that a vector is read at once.
#define PADDED(width) (((width) + 3) / 4 * 4)

extern __shared__ float4 shared_memory[];

struct ForwardArguments {
    const long long* offsets;  // [B + 1]
    const float* projected;    // [N, G·H]: W x + b
    const float* weight;       // [H, G·H]: U, transposed
    const float* bias;         // [G·H]: c, or none
    const float* scores;       // [N], for the cells that take them
    const float* initial;      // [B, H], or none
    float* states;             // [N, H], written
    float* saved;              // [N, (G + 1)·H], written, or none: the gates, then U_n h + c_n
    long long samples;         // B
};

struct BackwardArguments {
    const long long* offsets;  // [B + 1]
    const float* weight;       // [G·H, H]: U
    const float* scores;       // [N], for the cells that take them
    const float* initial;      // [B, H], or none
    const float* states;       // [N, H]
    const float* saved;        // [N, (G + 1)·H]
    const float* gradient;     // [N, H]: of the states
    float* projected_gradient; // [N, G·H], written: of W x + b
    float* state_gradient;     // [N, G·H], written: of U h + c
    float* previous;           // [N, H], written: the state before each event
    float* score_terms;        // [N, H], written, or none: their sum over a row is the gradient of the score
    float* initial_gradient;   // [B, H], written for the samples that have events, or none
    long long samples;         // B
};

// Where a place is: events `event`..`end` of `sample` are left. It has nothing to do when there are none.
struct Place {
    long long sample;
    long long event;
    long long end;
};

__device__ __forceinline__ bool works(const Place& place) {
    return place.event < place.end;
}

// Goes on to the first sample from this one on that has events.
__device__ __forceinline__ void take_sample(Place& place, const long long* offsets, long long samples,
                                            long long stride) {
    place.event = 0;
    place.end = 0;
    for (; place.sample < samples; place.sample += stride) {
        place.event = offsets[place.sample];
        place.end = offsets[place.sample + 1];
        if (works(place)) {
            return;
        }
    }
}

__device__ __forceinline__ float sigmoid(float x) {
    return 1.0f / (1.0f + expf(-x));
}

// Puts the weights where the block reads them, and moves `free` behind them. No barrier.
__device__ __forceinline__ const float* place_weights(const float* weight, float*& free) {
#if SHARED
    float* own = free;
    for (int index = threadIdx.x; index < ROWS * HIDDEN; index += blockDim.x) {
        own[index] = weight[index];
    }
    free += PADDED(ROWS * HIDDEN);
    return own;
#else
    return weight;
#endif
}

extern "C" __global__ void __launch_bounds__(THREADS) recurrence_forward(ForwardArguments arguments) {
    const int unit = threadIdx.x % HIDDEN;
    const int group = threadIdx.x / HIDDEN;
    const int places = blockDim.x / HIDDEN * SAMPLES;
    const long long stride = (long long)gridDim.x * places;
    float* free = reinterpret_cast<float*>(shared_memory);
    const float* weight = place_weights(arguments.weight, free) + unit;
    // The states before and after an event, [2, places, H]: a barrier less than with one of them.
    float* own = free + group * SAMPLES * PADDED(HIDDEN);
    const int other = places * PADDED(HIDDEN);
    int before = 0;

    float bias[GATES];
#pragma unroll
    for (int gate = 0; gate < GATES; ++gate) {
        bias[gate] = arguments.bias ? arguments.bias[gate * HIDDEN + unit] : 0.0f;
    }
    Place place[SAMPLES];
    bool working = false;
#pragma unroll
    for (int i = 0; i < SAMPLES; ++i) {
        place[i].sample = (long long)blockIdx.x * places + group * SAMPLES + i;
        take_sample(place[i], arguments.offsets, arguments.samples, stride);
        const bool given = works(place[i]) && arguments.initial;
        own[i * PADDED(HIDDEN) + unit] = given ? arguments.initial[place[i].sample * HIDDEN + unit] : 0.0f;
        working |= works(place[i]);
    }

    while (__syncthreads_or(working)) {
        const float* const from = own + before * other;
        float* const to = own + (1 - before) * other;
        before = 1 - before;
        if (!working) {
            continue;
        }
        // Asked for first: the products hide the way from memory.
        float inputs[SAMPLES][GATES];
        float score[SAMPLES];
        float sums[SAMPLES][GATES];
#pragma unroll
        for (int i = 0; i < SAMPLES; ++i) {
            const bool here = works(place[i]);
            score[i] = CELL != GRU && here ? arguments.scores[place[i].event] : 0.0f;
#pragma unroll
            for (int gate = 0; gate < GATES; ++gate) {
                inputs[i][gate] = here ? arguments.projected[place[i].event * ROWS + gate * HIDDEN + unit] : 0.0f;
                sums[i][gate] = bias[gate];
            }
        }
#pragma unroll 2
        for (int k = 0; k < HIDDEN / 4 * 4; k += 4) {
            float state[SAMPLES][4];
#pragma unroll
            for (int i = 0; i < SAMPLES; ++i) {
                const float4 four = *reinterpret_cast<const float4*>(from + i * PADDED(HIDDEN) + k);
                state[i][0] = four.x;
                state[i][1] = four.y;
                state[i][2] = four.z;
                state[i][3] = four.w;
            }
#pragma unroll
            for (int part = 0; part < 4; ++part) {
#pragma unroll
                for (int gate = 0; gate < GATES; ++gate) {
                    const float factor = weight[(k + part) * ROWS + gate * HIDDEN];
#pragma unroll
                    for (int i = 0; i < SAMPLES; ++i) {
                        sums[i][gate] += factor * state[i][part];
                    }
                }
            }
        }
#pragma unroll
        for (int k = HIDDEN / 4 * 4; k < HIDDEN; ++k) {
#pragma unroll
            for (int gate = 0; gate < GATES; ++gate) {
                const float factor = weight[k * ROWS + gate * HIDDEN];
#pragma unroll
                for (int i = 0; i < SAMPLES; ++i) {
                    sums[i][gate] += factor * from[i * PADDED(HIDDEN) + k];
                }
            }
        }

        working = false;
#pragma unroll
        for (int i = 0; i < SAMPLES; ++i) {
            if (!works(place[i])) {
                continue;
            }
            const float old = from[i * PADDED(HIDDEN) + unit];
            const float reset = sigmoid(inputs[i][RESET] + sums[i][RESET]);
            const float candidate = tanhf(inputs[i][CANDIDATE] + reset * sums[i][CANDIDATE]);
#if CELL == AGRU
            float state = (1.0f - score[i]) * old + score[i] * candidate;
#else
            const float update = sigmoid(inputs[i][UPDATE] + sums[i][UPDATE]);
#if CELL == GRU
            float state = (1.0f - update) * candidate + update * old;
#elif CELL == AUGRU
            const float share = score[i] * update;
            float state = (1.0f - share) * old + share * candidate;
#else
            const float share = (1.0f - score[i]) * update;
            float state = share * old + (1.0f - share) * candidate;
#endif
#endif
            arguments.states[place[i].event * HIDDEN + unit] = state;
            if (arguments.saved) {
                float* const saved = arguments.saved + place[i].event * (ROWS + HIDDEN) + unit;
                saved[RESET * HIDDEN] = reset;
#if CELL != AGRU
                saved[UPDATE * HIDDEN] = update;
#endif
                saved[CANDIDATE * HIDDEN] = candidate;
                saved[ROWS] = sums[i][CANDIDATE];
            }
            if (++place[i].event == place[i].end) {
                place[i].sample += stride;
                take_sample(place[i], arguments.offsets, arguments.samples, stride);
                const bool given = works(place[i]) && arguments.initial;
                state = given ? arguments.initial[place[i].sample * HIDDEN + unit] : 0.0f;
            }
            to[i * PADDED(HIDDEN) + unit] = state;
            working |= works(place[i]);
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) recurrence_backward(BackwardArguments arguments) {
    const int unit = threadIdx.x % HIDDEN;
    const int group = threadIdx.x / HIDDEN;
    const int places = blockDim.x / HIDDEN * SAMPLES;
    const long long stride = (long long)gridDim.x * places;
    float* free = reinterpret_cast<float*>(shared_memory);
    const float* weight = place_weights(arguments.weight, free) + unit;
    // The gradients of U h + c at an event, [2, places, G·H]: at every other event the other one.
    float* own = free + group * SAMPLES * PADDED(ROWS);
    const int other = places * PADDED(ROWS);
    int now = 0;

    Place place[SAMPLES];
    // The gradient of the state after the event, as far as it comes from later events.
    float carried[SAMPLES];
    bool working = false;
#pragma unroll
    for (int i = 0; i < SAMPLES; ++i) {
        place[i].sample = (long long)blockIdx.x * places + group * SAMPLES + i;
        take_sample(place[i], arguments.offsets, arguments.samples, stride);
        carried[i] = 0.0f;
        working |= works(place[i]);
#pragma unroll
        for (int gate = 0; gate < GATES; ++gate) {
            // A place that never gets a sample is multiplied all the same.
            own[i * PADDED(ROWS) + gate * HIDDEN + unit] = 0.0f;
            own[other + i * PADDED(ROWS) + gate * HIDDEN + unit] = 0.0f;
        }
    }

    for (;;) {
        float* const gates = own + now * other;
        now = 1 - now;
#pragma unroll
        for (int i = 0; i < SAMPLES; ++i) {
            if (!works(place[i])) {
                continue;
            }
            const long long event = place[i].end - 1;
            const float* const saved = arguments.saved + event * (ROWS + HIDDEN) + unit;
            const float reset = saved[RESET * HIDDEN];
            const float candidate = saved[CANDIDATE * HIDDEN];
            const float product = saved[ROWS];
            float old = 0.0f;
            if (event > place[i].event) {
                old = arguments.states[(event - 1) * HIDDEN + unit];
            } else if (arguments.initial) {
                old = arguments.initial[place[i].sample * HIDDEN + unit];
            }
            const float gradient = arguments.gradient[event * HIDDEN + unit] + carried[i];

            float of_candidate;
            float score_term = 0.0f;
#if CELL == AGRU
            const float score = arguments.scores[event];
            score_term = gradient * (candidate - old);
            of_candidate = gradient * score;
            carried[i] = gradient * (1.0f - score);
#else
            const float update = saved[UPDATE * HIDDEN];
            float of_update;
#if CELL == GRU
            of_update = gradient * (old - candidate);
            of_candidate = gradient * (1.0f - update);
            carried[i] = gradient * update;
#elif CELL == AUGRU
            const float score = arguments.scores[event];
            const float share = score * update;
            const float of_share = gradient * (candidate - old);
            of_update = of_share * score;
            score_term = of_share * update;
            of_candidate = gradient * share;
            carried[i] = gradient * (1.0f - share);
#else
            const float score = arguments.scores[event];
            const float share = (1.0f - score) * update;
            const float of_share = gradient * (old - candidate);
            of_update = of_share * (1.0f - score);
            score_term = -of_share * update;
            of_candidate = gradient * (1.0f - share);
            carried[i] = gradient * share;
#endif
#endif
            float inputs[GATES];
            inputs[CANDIDATE] = of_candidate * (1.0f - candidate * candidate);
            inputs[RESET] = inputs[CANDIDATE] * product * reset * (1.0f - reset);
#if CELL != AGRU
            inputs[UPDATE] = of_update * update * (1.0f - update);
#endif
#pragma unroll
            for (int gate = 0; gate < GATES; ++gate) {
                const float of_state = gate == CANDIDATE ? inputs[gate] * reset : inputs[gate];
                const long long row = event * ROWS + gate * HIDDEN + unit;
                arguments.projected_gradient[row] = inputs[gate];
                arguments.state_gradient[row] = of_state;
                gates[i * PADDED(ROWS) + gate * HIDDEN + unit] = of_state;
            }
            arguments.previous[event * HIDDEN + unit] = old;
            if (arguments.score_terms) {
                arguments.score_terms[event * HIDDEN + unit] = score_term;
            }
        }
        if (!__syncthreads_or(working)) {
            return;
        }
        if (!working) {
            continue;
        }
        float sums[SAMPLES];
#pragma unroll
        for (int i = 0; i < SAMPLES; ++i) {
            sums[i] = 0.0f;
        }
#pragma unroll 4
        for (int k = 0; k < ROWS / 4 * 4; k += 4) {
            float factors[4];
#pragma unroll
            for (int part = 0; part < 4; ++part) {
                factors[part] = weight[(k + part) * HIDDEN];
            }
#pragma unroll
            for (int i = 0; i < SAMPLES; ++i) {
                const float4 four = *reinterpret_cast<const float4*>(gates + i * PADDED(ROWS) + k);
                sums[i] += factors[0] * four.x;
                sums[i] += factors[1] * four.y;
                sums[i] += factors[2] * four.z;
                sums[i] += factors[3] * four.w;
            }
        }
#pragma unroll
        for (int k = ROWS / 4 * 4; k < ROWS; ++k) {
            const float factor = weight[k * HIDDEN];
#pragma unroll
            for (int i = 0; i < SAMPLES; ++i) {
                sums[i] += factor * gates[i * PADDED(ROWS) + k];
            }
        }
        working = false;
#pragma unroll
        for (int i = 0; i < SAMPLES; ++i) {
            if (!works(place[i])) {
                continue;
            }
            carried[i] += sums[i];
            if (--place[i].end == place[i].event) {
                if (arguments.initial_gradient) {
                    arguments.initial_gradient[place[i].sample * HIDDEN + unit] = carried[i];
                }
                carried[i] = 0.0f;
                place[i].sample += stride;
                take_sample(place[i], arguments.offsets, arguments.samples, stride);
            }
            working |= works(place[i]);
        }
    }
}
