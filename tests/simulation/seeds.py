"""Many seeds in a row, what came up in them, and whether enough of it did."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .script import Script

__all__ = ["MINIMUM", "Failure", "Run", "run"]

MINIMUM = {
    "gaps repaired": 2.0,
    "repeats suppressed": 0.5,
    "races made void": 0.1,
    "re-keys": 0.3,
    "explicit gaps": 0.1,
    "crashes between commit and reply": 0.45,
    "publications lost": 1.0,
    "publications dropped at the high-water mark": 1.0,
}
"""What must come up, a seed on average: a run in which it does not has shown nothing."""


@dataclass
class Failure:
    """A seed in which a promise was broken."""

    seed: int
    why: str

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.why}\n  again: make simulate SEEDS=1 FIRST={self.seed}"


@dataclass
class Run:
    """The outcome of many seeds."""

    seeds: int = 0
    steps: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    @property
    def too_rare(self) -> list[str]:
        """What did not come up often enough."""
        return [
            f"{name}: {self.counts[name]} in {self.seeds} seeds, at least {rate * self.seeds:.0f} are due"
            for name, rate in MINIMUM.items()
            if self.counts[name] < rate * self.seeds
        ]

    def __str__(self) -> str:
        pace = self.steps / self.seconds if self.seconds else 0
        lines = [f"{self.seeds} seeds, {self.steps} steps, {pace:,.0f} steps a second"]
        lines += [f"  {name}: {count}" for name, count in sorted(self.counts.items())]
        lines += [str(failure) for failure in self.failures]
        return "\n".join([*lines, *self.too_rare])


def run(seeds: Iterable[int], *, most_failures: int = 5) -> Run:
    """Run each seed, up to a number of failures."""
    result = Run()
    started = time.process_time()
    for seed in seeds:
        script = Script(seed)
        try:
            script.run()
        except Exception as error:  # whatever is raised in a world is that seed's failure
            result.failures.append(Failure(seed, f"{type(error).__name__}: {error}"))
        result.seeds += 1
        result.steps += script.steps
        result.counts += script.counts
        if len(result.failures) >= most_failures:
            break
    result.seconds = time.process_time() - started
    return result
