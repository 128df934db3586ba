"""A user's code in a process of its own, so that nothing it does ends this one without a word.

``sys.exit`` is an exception and can be caught; ``os._exit``, ``exec`` or a crash of a compiled
extension can not. Only the answer that comes through a pipe counts, never how the child ended.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from scoreproof.errors import CallableError, ScoreproofError

__all__ = ["apart"]


def apart(work: Callable[[], Any], name: str) -> Any:
    """``work()``, run in a forked child where that is safe, else here; its errors are raised here.

    Forking is safe while no library has started threads: before NumPy is imported. What ``work``
    returns must be picklable. ``name``: how messages call the user's object. Raises
    ``CallableError`` when the object ends the process, ``RuntimeError`` when a signal does.
    """
    if not hasattr(os, "fork") or "numpy" in sys.modules:
        return _opened(_answer(work, name))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(work, name, writing)
    os.close(writing)
    received, status, interrupted = b"", 0, False
    while True:  # interrupted or not, the child has the last word
        try:
            while block := os.read(reading, 1 << 16):
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
    if received:
        return _opened(pickle.loads(received))
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        raise RuntimeError(f"the process was ended by signal {-code} before there was a verdict")
    raise _ended(name, f"it ended the process with exit status {code}")


def _child(work: Callable[[], Any], name: str, writing: int) -> None:
    """Write the answer and end, whatever the user's code has left behind."""
    try:
        answer = _answer(work, name)
        try:
            message = pickle.dumps(answer)
        except Exception as error:  # what cannot travel goes as its text
            message = pickle.dumps((None, RuntimeError(f"{answer!r:.200} ({error})")))
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(message)
    finally:
        os._exit(0)


def _answer(work: Callable[[], Any], name: str) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except SystemExit as error:
        return None, _ended(name, f"it called sys.exit({'' if error.code is None else error.code})")
    except (Exception, KeyboardInterrupt) as error:
        plain = isinstance(error, ScoreproofError | KeyboardInterrupt)
        return None, error if plain else RuntimeError(f"{type(error).__name__}: {error}")


def _opened(answer: tuple[Any, BaseException | None]) -> Any:
    value, error = answer
    if error is not None:
        raise error
    return value


def _ended(name: str, what: str) -> CallableError:
    remedy = 'leave the process running; keep a script\'s own part under if __name__ == "__main__"'
    return CallableError(name, "come to a verdict", what, remedy)
