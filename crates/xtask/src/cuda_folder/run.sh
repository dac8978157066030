#!/usr/bin/env bash
# Measures fain and other programs on a GPU. README.md beside this file says more.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: ./run.sh [LINE]… [OPTIONS]

Checks the kernels of this device against plain operations, then measures the lines din-training, dien-training, augru and
gru, or those that are named, in float32 and in bfloat16. The table goes to stdout and to results/table.md, the figures to results/results.json.

Options:
  --device DEVICE  cuda (the default), cuda:N, or cpu to see that everything works without a GPU
  --no-peers       fain alone, without the Python programs
  --compiled       the Python programs through torch.compile as well, which takes minutes for each to compile
  --quick          short rounds, not to be quoted
  --rounds COUNT, --threads COUNT, --data FOLDER: as `bin/fain-benchmarks --help` says

Environment:
  PYTHON  a Python that has PyTorch 2.11 and, unless --no-peers, what peers/requirements.txt names (python3 when unset)
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python3}
device=cuda
peers=(--peers="$(command -v "$python" || true)")
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --device) device=${2:?--device needs a value}; shift ;;
        --device=*) device=${1#--device=} ;;
        --no-peers) peers=() ;;
        *) arguments+=("$1") ;;
    esac
    shift
done

# The folders with libtorch and, for the compiler of our kernels, with CUDA.
libraries=$("$python" - <<'PYTHON'
import pathlib
import sys

import torch

if not torch.__version__.startswith("2.11."):
    sys.exit(f"PyTorch 2.11 is needed, but this Python has {torch.__version__}")
root = pathlib.Path(torch.__file__).parent
folders = [root / "lib", *(root.parent / "nvidia" / name / "lib" for name in ["cu13", "cuda_nvrtc"])]
print(":".join(str(folder) for folder in folders if folder.is_dir()))
PYTHON
)
export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# On a GPU these lines are what there is.
lines=()
case " ${arguments[*]-} " in
    *" din-training "* | *" dien-training "* | *" augru "* | *" gru "*) ;;
    *) lines=(din-training dien-training augru gru) ;;
esac

mkdir -p "$here/results"
"$here/bin/fain-benchmarks" --device "$device" --check --bfloat16 --output "$here/results/results.json" \
    ${peers[@]+"${peers[@]}"} ${arguments[@]+"${arguments[@]}"} ${lines[@]+"${lines[@]}"} |
    tee "$here/results/table.md"
