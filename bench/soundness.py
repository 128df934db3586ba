"""How often is a public check wrong? Random wrong subjects must not hold, right ones must.

    python bench/soundness.py run --check kl --seeds 0:500     # appends to build/soundness/kl.jsonl
    python bench/soundness.py report                           # writes bench/SOUNDNESS.md

For every seed: a right subject (random setting, algebra, floating type) and a wrong one (a fault or
a pair, everywhere or in a random window of times, coordinates, parameters), whose deviation is from
ten times the resolution that the right one's verdict states up. Seeds already in the file are
passed over, so a run that was stopped goes on. Intervals are Clopper-Pearson, 95 %.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import beta

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from records import rows  # noqa: E402
from subjects import CHECKS  # noqa: E402

OUT = ROOT.parent / "build" / "soundness"
#: assumed where the right subject's verdict states no resolution
ASSUMED = 0.01


def one(check: str, seed: int) -> dict[str, Any]:
    """A right and a wrong subject of one seed, judged."""
    module = importlib.import_module(f"subjects.{check}")
    rng = np.random.default_rng([CHECKS.index(check), seed])
    case = module.case(rng)
    start = time.perf_counter()
    right = case.right()
    middle = time.perf_counter()
    stated = right.resolution if right.verdict == "holds" else ASSUMED
    amount = max(10 * float(stated), 1e-12) * 10 ** rng.uniform(0, 3)
    fault, wrong = case.wrong(float(min(amount, 1.0)))
    return {
        "check": check,
        "seed": seed,
        "setting": case.setting,
        "right": right.verdict,
        "resolution": right.resolution if right.verdict == "holds" else None,
        "why_not": None if right.verdict == "holds" else right.sentence,
        "fault": fault,
        "amount": amount,
        "wrong": wrong.verdict,
        "stated_for_wrong": wrong.resolution if wrong.verdict == "holds" else None,
        "seconds": [round(middle - start, 3), round(time.perf_counter() - middle, 3)],
    }


def run(check: str, seeds: range) -> None:
    """Judge the seeds that the file does not have yet, appending a line each."""
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{check}.jsonl"
    done = {row["seed"] for row in rows(path)}
    with path.open("a", encoding="utf-8") as file:
        for seed in seeds:
            if seed in done:
                continue
            row = one(check, seed)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            if row["wrong"] == "holds" or row["right"] != "holds":
                print(json.dumps(row, ensure_ascii=False), flush=True)


def interval(k: int, n: int) -> str:
    """``k of n`` as a rate with its Clopper-Pearson interval, in percent."""
    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    return f"{k} of {n} ({100 * low:.2g} to {100 * high:.2g} %)"


def report() -> str:
    """The table of all files, and the seeds of whatever is not as it should be."""
    lines = [
        "# How often a public check is wrong",
        "",
        "Written by `python bench/soundness.py report` from the runs of `bench/soundness.py run`.",
        "In brackets: 95 % Clopper-Pearson intervals. A wrong subject deviates by ten times the",
        "stated resolution or more; for it `undecided` is no acquittal. `undecided` for a right",
        "one costs the reader time, `holds` for a wrong and `refuted` for a right one cost trust.",
        "A row with fewer than 500 subjects is of a run that is not finished.",
        "",
        "| check | wrong: holds | wrong: undecided | right: refuted | right: undecided "
        "| resolution, median and worst | seconds a verdict, median |",
        "|---|---|---|---|---|---|---|",
    ]
    odd = []
    for check in CHECKS:
        # of a seed that two runs have judged, the last
        found = list({row["seed"]: row for row in rows(OUT / f"{check}.jsonl")}.values())
        n = len(found)
        if n == 0:
            continue

        def count(which: str, verdict: str, found: list[dict[str, Any]] = found) -> int:
            return sum(row[which] == verdict for row in found)

        resolutions = [row["resolution"] for row in found if row["resolution"] is not None]
        seconds = float(np.median([s for row in found for s in row["seconds"]]))
        seen = f"{np.median(resolutions):.1e}, {max(resolutions):.1e}" if resolutions else "none"
        lines.append(
            f"| {check} | {interval(count('wrong', 'holds'), n)} "
            f"| {interval(count('wrong', 'undecided'), n)} "
            f"| {interval(count('right', 'refuted'), n)} "
            f"| {interval(count('right', 'undecided'), n)} | {seen} | {seconds:.2g} |"
        )
        odd += [
            f"- {check} {row['seed']}: {row['setting']}; {row['fault']} by {row['amount']:.2g}: "
            f"wrong {row['wrong']}, right {row['right']}"
            for row in found
            if row["wrong"] == "holds" or row["right"] == "refuted"
        ]
        undecided = [row["seed"] for row in found if row["right"] == "undecided"]
        if undecided:
            odd.append(f"- {check}, right and undecided: seeds {', '.join(map(str, undecided))}")
    lines += ["", "## Seeds that are not as they should be", "", *(odd or ["None."]), ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run")
    runs.add_argument("--check", choices=CHECKS, action="append", help="default: all")
    runs.add_argument("--seeds", default="0:500", help="first:last, as in a Python range")
    commands.add_parser("report")
    given = parser.parse_args()
    if given.command == "run":
        first, last = (int(part) for part in given.seeds.split(":"))
        for check in given.check or CHECKS:
            run(check, range(first, last))
    else:
        (ROOT / "SOUNDNESS.md").write_text(report(), encoding="utf-8")
        print(report())


if __name__ == "__main__":
    main()
