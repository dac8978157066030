"""Trains and scores with PyTorch programs: torch-rechub's DIN and DIEN, and the DIEN of dien.py.

Settings: `model` (din, dien or dien_rechub), `rows` (a folder), `batch`, `threads`, `device`, and for the training
`precision` (float32, or bfloat16 for torch.autocast) and `compiled` (whether it goes through torch.compile). Batches are
cut from tensors that are ready in memory, of the GPU where there is one, the fastest way to feed PyTorch; `score_loader`
uses the loop and the loader of torch-rechub.
"""

import copy
import time

import torch
from sklearn.metrics import log_loss, roc_auc_score
from torch import nn
from torch_rechub.basic.features import SequenceFeature, SparseFeature
from torch_rechub.models.ranking import DIEN, DIN
from torch_rechub.trainers import CTRTrainer
from torch_rechub.utils.data import DataGenerator

from dien import Dien
from rows import load
from service import mixed, serve, settings, wait

SETTINGS = settings()
torch.set_num_threads(SETTINGS["threads"])
DEVICE = torch.device(SETTINGS["device"])
PARTS, SIZES = load(SETTINGS["rows"], DEVICE)
WIDTH = 16
COMPILED = SETTINGS.get("compiled", False)
PRECISION = SETTINGS.get("precision", "float32")
# A program that is compiled is compiled anew for some other lengths.
WARM = 20 if COMPILED else 5


def list_feature(name):
    return SequenceFeature(name, SIZES["item"], WIDTH, pooling="concat", shared_with="item", padding_idx=0)


class SingleLoss(nn.BCELoss):
    def forward(self, probabilities, happened):
        with mixed(DEVICE, "float32"):
            return super().forward(probabilities.float(), happened.float())


def build(seed):
    torch.manual_seed(seed)
    if SETTINGS["model"] == "dien":
        return Dien(SIZES, WIDTH)
    profile = [SparseFeature(name, rows, WIDTH) for name, rows in SIZES.items() if name != "item"]
    target = [SparseFeature("item", SIZES["item"], WIDTH, padding_idx=0)]
    network = {"dims": [256, 128]}
    if SETTINGS["model"] == "din":
        attention = {"dims": [64, 32]}
        return DIN(profile, [list_feature("history")], target, network, attention)
    model = DIEN(profile, [list_feature("history")], [list_feature("negatives")], target, network, alpha=0.2)
    # Autocast refuses a loss of probabilities.
    model.BCELoss = SingleLoss()
    return model


def outputs(model, batch):
    """Click probabilities or logits, and the auxiliary loss."""
    result = model(batch)
    return result if isinstance(result, tuple) else (result, 0.0)


LOSS = nn.BCEWithLogitsLoss() if SETTINGS["model"] == "dien" else nn.BCELoss()


class Training:
    def __init__(self, seed=1):
        self.model = build(seed).to(DEVICE)
        self.forward = torch.compile(self.model) if COMPILED else self.model
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, weight_decay=1e-5)
        self.batches = iter(())

    def epoch(self):
        order, size = torch.randperm(len(PARTS["train"]), device=DEVICE), SETTINGS["batch"]
        starts = range(0, len(order), size)
        # A last batch of one has no batch statistics.
        return (PARTS["train"].batch(order[i : i + size]) for i in starts if len(order) - i > 1)

    def step(self, batch, labels):
        self.model.train()
        with mixed(DEVICE, PRECISION):
            clicks, auxiliary = outputs(self.forward, batch)
        loss = LOSS(clicks.float(), labels) + auxiliary
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def next(self):
        batch = next(self.batches, None)
        if batch is None:
            self.batches = self.epoch()
            batch = next(self.batches)
        return batch

    def rate(self, seconds):
        for _ in range(WARM):
            self.step(*self.next())
        wait(DEVICE)
        rows, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            batch, labels = self.next()
            self.step(batch, labels)
            rows += len(labels)
        wait(DEVICE)
        return rows / (time.perf_counter() - start)


TRAINING = Training()


def scores(model, rows, size=4096):
    model.eval()
    with torch.no_grad():
        parts = [outputs(model, rows.batch(slice(i, i + size))[0])[0] for i in range(0, len(rows), size)]
    scores = torch.cat(parts)
    return (scores.sigmoid() if SETTINGS["model"] == "dien" else scores).double().cpu().numpy()


def quality(epochs, seed):
    """The test AUC of the weights with the least validation loss, as fain chooses them."""
    training, best, kept = Training(seed), None, None
    for _ in range(epochs):
        for batch, labels in training.epoch():
            training.step(batch, labels)
        rows = PARTS["validation"]
        loss = log_loss(rows.labels.cpu().numpy(), scores(training.model, rows))
        if best is not None and loss >= best:
            break
        best, kept = loss, copy.deepcopy(training.model.state_dict())
    training.model.load_state_dict(kept)
    return roc_auc_score(PARTS["test"].labels.cpu().numpy(), scores(training.model, PARTS["test"]))


def score(seconds):
    rows, count, start = PARTS["train"], 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        roc_auc_score(rows.labels.numpy(), scores(TRAINING.model, rows))
        count += len(rows)
    return count / elapsed


def score_loader():
    """torch-rechub's own evaluation over its own loader, on the test rows."""
    rows = PARTS["test"]
    batch, labels = rows.batch(slice(None))
    batch, labels = {name: ids.numpy() for name, ids in batch.items()}, labels.numpy()
    generator = DataGenerator(batch, labels)
    loader, _, _ = generator.generate_dataloader(x_val=batch, y_val=labels, x_test=batch, y_test=labels, batch_size=4096)
    trainer = CTRTrainer(TRAINING.model, device="cpu")
    trainer.loss_mode = SETTINGS["model"] == "din"
    start = time.perf_counter()
    trainer.evaluate(TRAINING.model, loader)
    return len(rows) / (time.perf_counter() - start)


def request_times(candidates, repeats):
    """Milliseconds of one user's candidates, again and again."""
    rows = PARTS["train"]
    user = int(rows.lengths.argmax())
    batch, _ = rows.batch(torch.full((candidates,), user))
    batch["item"] = torch.arange(candidates) % (SIZES["item"] - 1) + 1
    TRAINING.model.eval()
    times = []
    with torch.no_grad():
        for _ in range(repeats):
            start = time.perf_counter()
            outputs(TRAINING.model, batch)
            times.append(1e3 * (time.perf_counter() - start))
    return times


def answer(request):
    match request["do"]:
        case "train":
            return {"rate": TRAINING.rate(request["seconds"])}
        case "quality":
            return {"auc": quality(request["epochs"], request["seed"])}
        case "score":
            return {"rate": score(request["seconds"])}
        case "score_loader":
            return {"rate": score_loader()}
        case "request":
            return {"milliseconds": request_times(request["candidates"], request["repeats"])}


serve(answer)
