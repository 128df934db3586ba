"""Does `verify` hold for every seed? One quick verification a seed; each must exit with 0.

    python bench/seeds.py --seeds 0:300 --workers 2     # appends to build/seeds/quick.jsonl
    python bench/seeds.py --report                      # the summary of what is there, and no run

A seed runs whole in one process (about 5 s of work): the pool starts once, not once a seed. Seeds
already in the file are passed over, so a run that was stopped goes on; delete the file when the
code has changed. Exit status 1 when a seed in the file ended otherwise than with 0.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from records import rows

OUT = Path(__file__).resolve().parent.parent / "build" / "seeds"


def one(seed: int, profile: str) -> dict[str, Any]:
    """One verification: its exit status, and whatever it found that it should not have found."""
    from scoreproof.verify import verify

    start = time.perf_counter()
    run = verify(profile=profile, seed=seed, workers=1)
    odd = [f"{r.name}: {failure}" for r in run.results for failure in r.failures]
    odd += [
        f"{r.name}: {c.check.name} {name}: {e.verdict}: {e.sentence}"
        for r in run.results
        if r.verdict != "holds"
        for c in r.checks
        for name, e in c.evidence.items()
        if e.verdict != "holds"
    ]
    return {
        "seed": seed,
        "status": run.status,
        "odd": odd,
        "seconds": round(time.perf_counter() - start, 2),
    }


def judged(seeds: list[int], profile: str, workers: int) -> Iterator[dict[str, Any]]:
    """Each seed's row, as they finish."""
    if workers == 1:
        yield from (one(seed, profile) for seed in seeds)
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(one, seed, profile) for seed in seeds]
        yield from (done.result() for done in as_completed(waiting))


def summary(found: list[dict[str, Any]]) -> str:
    """How many seeds ended how, and the seeds of whatever did not end with 0."""
    wrong = [row for row in found if row["status"] != 0]
    lines = [
        f"{len(found)} seeds, {len(found) - len(wrong)} with exit status 0, "
        f"{sum(row['seconds'] for row in found) / max(len(found), 1):.2g} s each"
    ]
    lines += [
        f"  seed {row['seed']}: exit status {row['status']}; {'; '.join(row['odd'])}"
        for row in sorted(wrong, key=lambda row: row["seed"])
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", default="0:300", help="first:last, as in a Python range")
    parser.add_argument("--profile", choices=("quick", "default", "deep"), default="quick")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--report", action="store_true", help="summarise what is there, run nothing"
    )
    given = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{given.profile}.jsonl"
    if not given.report:
        first, last = (int(part) for part in given.seeds.split(":"))
        done = {row["seed"] for row in rows(path)}
        seeds = [seed for seed in range(first, last) if seed not in done]
        with path.open("a", encoding="utf-8") as file:
            for row in judged(seeds, given.profile, given.workers):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
                if row["status"] != 0:
                    print(summary([row]).splitlines()[1], flush=True)
    found = rows(path)
    print(summary(found))
    return int(any(row["status"] != 0 for row in found))


if __name__ == "__main__":
    raise SystemExit(main())
