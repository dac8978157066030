"""Forward and backward passes of recurrences over packed events: torch.nn.GRU, and AUGRU as a loop in Python.

Settings: `run` (gru or augru), `width`, `lengths`, `threads`, `device`, `precision` (float32, or bfloat16 for
torch.autocast), `compiled` (whether the loop goes through torch.compile). Packing is done before and not measured.
"""

import time

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from dien import Augru
from service import mixed, serve, settings, wait

SETTINGS = settings()
torch.set_num_threads(SETTINGS["threads"])
torch.manual_seed(1)
WIDTH = SETTINGS["width"]
DEVICE = torch.device(SETTINGS["device"])
LENGTHS = torch.tensor(SETTINGS["lengths"])

padded = torch.randn(len(LENGTHS), int(LENGTHS.max()), WIDTH)
packed = pack_padded_sequence(padded, LENGTHS, batch_first=True, enforce_sorted=False)
counts = packed.batch_sizes.tolist()
packed = packed.to(DEVICE)
events = packed.data.detach().requires_grad_()
scores = torch.rand(len(events), 1).to(DEVICE).requires_grad_()
packed = packed._replace(data=events)
gru, augru = nn.GRU(WIDTH, WIDTH).to(DEVICE), Augru(WIDTH, WIDTH).to(DEVICE)
loop = torch.compile(augru) if SETTINGS["compiled"] else augru
# A GPU that is waited for after each pass would wait for its orders.
AT_ONCE = 10 if DEVICE.type == "cuda" else 1


def run_gru():
    with mixed(DEVICE, SETTINGS["precision"]):
        _, last = gru(packed)
    torch.autograd.grad(last.sum(), [events, *gru.parameters()])


def run_loop():
    with mixed(DEVICE, SETTINGS["precision"]):
        last = loop(events, counts, scores)
    torch.autograd.grad(last.sum(), [events, scores, *augru.parameters()])


def answer(request):
    run = {"gru": run_gru, "augru": run_loop}[SETTINGS["run"]]
    run()
    wait(DEVICE)
    passes, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < request["seconds"]:
        for _ in range(AT_ONCE):
            run()
        wait(DEVICE)
        passes += AT_ONCE
    return {"rate": passes / elapsed}


serve(answer)
