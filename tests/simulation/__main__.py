"""``python -m tests.simulation --seeds 100000 --first 0``: more seeds than CI runs."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from .seeds import Run, run

CHUNK = 100


def main() -> int:
    """Run the seeds on every core; print what came up. Returns 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    args = parser.parse_args()
    last = args.first + args.seeds
    chunks = [range(first, min(first + CHUNK, last)) for first in range(args.first, last, CHUNK)]
    total = Run()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(run, chunks):
            total.seeds += part.seeds
            total.steps += part.steps
            total.seconds += part.seconds
            total.counts += part.counts
            total.failures += part.failures
    print(total)  # noqa: T201  # a program that prints
    return int(bool(total.failures or (total.too_rare and total.seeds >= CHUNK)))


if __name__ == "__main__":
    sys.exit(main())
