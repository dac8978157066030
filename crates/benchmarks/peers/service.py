"""Answers requests one at a time: a line of JSON in, a line of JSON out.

The program is called with one argument, its settings as JSON. What libraries print goes to stderr.
"""

import json
import sys

answers = sys.stdout
sys.stdout = sys.stderr


def settings():
    return json.loads(sys.argv[1])


def wait(device):
    """Waits until a GPU has done what it was given."""
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize(device)


def mixed(device, precision):
    """Where matrix products are computed in this precision; parameters stay float32."""
    import torch

    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def serve(answer):
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)
