"""How often a refutation names the cause: ``python bench/causes.py [check ...]``.

The corpus (tests/causes) holds wrong subjects as people write them, each with its cause in words.
Right: the explanation names that cause, or the place where the place is the answer. Wrong: it
claims another. One line a check, and the sum; with ``-v`` what was said where it is not right.
"""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from causes import RATINGS, corpus


def rated(checks: list[str], verbose: bool = False) -> dict[str, Counter[str]]:
    """The ratings of each check's subjects; what a missing framework skips is counted as such."""
    counts: dict[str, Counter[str]] = {}
    for subject in corpus(checks):
        one = counts.setdefault(subject.check, Counter())
        if subject.needs is not None and importlib.util.find_spec(subject.needs) is None:
            one["skipped"] += 1
            continue
        found = subject.rate()
        one[found.rating] += 1
        if verbose and found.rating != "right":
            print(f"{found.rating}: {subject.check}.{subject.name}: {subject.cause}")
            print(textwrap.indent(textwrap.fill(found.explanation, 110), "    "))
    return counts


def table(counts: dict[str, Counter[str]]) -> str:
    """A row a check, the sum last."""
    total: Counter[str] = sum(counts.values(), Counter())
    lines = [f"{'causes named by':24}" + "".join(f"{r:>13}" for r in RATINGS) + f"{'of':>6}"]
    for name, one in [*sorted(counts.items()), ("all", total)]:
        number = sum(one[r] for r in RATINGS)
        shares = "".join(f"{one[r]:6} {100 * one[r] / max(number, 1):4.0f} %" for r in RATINGS)
        lines.append(f"{name:24}{shares}{number:6}")
    return "\n".join(lines)


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "-v"]
    print(table(rated(arguments, verbose="-v" in sys.argv)))
