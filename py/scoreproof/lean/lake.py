"""Finding Lake, saying what it would fetch, sharing a packages folder, and running it without ever
hanging.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scoreproof.lean.failures import explain_failure

__all__ = [
    "BuildError",
    "Needs",
    "Ran",
    "find_lake",
    "lean_version",
    "needs",
    "run_lake",
    "share_packages",
]

#: Rough sizes in GB (download, on disk) at the pinned revision, for the announcement and the check
#: of the disk; not measured here.
TOOLCHAIN_GB, MATHLIB_GB = (0.5, 2.5), (1.5, 7.0)
_TAIL = 400  # lines kept for the explanation of a failure


class BuildError(Exception):
    """The build cannot start or did not succeed; the message is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A Lake command that ended: its exit status and the last lines it printed."""

    status: int
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a build would have to fetch."""

    toolchain: bool
    mathlib: bool

    @property
    def download(self) -> float:
        return self.toolchain * TOOLCHAIN_GB[0] + self.mathlib * MATHLIB_GB[0]

    @property
    def disk(self) -> float:
        return self.toolchain * TOOLCHAIN_GB[1] + self.mathlib * MATHLIB_GB[1]


def elan_homes(environment: Mapping[str, str]) -> list[Path]:
    """Where elan may live: ``ELAN_HOME``, then ``~/.elan``."""
    homes = [Path(environment["ELAN_HOME"])] if environment.get("ELAN_HOME") else []
    home = environment.get("HOME") or environment.get("USERPROFILE")
    return [*homes, *([Path(home) / ".elan"] if home else [])]


def find_lake(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The ``lake`` to use: on ``PATH``, in ``ELAN_HOME``, in ``~/.elan``; None if there is none."""
    found = shutil.which("lake", path=environment.get("PATH", ""))
    for home in elan_homes(environment):
        found = found or shutil.which("lake", path=str(home / "bin"))
    return Path(found) if found else None


def needs(
    root: Path, toolchain: str, imports: list[str], environment: Mapping[str, str] = os.environ
) -> Needs:
    """Whether the toolchain and the compiled ``imports`` from Mathlib are here. A ``lake`` that is
    not elan's brings its own toolchain.
    """
    folder = toolchain.replace("/", "--").replace(":", "---")
    homes = [home for home in elan_homes(environment) if home.is_dir()]
    installed = not homes or any((home / "toolchains" / folder).is_dir() for home in homes)
    library = root / ".lake" / "packages" / "mathlib" / ".lake" / "build" / "lib" / "lean"
    compiled = all((library / f"{module.replace('.', '/')}.olean").is_file() for module in imports)
    return Needs(not installed, not compiled)


def share_packages(root: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Let ``.lake/packages`` be the folder that ``SCOREPROOF_LAKE_PACKAGES`` names, so that
    projects share one Mathlib.

    Lake would check out the manifest's revision in it, under the feet of the other projects; so a
    package at another revision is an error here. A package that is not there yet is cloned into it
    by Lake.
    """
    named = environment.get("SCOREPROOF_LAKE_PACKAGES")
    if not named:
        return None
    folder = Path(named).expanduser().resolve()
    if not folder.is_dir():
        raise BuildError(
            f"SCOREPROOF_LAKE_PACKAGES must be an existing folder (got {named}); create it, or"
            " unset the variable"
        )
    for name, revision in _manifest(root).items():
        if (folder / name).is_dir():
            there = _revision(folder / name)
            if there != revision:
                raise BuildError(
                    f"SCOREPROOF_LAKE_PACKAGES holds {name} at {there[:12] or 'no revision'}, and"
                    f" this project needs {revision[:12]}; use a packages folder of its own for"
                    " this project, or move that one to the revision"
                )
    link = root / ".lake" / "packages"
    if link.is_symlink():
        if link.resolve() == folder:
            return folder
        link.unlink()
    elif link.exists():
        raise BuildError(
            "this project has a .lake/packages of its own; delete it, or unset"
            " SCOREPROOF_LAKE_PACKAGES"
        )
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(folder, target_is_directory=True)
    except OSError as error:
        raise BuildError(
            f".lake/packages could not be linked to SCOREPROOF_LAKE_PACKAGES ({error}); unset the"
            " variable"
        ) from error
    return folder


def _manifest(root: Path) -> dict[str, str]:
    try:
        packages = json.loads((root / "lake-manifest.json").read_text("utf-8"))["packages"]
        return {str(p["name"]): str(p["rev"]) for p in packages}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildError(
            f"lake-manifest.json is broken ({error}); restore it with `git checkout"
            " lake-manifest.json`"
        ) from error


def _revision(folder: Path) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def lean_version(lake: Path, root: Path, show: Callable[[str], None], silence: float) -> str | None:
    """The version of Lean behind ``lake``, as it says itself. With elan this installs the pinned
    toolchain if need be.
    """
    ran = run_lake(lake, ["--version"], root, show, silence)
    if ran.status:
        raise BuildError(explain_failure("lake --version", ran.status, ran.lines))
    found = re.search(r"Lean version (\d+\.\d+\.\d+[^\s,)]*)", "\n".join(ran.lines))
    return found[1] if found else None


def run_lake(
    lake: Path, arguments: list[str], root: Path, show: Callable[[str], None], silence: float
) -> Ran:
    """Run ``lake`` in ``root`` and pass every line on as it comes.

    Raises ``BuildError`` when nothing is printed for ``silence`` seconds; Lake and everything it
    started are then ended, as on ``KeyboardInterrupt``.
    """
    command = " ".join(["lake", *arguments])
    try:
        process = subprocess.Popen(
            [str(lake), *arguments],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # one group, so that a hanging git or lean ends with its lake
        )
    except OSError as error:
        raise BuildError(
            f"{lake} cannot be run ({error.strerror}); reinstall elan"
            " (https://github.com/leanprover/elan)"
        ) from error
    chunks: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_read, args=(process, chunks), daemon=True).start()
    lines: list[str] = []
    partial = ""
    try:
        while chunk := chunks.get(timeout=silence):
            # Lake and curl redraw a line with a carriage return: each state is a line of progress
            *whole, partial = re.split(r"[\r\n]+", partial + chunk.decode("utf-8", "replace"))
            for line in whole:
                show(line)
            lines = (lines + whole)[-_TAIL:]
        if partial:
            show(partial)
            lines.append(partial)
        return Ran(process.wait(timeout=silence), lines)
    except (queue.Empty, subprocess.TimeoutExpired):
        _end(process)
        raise BuildError(
            f"{command} printed nothing for {silence:g} seconds and was ended; run it again, or"
            " allow more with --silence SECONDS"
        ) from None
    except BaseException:
        _end(process)
        raise


def _read(process: subprocess.Popen[bytes], chunks: queue.Queue[bytes]) -> None:
    assert process.stdout is not None
    while chunk := os.read(process.stdout.fileno(), 65536):
        chunks.put(chunk)
    chunks.put(b"")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its children: politely, then not."""
    for final in (False, True):
        try:
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL if final else signal.SIGTERM)
            else:
                process.kill()
        except ProcessLookupError:
            break
        deadline = time.monotonic() + 3
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    process.wait()
