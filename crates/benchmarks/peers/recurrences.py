"""Forward and backward passes of recurrences over packed events: torch.nn.GRU, and AUGRU as a loop in Python.

Settings: `width`, `lengths`, `threads`. Packing is done before and not measured.
"""

import time

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from dien import Augru
from service import serve, settings

SETTINGS = settings()
torch.set_num_threads(SETTINGS["threads"])
torch.manual_seed(1)
WIDTH = SETTINGS["width"]
LENGTHS = torch.tensor(SETTINGS["lengths"])

padded = torch.randn(len(LENGTHS), int(LENGTHS.max()), WIDTH)
packed = pack_padded_sequence(padded, LENGTHS, batch_first=True, enforce_sorted=False)
events = packed.data.requires_grad_()
scores = torch.rand(len(events), 1, requires_grad=True)
packed = packed._replace(data=events)
counts = packed.batch_sizes.tolist()
gru, augru = nn.GRU(WIDTH, WIDTH), Augru(WIDTH, WIDTH)


def run_gru():
    _, last = gru(packed)
    torch.autograd.grad(last.sum(), [events, *gru.parameters()])


def run_loop():
    torch.autograd.grad(augru(events, counts, scores).sum(), [events, scores, *augru.parameters()])


def answer(request):
    run = {"gru": run_gru, "augru": run_loop}[request["do"]]
    run()
    passes, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < request["seconds"]:
        run()
        passes += 1
    return {"rate": passes / elapsed}


serve(answer)
