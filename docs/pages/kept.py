"""What takes long to make, kept in ``build`` for the state of what it is made from."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["built", "kept"]

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
KEPT = BUILD / "pages"
#: What draws and computes: another version may say or draw something else.
LIBRARIES = (
    *("numpy", "scipy", "python-flint", "matplotlib", "scikit-learn", "torch", "jax", "diffusers"),
    *("latex2mathml", "mkdocs", "mkdocs-material", "pymdown-extensions", "Markdown"),
)
#: After so many seconds what is kept of another state is thrown away: nobody looks at it now.
OLD = 3600.0


def kept(name: str, text: str, run: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """``run(text)``, or what it gave before for the same text and the same package."""
    key = hashlib.sha256((_state("py/scoreproof", "docs/pages") + text).encode()).hexdigest()[:16]
    file = KEPT / f"{name}-{key}.json"
    if not file.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        made = json.dumps(run(text))
        for old in KEPT.glob(f"{name}-{'?' * len(key)}.json"):
            old.unlink(missing_ok=True)  # another build may have done so
        _written(file, made)
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def built(name: str, sources: tuple[str, ...], build: Callable[[Path], None]) -> Path:
    """The folder that ``build`` fills, once for each state of the ``sources``, by one process
    while the others wait.
    """
    folder = BUILD / f"{name}-{_state(*sources)[:16]}"
    BUILD.mkdir(exist_ok=True)
    with _alone(BUILD / f"{name}.lock"):
        if not folder.exists():
            for old in BUILD.glob(f"{name}-{'?' * 16}"):
                if time.time() - old.stat().st_mtime > OLD:
                    shutil.rmtree(old)
            made = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=BUILD))
            try:
                build(made)
                made.rename(folder)  # whole, or not at all
            finally:
                shutil.rmtree(made, ignore_errors=True)
    return folder


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time, where the system has such locks: elsewhere some work is done twice."""
    with lock.open("w") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)  # given up with the file, however the process ends
        yield


def _written(file: Path, text: str) -> None:
    """Whole or not at all: half a file would break every later build."""
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as part:
        part.write(text)
    os.replace(name, file)


@cache
def _state(*sources: str) -> str:
    """A digest of files and folders of the repository, and of the versions of the libraries."""
    digest = hashlib.sha256(sys.version.encode())
    for library in LIBRARIES:
        try:
            digest.update(f"{library} {importlib.metadata.version(library)}\0".encode())
        except importlib.metadata.PackageNotFoundError:
            continue
    for source in sources:
        place = ROOT / source
        files = sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]
        for file in files:
            if "__pycache__" not in file.parts and ".lake" not in file.parts:
                digest.update(f"{file.relative_to(ROOT).as_posix()}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
