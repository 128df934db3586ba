"""``python -m causes [check ...]``: how often the cause is named, and what was said otherwise."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from collections import Counter

from causes import RATINGS, Rating, corpus


def main(modules: list[str]) -> None:
    """Prints a line a subject, the explanation where it is not right, and the shares."""
    counts: Counter[Rating] = Counter()
    for subject in corpus(modules):
        if subject.needs is not None and importlib.util.find_spec(subject.needs) is None:
            print(f"{'skipped':11} {subject.check}.{subject.name}: needs {subject.needs}")
            continue
        rated = subject.rate()
        counts[rated.rating] += 1
        print(f"{rated.rating:11} {subject.check}.{subject.name}: {subject.cause}")
        if rated.rating != "right":
            print(textwrap.indent(textwrap.fill(rated.explanation, 110), "            "))
    total = sum(counts.values())
    for rating in RATINGS:
        print(
            f"{rating}: {counts[rating]} of {total}, {100 * counts[rating] / max(total, 1):.0f} %"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
