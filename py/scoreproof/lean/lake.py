"""Lake: where it is, what it would fetch, and its failures in one sentence with the remedy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BuildResult", "build", "explain_failure", "find_lake", "plan"]

#: Mathlib's compiled files (the cache) and sources at the pinned revision, unpacked; measured figures vary by a fifth
GIGABYTES = 6
#: seconds without a line of output after which a build counts as hung
SILENCE = 1800.0

FAILURES = (
    (r"unable to access|Could not resolve host|Connection refused|Network is unreachable|curl: \(6\)|curl: \(7\)|failed to fetch",
     "Lake cannot reach the network: connect this machine, or set SCOREPROOF_LAKE_PACKAGES to a folder that holds Mathlib already"),
    (r"No space left on device|disk quota exceeded", f"the disk is full: Mathlib needs about {GIGABYTES} GB; free some, or set SCOREPROOF_LAKE_PACKAGES to a folder elsewhere"),
    (r"out of memory|Cannot allocate memory|std::bad_alloc|exit code 137|\bKilled\b", "Lean ran out of memory: close other programs, or build with fewer jobs (LEAN_NUM_THREADS=1)"),
    (r"toolchain '?[^\n]*'? is not installed|unknown toolchain|no such toolchain|could not download.*toolchain|invalid toolchain|failed to install toolchain",
     "the pinned Lean toolchain is not here: run `elan toolchain install $(cat lean-toolchain)`"),
    (r"manifest.*(?:corrupt|invalid|out of date|unexpected)|failed to load manifest|invalid JSON|offset \d+: ",
     "lake-manifest.json cannot be read or does not fit the lakefile: restore it with `git checkout lake-manifest.json`"),
    (r"depends on non-standard axioms", "a main theorem depends on an axiom outside propext, Classical.choice, Quot.sound: see the line above"),
    (r"declaration uses 'sorry'", "a proof has a gap (sorry): see the line above"),
    (r"^error: .*\.lean:\d+", "a Lean file does not compile: see the error above"),
)


@dataclass(frozen=True, slots=True)
class BuildResult:
    """Whether `lake build` succeeded, and the sentence that says why not."""

    succeeded: bool
    reason: str


def find_lake() -> Path | None:
    """`lake` on PATH, in ``$ELAN_HOME/bin`` or in ``~/.elan/bin``; ``None`` where there is none."""
    homes = [Path(os.environ["ELAN_HOME"])] if os.environ.get("ELAN_HOME") else []
    on_path = shutil.which("lake")
    if on_path:
        return Path(on_path)
    for home in (*homes, Path.home() / ".elan"):
        candidate = home / "bin" / "lake"
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    return None


def shared_packages() -> Path | None:
    """The folder of ``SCOREPROOF_LAKE_PACKAGES``, where several projects share one Mathlib."""
    folder = os.environ.get("SCOREPROOF_LAKE_PACKAGES")
    return Path(folder).expanduser() if folder else None


def plan(root: Path, revision: str) -> str:
    """Which Mathlib a build would use and how much it would fetch, before it does so."""
    folder = shared_packages() or root / ".lake" / "packages"
    if (folder / "mathlib").is_dir():
        return f"uses Mathlib {revision[:8]} in {folder}; fetches nothing if that is its revision"
    free = shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists())).free / 1e9
    return f"fetches Mathlib {revision[:8]} and its compiled files into {folder}: about {GIGABYTES} GB ({free:.0f} GB free)"


def build(lake: Path, root: Path, say: Callable[[str], None], *, silence: float | None = None) -> BuildResult:
    """``lake exe cache get`` and ``lake build`` in ``root``, line by line to ``say``; never hangs for longer than ``silence`` seconds."""
    silence = silence if silence is not None else float(os.environ.get("SCOREPROOF_LAKE_SILENCE", SILENCE))
    folder = shared_packages()
    options = [f"--packages={folder}"] if folder and folder.suffix == ".json" else []
    if folder and not options:
        folder.mkdir(parents=True, exist_ok=True)
        local = root / ".lake" / "packages"
        if not local.exists():
            local.parent.mkdir(exist_ok=True)
            local.symlink_to(folder, target_is_directory=True)
    for arguments in (["exe", "cache", "get"], ["build"]):
        code, output = _stream([str(lake), *options, *arguments], root, say, silence)
        # the cache saves time only: without it lake builds Mathlib itself
        if code is None:
            return BuildResult(False, f"`lake {' '.join(arguments)}` printed nothing for {silence:g} s and was stopped: check the network, then try again")
        if code and (arguments == ["build"] or re.search(FAILURES[0][0] + "|" + FAILURES[1][0] + "|" + FAILURES[3][0] + "|" + FAILURES[4][0], output)):
            return BuildResult(False, explain_failure(output, code))
    return BuildResult(True, "lake build succeeded, the axiom audit in Audit.lean with it")


def explain_failure(output: str, code: int) -> str:
    """One sentence with the remedy for what Lake printed.

    >>> explain_failure("fatal: unable to access 'https://…'", 1)[:32]
    'Lake cannot reach the network: c'
    """
    for pattern, sentence in FAILURES:
        if re.search(pattern, output, re.I | re.M):
            return sentence
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "no output")
    return f"lake ended with status {code} ({last.strip()[:200]}); run `lake build` by hand for the whole output"


def _stream(command: list[str], root: Path, say: Callable[[str], None], silence: float) -> tuple[int | None, str]:
    try:
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, start_new_session=True)
    except OSError as error:
        return 127, f"error: {error}"
    lines: list[str] = []
    hung = threading.Event()

    def stop() -> None:
        hung.set()
        _kill(process)

    timer = threading.Timer(silence, stop)
    timer.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            timer.cancel()
            timer = threading.Timer(silence, stop)
            timer.start()
            lines.append(line)
            say(line.rstrip("\n"))
        process.wait()
    except BaseException:
        _kill(process)
        raise
    finally:
        timer.cancel()
    return (None if hung.is_set() else process.returncode), "".join(lines)


def _kill(process: subprocess.Popen) -> None:
    import signal

    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
