"""Writes reviews.tsv and items.tsv from a category of the Amazon reviews of 2014 or 2018.

usage: convert.py REVIEWS.json.gz META.json.gz FOLDER

Reviews are one JSON object a line. The metadata of 2014 are Python literals instead; both are read. The category of an
item is the last one of its first path, as in the programs of DIN and DIEN; an item without metadata has none.
"""

import ast
import gzip
import json
import os
import sys


def objects(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                try:
                    yield ast.literal_eval(line)
                except (SyntaxError, ValueError) as error:
                    sys.exit(f"{path}, line {number}: neither JSON nor a Python literal: {error}")


def category(item):
    # 2014 has a list of paths, 2018 one path.
    paths = item.get("categories") or [item.get("category") or []]
    return paths[0][-1].replace("\t", " ") if paths[0] else ""


def main(reviews, meta, folder):
    os.makedirs(folder, exist_ok=True)
    items = set()
    with open(os.path.join(folder, "reviews.tsv"), "w", encoding="utf-8") as out:
        out.write("user\titem\trating\ttime\n")
        for review in objects(reviews):
            items.add(review["asin"])
            out.write(f"{review['reviewerID']}\t{review['asin']}\t{review['overall']}\t{review['unixReviewTime']}\n")
    with open(os.path.join(folder, "items.tsv"), "w", encoding="utf-8") as out:
        out.write("item\tcategory\n")
        for item in objects(meta):
            if item["asin"] in items:
                # The metadata repeat some items.
                items.remove(item["asin"])
                out.write(f"{item['asin']}\t{category(item)}\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
