"""Where a verdict goes: to standard output first, then into the files that were asked for.

A verdict that was found is told, whatever happens to a file of it; what can be known of a file
before the work is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from scoreproof.errors import ArgumentError, told

__all__ = ["Text", "check_outputs", "deliver", "forget_stdout", "is_stdout", "print_json"]


class Text(NamedTuple):
    """What goes into a file; ``made`` is called when everything else is out, and may fail."""

    file: Path | None
    made: Callable[[], str]


def is_stdout(file: Path | None) -> bool:
    return file is not None and str(file) == "-"


def check_outputs(json: Path | None, html: Path | None) -> None:
    """Learn now, not after a minute of work, that an output file cannot be written."""
    if is_stdout(html):
        raise ArgumentError("--html", "a file", html, "only --json takes - for standard output")
    for file in (json, html):
        if file is not None and not is_stdout(file):
            _check(file)
    if json is not None and html is not None and json.resolve() == html.resolve():
        raise ArgumentError("--html", "another file than --json", html, "name two files")


def _check(file: Path) -> None:
    if not file.absolute().parent.is_dir():
        raise ArgumentError(
            "the output file", "in an existing directory", file, "create the directory first"
        )
    try:
        if file.is_file():
            with file.open("ab"):  # changes nothing
                return
        if file.exists():  # a device, or a pipe that waits for its reader as it is opened
            if not file.is_dir() and os.access(file, os.W_OK):
                return
            raise OSError("it is a directory" if file.is_dir() else "permission denied")
        with file.open("xb"):
            pass
        file.unlink()
    except OSError as error:
        raise ArgumentError(
            "the output file",
            "a file that can be written",
            file,
            f"name another one ({error.strerror or error})",
        ) from error


def deliver(say: Callable[[], None], *texts: Text) -> bool:
    """Call ``say``, which prints, then write the files. Whether all could be written; if not, it
    is said on standard error. A reader of standard output who went away (``| head``) is no failure
    of the files, nor of the verdict; any other failure to print is raised when they are written.
    """
    failure: Exception | None = None
    try:
        say()
        sys.stdout.flush()
    except BrokenPipeError:
        forget_stdout()
    except Exception as error:
        failure = error
    complete = True
    for text in texts:
        if text.file is None or is_stdout(text.file):
            continue
        try:
            # a name that is no text (a lone surrogate) is no reason to have no file
            text.file.write_text(text.made(), "utf-8", errors="backslashreplace")
        except Exception as error:
            complete = False
            print(
                f"scoreproof: the verdict is as printed, but {text.file} was not written:"
                f" {told(error)}",
                file=sys.stderr,
            )
    if failure is not None:
        raise failure
    return complete


def forget_stdout() -> None:
    """Nobody reads it any more: what is printed from here on, and what still waits to be flushed
    as the interpreter ends, goes nowhere.
    """
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # standard output is no file of the system's
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def print_json(text: str) -> None:
    """JSON is UTF-8, whatever the encoding of standard output is."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    stream.write(text.encode("utf-8", errors="backslashreplace"))
    stream.flush()
