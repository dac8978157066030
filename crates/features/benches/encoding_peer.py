"""Encodes MovieLens samples with pandas and scikit-learn, and with fain, in one run, and compares speed and results.

    cargo xtask bench encoding-parts --data FILE.csv.gz --peer python

or, with the program of `cargo build --release -p fain-features --example encoding_speed`,

    python encoding_peer.py FILE.csv[.gz] target/release/examples/encoding_speed [ROUNDS]

Both learn from all rows and encode all rows: terms are counted, sorted and numbered from 1, rare and missing ones are 0;
lists are split and cut row by row; numbers are imputed by their mean and scaled to their rank.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import QuantileTransformer

CATEGORIES = {"userId": 1, "gender": 1, "occupation": 1, "zipCode": 5}
LISTS = {"genres": 6, "histHighRatedMovieIds": 50, "negHistMovieIds": 50}
MOVIES = ["histHighRatedMovieIds", "negHistMovieIds"]


def ids_of(counts, least):
    return {term: number for number, term in enumerate(sorted(t for t, n in counts.items() if n >= least and t), 1)}


def split(texts, longest):
    return [text.split("|")[-longest:] if text else [] for text in texts]


def fit(table):
    vocabularies = {name: ids_of(table[name].value_counts().to_dict(), least) for name, least in CATEGORIES.items()}
    counts = Counter(table["movieId"])
    for name in MOVIES:
        counts.update(chain.from_iterable(split(table[name], LISTS[name])))
    vocabularies["movieId"] = ids_of(counts, 1)
    genres = Counter(chain.from_iterable(split(table["genres"], LISTS["genres"])))
    vocabularies["genres"] = ids_of(genres, 1)
    for name in MOVIES:
        vocabularies[name] = vocabularies["movieId"]
    ages = pd.to_numeric(table["age"]).to_numpy().reshape(-1, 1)
    imputer = SimpleImputer(strategy="mean").fit(ages)
    scaler = QuantileTransformer(n_quantiles=1000, subsample=None).fit(imputer.transform(ages))
    return vocabularies, imputer, scaler


def encode(table, fitted):
    vocabularies, imputer, scaler = fitted
    encoded = {}
    for name in [*CATEGORIES, "movieId"]:
        encoded[name] = table[name].map(vocabularies[name]).fillna(0).to_numpy(np.uint32)
    for name, longest in LISTS.items():
        get = vocabularies[name].get
        rows = [[get(term, 0) for term in terms] for terms in split(table[name], longest)]
        lengths = np.fromiter(map(len, rows), np.uint32, len(rows))
        encoded[name] = np.fromiter(chain.from_iterable(rows), np.uint32, int(lengths.sum()))
        encoded[name + ".offsets"] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint32)
    ages = pd.to_numeric(table["age"]).to_numpy().reshape(-1, 1)
    encoded["age"] = scaler.transform(imputer.transform(ages)).ravel().astype(np.float32)
    return encoded


def timed(work, *arguments):
    """The result, and what it took: seconds by the clock, and of all processors together."""
    clock, processors = time.perf_counter(), time.process_time()
    result = work(*arguments)
    return result, [time.perf_counter() - clock, time.process_time() - processors]


def peer(file):
    table, read = timed(lambda: pd.read_csv(file, dtype=str, keep_default_na=False))
    fitted, fit_seconds = timed(fit, table)
    encoded, encode_seconds = timed(encode, table, fitted)
    return encoded, {"read": read, "fit": fit_seconds, "encode": encode_seconds}


def ours(file, program, folder):
    command = [program, file, "--json", "--columns", folder]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def same(encoded, folder):
    """The largest distance of two scaled numbers; ids must be equal."""
    for name, values in encoded.items():
        found = np.fromfile(Path(folder) / name, values.dtype)
        if values.dtype == np.float32:
            distance = float(np.abs(found - values).max())
            assert distance <= 1e-6, (name, distance)
        else:
            assert np.array_equal(found, values), name
    return distance


def compare(theirs_all, ours_all):
    """A line for each step, and for the steps together: the best and the median seconds of all rounds."""
    steps = ["read", "fit", "encode"]
    for kind, name in enumerate(["by the clock", "of all processors"]):
        print(f"seconds {name:17}        best:   pandas     fain            median:   pandas     fain")
        for wanted in [[step] for step in steps] + [["fit", "encode"], steps]:
            line = f"  {' + '.join(wanted):20}"
            for choose in [min, statistics.median]:
                theirs, our = (choose(sum(run[step][kind] for step in wanted) for run in runs) for runs in [theirs_all, ours_all])
                line += f"          {theirs:8.3f} {our:8.3f}  {theirs / our:5.1f} times"
            print(line)


def main():
    file, program = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    theirs_all, ours_all = [], []
    with tempfile.TemporaryDirectory() as folder:
        # In turns, so that what else the machine does meets both.
        for _ in range(rounds):
            encoded, seconds = peer(file)
            theirs_all.append(seconds)
            document = ours(file, program, folder)
            ours_all.extend(document["rounds"])
        distance = same(encoded, folder)
    print(f"{document['rows']} rows, fain on {document['threads']} threads, {rounds} rounds in turns")
    print(f"all ids are equal; scaled numbers differ by {distance:.1e} at most")
    compare(theirs_all, ours_all)


if __name__ == "__main__":
    main()
