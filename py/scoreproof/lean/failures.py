"""Lake's failures as one sentence with the remedy.

Lake, elan, git, curl and Lean report the same cause in different words; a failure is recognised by
what they are known to print.
"""

from __future__ import annotations

import re

__all__ = ["explain_failure"]

#: First match wins: causes before symptoms (a full disk also breaks a clone, a clone also exits
#: with 128).
CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|ENOSPC|Disk quota exceeded|not enough space on the disk",
        (
            "the disk is full; free some gigabytes, or set SCOREPROOF_LAKE_PACKAGES to a packages"
            " folder on another disk"
        ),
    ),
    (
        (
            r"exited with code (?:137|9)\b|std::bad_alloc|Cannot allocate memory|out of"
            r" memory|excessive memory consumption|\bKilled\b|signal 9"
        ),
        (
            "the machine ran out of memory; close other programs or run with LEAN_NUM_THREADS=1,"
            " and let `lake exe cache get` fetch Mathlib instead of building it"
        ),
    ),
    (
        r"Could not resolve host|Failed to connect|Connection (?:refused|timed out|reset)|Network"
        r" is unreachable|Temporary failure in name resolution"
        r"|unable to access '|[Ee]rror during download|could not download file|Operation timed"
        r" out|SSL certificate|RPC failed|early EOF"
        r"|Failed to download|Proxy CONNECT aborted",
        (
            "the network could not be reached; go online, or set SCOREPROOF_LAKE_PACKAGES to a"
            " folder that already holds the packages at the manifest's revisions"
        ),
    ),
    (
        r"no such release|could not download nonexistent lean|toolchain '[^']*' (?:is not"
        r" installed|does not have the binary)"
        r"|unknown package 'Init'|incompatible header|no default toolchain configured",
        (
            "the Lean toolchain is not the one the project pins; install elan"
            " (https://github.com/leanprover/elan), which follows lean-toolchain"
        ),
    ),
    (
        r"manifest is not valid JSON|manifest not a JSON object|manifest missing"
        r" required|(?:incompatible|unknown) manifest version|manifest version .* is"
        r"|missing manifest|not in manifest|manifest is corrupt|package entry missing|unknown"
        r" package entry type",
        (
            "lake-manifest.json is broken or does not fit lakefile.lean; restore both with `git"
            " checkout lake-manifest.json lakefile.lean`"
        ),
    ),
    (
        (
            r"Needed a single revision|reference is not a tree|external command [`']git[`'] exited"
            r" with code 128"
        ),
        (
            "git could not check out a package at the manifest's revision; delete that folder under"
            " .lake/packages and run again"
        ),
    ),
    (
        r"depends on non-standard axioms",
        (
            "a main theorem rests on an axiom other than propext, Classical.choice and Quot.sound;"
            " the line above names it"
        ),
    ),
)


def explain_failure(command: str, status: int, lines: list[str]) -> str:
    """One sentence on why ``command`` ended with ``status``, from what it printed.

    >>> printed = ["fatal: unable to access 'https://…': Could not resolve host: github.com"]
    >>> explain_failure("lake build", 1, printed).split(";")[0]
    'lake build failed: the network could not be reached'
    """
    text = "\n".join(lines)
    for pattern, remedy in CAUSES:
        if re.search(pattern, text):
            return f"{command} failed: {remedy}"
    if status in (-9, 137):
        return (
            f"{command} was killed, most likely for want of memory; run with LEAN_NUM_THREADS=1, or"
            " on a machine with more memory"
        )
    error = re.search(r"error: (\S+\.lean:\d+:\d+:? .*)", text)
    if error:
        return f"{command} failed: Lean rejects {error[1].strip()}"
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")
    return f"{command} failed with exit status {status}: {last}"
