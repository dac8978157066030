"""Reads and encodes samples with pandas and scikit-learn, as crates/features/benches/encoding_peer.py does.

Settings: `file`.
"""

import sys
from pathlib import Path

from service import serve, settings

sys.path.insert(0, str(Path(__file__).parents[2] / "features" / "benches"))

from encoding_peer import peer

SETTINGS = settings()


def answer(request):
    encoded, seconds = peer(SETTINGS["file"])
    rows = len(encoded["userId"])
    return {step: (spent[0] if isinstance(spent, list) else spent) / rows for step, spent in seconds.items()}


serve(answer)
