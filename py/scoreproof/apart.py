"""A user's code in a process of its own, so that nothing it does ends this one without a word.

``sys.exit`` is an exception and can be caught; ``os._exit``, ``exec`` or a crash of a compiled
extension can not. Only the answer that comes through a pipe counts, never how the child ended, nor
what it left running.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from typing import Any

from scoreproof.errors import CallableError, Failed, ScoreproofError, told

__all__ = ["apart"]

#: The answer is preceded by its length: a process that the user's code started and left holds the
#: pipe open for as long as it lives.
PREFIX = 8


def apart(work: Callable[[], Any], name: str, *, aside: bool = False) -> Any:
    """``work()``, run in a forked child where that is safe, else here; its errors are raised here.

    Forking is safe while no library has started threads: before NumPy is imported. What ``work``
    returns must be picklable. ``name``: how messages call the user's object. ``aside``: what it
    prints goes to standard error. Raises ``CallableError`` when the object ends the process,
    ``Failed`` when a signal does.
    """
    if not hasattr(os, "fork") or "numpy" in sys.modules:
        with redirect_stdout(sys.stderr if aside else sys.stdout):
            return _opened(_answer(work, name))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        if aside:
            with suppress(OSError):  # where there is no standard error there is nowhere to print
                os.dup2(2, 1)
        _child(work, name, writing)
    os.close(writing)
    received, status, interrupted = b"", 0, False
    while True:  # interrupted or not, the child has the last word
        try:
            while not _whole(received) and (block := os.read(reading, 1 << 16)):
                received += block
            status = os.waitpid(child, 0)[1]
            break
        except KeyboardInterrupt:
            interrupted = True
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGINT)
        except ChildProcessError:  # interrupted as it was waited for
            break
    os.close(reading)
    if interrupted:
        raise KeyboardInterrupt
    if _whole(received):
        return _opened(pickle.loads(received[PREFIX:]))
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        raise Failed(f"the process was ended by signal {-code} before there was a verdict")
    raise _ended(name, f"it ended the process with exit status {code}")


def _child(work: Callable[[], Any], name: str, writing: int) -> None:
    """Write the answer and end, whatever the user's code has left behind."""
    try:
        answer = _answer(work, name)
        try:
            message = pickle.dumps(answer)
        except Exception as error:  # what cannot travel goes as its text
            message = pickle.dumps((None, Failed(f"{answer!r:.200} ({error})")))
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # nobody reads it, or the user's code put something there
                stream.flush()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(len(message).to_bytes(PREFIX, "big") + message)
        _end_daemons()
    finally:
        os._exit(0)


def _end_daemons() -> None:
    """What multiprocessing would do as an interpreter ends, which this one does not."""
    if "multiprocessing" in sys.modules:
        import multiprocessing

        for process in multiprocessing.active_children():
            if process.daemon:
                process.terminate()


def _whole(received: bytes) -> bool:
    size = int.from_bytes(received[:PREFIX], "big")
    return len(received) >= PREFIX and len(received) - PREFIX >= size


def _answer(work: Callable[[], Any], name: str) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except SystemExit as error:
        return None, _ended(name, f"it called sys.exit({'' if error.code is None else error.code})")
    except (Exception, KeyboardInterrupt) as error:
        plain = isinstance(error, ScoreproofError | KeyboardInterrupt)
        return None, error if plain else Failed(told(error))


def _opened(answer: tuple[Any, BaseException | None]) -> Any:
    value, error = answer
    if error is not None:
        raise error
    return value


def _ended(name: str, what: str) -> CallableError:
    remedy = 'leave the process running; keep a script\'s own part under if __name__ == "__main__"'
    return CallableError(name, "come to a verdict", what, remedy)
