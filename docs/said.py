"""A pytest plugin for `docs/sentences.py`: writes down what the checks say while the suite runs.

``pytest -p said`` with this folder on the path; one file a worker in ``SCOREPROOF_SAID``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import ScoreproofError
from scoreproof.evidence import Evidence

FOLDER = Path(os.environ["SCOREPROOF_SAID"])
FOLDER.mkdir(parents=True, exist_ok=True)
TARGET = FOLDER / f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.jsonl"
_seen: set[str] = set()


def say(text: str, whole: bool = True) -> None:
    """Once a worker, with the test that is running. ``whole``: all that a check says."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    if test and text not in _seen:
        _seen.add(text)
        with TARGET.open("a", encoding="utf-8") as file:
            file.write(json.dumps([test, text, whole]) + "\n")


_made, _raised = Evidence.__post_init__, ScoreproofError.__init__
_named = Diagnosis.__init__


def _made_and_said(self: Evidence) -> None:
    _made(self)
    if self.title:  # a public check's last word
        say(self.explain())


def _raised_and_said(self: ScoreproofError, *args: Any, **kwargs: Any) -> None:
    _raised(self, *args, **kwargs)
    say(str(self))


def _named_and_said(self: Diagnosis, *args: Any, **kwargs: Any) -> None:
    _named(self, *args, **kwargs)
    say(self.sentence, whole=False)


Evidence.__post_init__ = _made_and_said  # type: ignore[method-assign]
ScoreproofError.__init__ = _raised_and_said  # type: ignore[method-assign]
Diagnosis.__init__ = _named_and_said  # type: ignore[method-assign]
