"""``scoreproof check``: an object of the user's, found by its module and name, handed to one of the
public checks.
"""

from __future__ import annotations

import argparse
import inspect
import json
import shlex
from typing import Any, NamedTuple

from scoreproof.apart import apart
from scoreproof.errors import ArgumentError, Failed, told
from scoreproof.loading import arguments_of, load, parts_of
from scoreproof.outputs import Text, check_outputs, deliver, is_stdout, print_json

__all__ = ["run_check"]

EXIT = {"holds": 0, "refuted": 1, "undecided": 3, "not run": 3}


def run_check(asked: argparse.Namespace) -> int:
    """``scoreproof check WHAT module:object``: print the explanation and return the exit status.

    The object is a mapping of the check's arguments, an object with attributes of their names
    (``drift``, ``diffusion``, ``marginal``), or a function without arguments that returns either,
    or for checks of one callable that callable. ``asked.json`` takes the evidence as JSON
    (``report/evidence.schema.json``; ``-`` is standard output, in place of the explanation),
    ``asked.html`` the page of it. Without an object the check explains itself, without a check all
    of them are listed.
    """
    from scoreproof import check_examples

    if asked.what is None:
        _need_an_object(asked, "WHAT module:object")
        print(check_examples.listed())
        return 0
    what = asked.what.removeprefix("check_")
    if what not in check_examples.NAMES:
        raise ArgumentError(
            "WHAT",
            f"one of {', '.join(check_examples.NAMES)}",
            what,
            "it is the part after check_ in the function's name",
        )
    target = asked.target
    if target in (None, "help"):
        _need_an_object(asked, f"{what} module:object")
        print(check_examples.manual(what))
        return 0
    parts_of(target)
    if asked.wrap:
        _only_wrap(asked)
        from scoreproof.wrapping import wrapper

        print(apart(lambda: wrapper(what, target, load(target)), target), end="")
        return 0
    check_outputs(asked.json, asked.html)
    seed = "" if asked.seed is None else f" --seed {asked.seed}"
    command = f"scoreproof check {what} {shlex.quote(target)}{seed}"
    page = command if asked.html is not None else None
    to_stdout = is_stdout(asked.json)
    found = apart(lambda: _judged(what, target, asked.seed, page), target, aside=to_stdout)
    text = json.dumps(found.document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    complete = deliver(
        lambda: print_json(text) if to_stdout else print(found.explanation),
        Text(asked.json, lambda: text),
        Text(asked.html, found.page_or_error),
    )
    return EXIT[found.document["verdict"]] if complete else 4


def _given(asked: argparse.Namespace) -> list[str]:
    return [f"--{name}" for name in ("seed", "json", "html") if getattr(asked, name) is not None]


def _need_an_object(asked: argparse.Namespace, words: str) -> None:
    """A manual is for who asks for nothing else: in a job whose variable is empty, it would pass
    for a verdict.
    """
    given = [*_given(asked), *(["--wrap"] if asked.wrap else [])]
    if given:
        raise ArgumentError(
            words, f"named with {', '.join(given)}", "no object", "e.g. mysde:sde; or drop these"
        )


def _only_wrap(asked: argparse.Namespace) -> None:
    given = _given(asked)
    if given:
        raise ArgumentError(
            "--wrap", "alone", f"{', '.join(given)} with it", "it judges nothing: drop one"
        )


class Judged(NamedTuple):
    """The evidence as JSON has it, in words, and as a page, or why there is none."""

    document: dict[str, Any]
    explanation: str
    page: str
    no_page: str = ""

    def page_or_error(self) -> str:
        if self.no_page:
            raise Failed(self.no_page)
        return self.page


def _judged(what: str, target: str, seed: int | None, command: str | None) -> Judged:
    """``command``: what a page would say made it; no page without it."""
    thing = load(target)
    import scoreproof

    function = getattr(scoreproof, f"check_{what}")
    arguments = arguments_of(function, thing, target)
    if "seed" in inspect.signature(function).parameters:
        if seed is not None:  # the command's own goes before the object's
            arguments["seed"] = seed
    elif seed is not None:
        raise ArgumentError("--seed", f"left out: check_{what} draws nothing", seed, "drop it")
    evidence = function(**arguments)
    document, explanation = evidence.to_dict(), evidence.explain()
    if command is None:
        return Judged(document, explanation, "")
    from scoreproof.report.evidence_page import evidence_page

    try:
        return Judged(document, explanation, evidence_page(evidence, command))
    except Exception as error:  # a verdict without its page is a verdict
        return Judged(document, explanation, "", told(error))
