"""The rows that fain encoded, as tensors that are ready to be cut into batches.

Ids are raised by 1 where a feature shares the table of the history, so that 0 is free for padding.
"""

import json
from pathlib import Path

import numpy as np
import torch

LONGEST = 50


class Rows:
    """`categories`: name to ids `[R]`; `lists`: name to padded ids `[R, 50]`; `labels` `[R]`; `lengths` `[R]`."""

    def __init__(self, folder, part, features, device):
        folder = Path(folder)
        load = lambda name: np.load(folder / f"{part}.{name}.npy")
        self.labels = torch.from_numpy(load("label")).to(device)
        self.categories, self.lists = {}, {}
        for name, feature in features.items():
            ids = load(name).astype(np.int64)
            if feature["kind"] == "category":
                self.categories[name] = torch.from_numpy(ids + (name == "item")).to(device)
            else:
                lengths = np.diff(load(f"{name}.offsets").astype(np.int64))
                padded = np.zeros((len(lengths), LONGEST), np.int64)
                padded[np.arange(LONGEST) < lengths[:, None]] = ids + 1
                self.lists[name] = torch.from_numpy(padded).to(device)
                if name == "history":
                    self.lengths = torch.from_numpy(lengths).to(device)

    def __len__(self):
        return len(self.labels)

    def batch(self, places):
        """The rows at these places, or of this slice, as one dictionary."""
        batch = {name: ids[places] for name, ids in self.categories.items()}
        batch.update({name: ids[places] for name, ids in self.lists.items()})
        batch["lengths"] = self.lengths[places]
        return batch, self.labels[places]


def load(folder, device=torch.device("cpu")):
    """The three parts, and how many rows the table of each category has, the row of padding included."""
    features = json.loads((Path(folder) / "features.json").read_text())
    parts = {part: Rows(folder, part, features, device) for part in ["train", "validation", "test"]}
    sizes = {name: f["rows"] + (name == "item") for name, f in features.items() if f["kind"] == "category"}
    return parts, sizes
