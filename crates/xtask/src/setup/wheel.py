"""Hashes or unpacks a wheel: `hash FILE` or `unpack FILE FOLDER PART...`.

A part is the name of a file in the wheel, or of a folder with a slash at its end.
"""

import hashlib
import sys
import zipfile


def digest(path):
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            sha256.update(block)
    return sha256.hexdigest()


def unpack(path, folder, parts):
    with zipfile.ZipFile(path) as wheel:
        for part in parts:
            names = [n for n in wheel.namelist() if n == part or (part.endswith("/") and n.startswith(part))]
            if not names:
                sys.exit(f"{path} holds no {part}")
            wheel.extractall(folder, names)


if sys.argv[1] == "hash":
    print(digest(sys.argv[2]))
else:
    unpack(sys.argv[2], sys.argv[3], sys.argv[4:])
