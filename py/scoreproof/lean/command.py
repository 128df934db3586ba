"""``scoreproof lean [--build | --audit | --receipt]``: ends in one of four sentences, none of which is a pass without a
build or a matching receipt.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scoreproof.lean.audit import audit
from scoreproof.lean.lake import build, find_lake, plan
from scoreproof.lean.receipt import Receipt, load

__all__ = ["HERE", "ELSEWHERE", "CHANGED", "NOT", "add_arguments", "run"]

HERE, ELSEWHERE, CHANGED, NOT = "verified here", "verified elsewhere (receipt matches)", "changed since it was verified", "not verified"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``scoreproof lean``."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--build", action="store_true", help="fetch Mathlib's cache and run lake build (says how much it fetches first)")
    which.add_argument("--audit", action="store_true", help="the static audit, without Lean (default)")
    which.add_argument("--receipt", action="store_true", help="what was verified elsewhere, when, and what was not")
    parser.add_argument("--root", type=Path, default=None, help="the checkout (default: the one this package is run from)")
    parser.epilog = "exit status: 0 verified here or elsewhere · 3 not verified · 4 a file differs from its receipt · 130 interrupted"


def run(arguments: argparse.Namespace) -> int:
    """Run one of the three and return the exit status."""
    receipt = load(arguments.root)
    if arguments.receipt:
        _print_receipt(receipt)
    objections = audit(receipt)
    for objection in objections:
        print(f"audit: {objection}")
    if arguments.build:
        return _build(receipt, objections)
    if not objections and not arguments.receipt:
        print(f"audit: clean ({len(receipt.hashes())} files as in the receipt of {receipt.data['date']}; no Lean was run)")
    return _end(receipt, objections)


def _end(receipt: Receipt, objections: list[str]) -> int:
    comparison = receipt.compare()
    if comparison.changed or comparison.missing or comparison.unknown:
        print(CHANGED)
        return 4
    if objections:
        print(NOT)
        return 3
    print(ELSEWHERE)
    return 0


def _build(receipt: Receipt, objections: list[str]) -> int:
    lake = find_lake()
    if lake is None:
        print("no lake on PATH, in ELAN_HOME or in ~/.elan/bin; install elan (https://github.com/leanprover/elan), then run this again")
        return _without_build(receipt, objections)
    print(f"{lake}: {plan(receipt.root, receipt.data['mathlib']['rev'])}", flush=True)
    result = build(lake, receipt.root, lambda line: print(line, flush=True))
    print(result.reason)
    if not result.succeeded:
        return _without_build(receipt, objections)
    if objections:
        # lake accepts files that the receipt does not know: they are built, but they are not what was published
        return _end(receipt, objections)
    print(HERE)
    return 0


def _without_build(receipt: Receipt, objections: list[str]) -> int:
    """A build was asked for and there was none: a matching receipt is said, but it is not what was asked for."""
    comparison = receipt.compare()
    if comparison.changed or comparison.missing or comparison.unknown:
        print(CHANGED)
        return 4
    if not objections:
        print("the files match their receipt (see --receipt)")
    print(NOT)
    return 3


def _print_receipt(receipt: Receipt) -> None:
    data = receipt.data
    print(f"{data['toolchain']}, Mathlib {data['mathlib'].get('tag', '')} ({data['mathlib']['rev']}), {data['date']}")
    for entry in receipt.files:
        print(f"{entry['path']}: claim {entry['claim']}, main theorem {entry['main_theorem']}, {len(entry['declarations'])} declarations")
    for heading, key in (("checked", "checked"), ("not checked", "not_checked")):
        for item in data.get(key, ()):
            print(f"{heading}: {item}")
