"""AUC with scikit-learn, and AUC within users with pandas.

Settings: `folder` with scores.npy, labels.npy and users.npy; `few`: users that the loop over groups is measured on.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from service import serve, settings

SETTINGS = settings()
FOLDER = Path(SETTINGS["folder"])
scores, labels, users = (np.load(FOLDER / f"{name}.npy") for name in ["scores", "labels", "users"])
table = pd.DataFrame({"user": users, "score": scores, "label": labels})
few = table[table["user"] < SETTINGS["few"]]


def auc_of_group(group):
    clicks = group["label"].sum()
    if clicks == 0 or clicks == len(group):
        return np.nan
    return roc_auc_score(group["label"], group["score"])


def loop():
    """One call of scikit-learn for each user."""
    groups = few.groupby("user")
    values, weights = groups[["label", "score"]].apply(auc_of_group), groups.size()
    return np.average(values.dropna(), weights=weights[values.notna()]), few["user"].nunique()


def ranks():
    """Mean ranks within users, all at once: the sum of the clicks' ranks is the AUC."""
    rank = table.groupby("user")["score"].rank()
    sums = pd.DataFrame({"user": users, "sum": rank * labels, "clicks": labels, "rows": 1.0}).groupby("user").sum()
    others = sums["rows"] - sums["clicks"]
    sums = sums[(sums["clicks"] > 0) & (others > 0)]
    others = sums["rows"] - sums["clicks"]
    values = (sums["sum"] - sums["clicks"] * (sums["clicks"] + 1) / 2) / (sums["clicks"] * others)
    return np.average(values, weights=sums["rows"]), table["user"].nunique()


def answer(request):
    start = time.perf_counter()
    if request["do"] == "auc":
        value, count = roc_auc_score(labels, scores), len(labels)
    else:
        value, count = {"loop": loop, "ranks": ranks}[request["do"]]()
    return {"rate": count / (time.perf_counter() - start), "value": value}


serve(answer)
