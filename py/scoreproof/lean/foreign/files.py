"""Which files of a project are read, and how each is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PathError", "Sources", "read", "sources"]

_LEFT_OUT = {"build", "lake-packages", "node_modules", "__pycache__", "_target"}


class PathError(Exception):
    """A path under which there is nothing to audit."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The Lean files under a root, by their paths from it, and the folders left out."""

    root: Path
    files: tuple[Path, ...]
    left_out: tuple[str, ...]


def sources(path: Path) -> Sources:
    """The Lean files of a folder, or one file; ``.lake``, build folders and hidden ones left out.

    Raises ``PathError`` with a sentence if there is none.
    """
    if path.is_file():
        if path.suffix != ".lean":
            raise PathError(f"{path} is not a Lean file; pass a .lean file or a project's folder")
        return Sources(path.parent, (path,), ())
    if not path.exists():
        raise PathError(f"{path} does not exist; pass a Lake project's folder or a .lean file")
    if not path.is_dir():
        raise PathError(f"{path} is neither a file nor a folder; pass a folder or a .lean file")
    left_out: list[str] = []
    files = tuple(sorted(_walk(path, left_out)))
    if not files:
        tail = f" (left out: {', '.join(sorted(left_out))})" if left_out else ""
        raise PathError(f"no .lean file under {path}{tail}; pass the folder that holds the sources")
    return Sources(path, files, tuple(sorted(left_out)))


def _walk(root: Path, left_out: list[str]) -> Iterator[Path]:
    seen: set[str] = set()
    for folder, below, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link back, or a second way to the same folder
            below[:] = []
            continue
        seen.add(real)
        for name in [n for n in below if n in _LEFT_OUT or n.startswith(".")]:
            below.remove(name)
            if name in _LEFT_OUT or name == ".lake":
                left_out.append(os.path.relpath(os.path.join(folder, name), root))
        below.sort()
        yield from (Path(folder) / name for name in names if name.endswith(".lean"))


def read(path: Path) -> str:
    """The text of a file; raises ``PathError`` with one sentence if it cannot be had."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PathError(
            f"is not UTF-8 (byte {error.start} is {error.object[error.start]:#04x}), which Lean"
            " demands; save it as UTF-8"
        ) from error
    except OSError as error:
        raise PathError(f"cannot be read ({error.strerror or error})") from error
