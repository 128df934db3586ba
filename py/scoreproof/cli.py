# PYTHON_ARGCOMPLETE_OK
"""The command line: ``scoreproof verify | list | explain | check | lean``.

Exit statuses: 0 all hold; 1 a claim or the user's object refuted; 2 usage, or an object that cannot
be judged; 3 undecided or not run without stronger cover; 4 the tool itself failed; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from scoreproof import __version__
from scoreproof.errors import ScoreproofError, told

__all__ = ["main"]


def parser() -> argparse.ArgumentParser:
    """The argument parser of all commands."""
    root = argparse.ArgumentParser(
        prog="scoreproof",
        description="Check the mathematics of score-based generative models.",
        epilog=(
            "exit status: 0 holds · 1 refuted · 2 usage · 3 undecided or not run · 4 the tool"
            " failed · 130 interrupted"
        ),
    )
    root.add_argument("--version", action="version", version=f"scoreproof {__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    verify = commands.add_parser(
        "verify", help="run the claims' checks, planted faults and sharpness probes"
    )
    claims = verify.add_argument(
        "claims",
        nargs="*",
        metavar="CLAIM",
        help="claims to verify (default: all; see `scoreproof list`)",
    )
    _completed(claims, _claims)
    verify.add_argument(
        "--profile",
        choices=("quick", "default", "deep"),
        default="default",
        help="how much work to do (default: default)",
    )
    verify.add_argument(
        "--seed", type=_seed, default=0, help="seed of every random stream (default: 0)"
    )
    verify.add_argument(
        "--workers",
        type=_positive,
        default=None,
        metavar="N",
        help="processes (default: the processors at hand)",
    )
    verify.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write the result as JSON (- for standard output, instead of the table)",
    )
    verify.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write the result as one HTML page (needs the report extra)",
    )
    verify.add_argument(
        "--no-timings",
        action="store_true",
        help="leave seconds out of the JSON: the same bytes for any number of workers",
    )
    verify.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="all columns, a line a task, what was found on real data and public schedules",
    )
    verify.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="print nothing but errors; the exit status says it all",
    )

    commands.add_parser("list", help="list the claims, their checks and their faults")
    explain = commands.add_parser(
        "explain", help="what a claim says, when it holds, what each check can and cannot see"
    )
    _completed(explain.add_argument("claim", metavar="CLAIM"), _claims)

    check = commands.add_parser(
        "check", help="check an object of your own: `scoreproof check marginals module:object`"
    )
    what = check.add_argument(
        "what",
        metavar="WHAT",
        nargs="?",
        help=(
            "marginals, denoiser, score, kl, …: the part after check_ in the function's name;"
            " without it, what can be judged is listed"
        ),
    )
    _completed(what, _checks)
    check.add_argument(
        "target",
        metavar="module:object",
        nargs="?",
        help=(
            "an object, a dict of arguments, or a function that returns one; without it, what the"
            " check takes is printed, with an example"
        ),
    )
    check.add_argument(
        "--wrap",
        action="store_true",
        help="judge nothing: print a module that hands the object (or class) to the check",
    )
    check.add_argument(
        "--seed", type=_seed, help="seed of every random stream (default: the object's own, or 0)"
    )
    check.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write the evidence as JSON (- for standard output, instead of the explanation)",
    )
    check.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write the evidence as one HTML page (its picture needs the report extra)",
    )

    from scoreproof import lean

    lean.add_arguments(commands.add_parser("lean", help="build, audit or look up the Lean half"))
    return root


def _completed(action: argparse.Action, names: Callable[..., list[str]]) -> None:
    """Where argcomplete asks what a word could be."""
    action.completer = names  # type: ignore[attr-defined]


def _claims(**_: object) -> list[str]:
    from scoreproof.claims import NAMES

    return list(NAMES)


def _checks(**_: object) -> list[str]:
    from scoreproof.check_examples import NAMES

    return list(NAMES)


def _positive(text: str) -> int:
    return _whole(text, 1)


def _seed(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number >= {least} (got {text})")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    _make_streams_safe()
    root = parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could follow; no one else pays for it
        with suppress(ImportError):
            import argcomplete

            argcomplete.autocomplete(root)
    try:
        status = _run(root.parse_args(argv))
        sys.stdout.flush()
        return status
    except ScoreproofError as error:
        print(f"scoreproof: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("scoreproof: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `scoreproof explain … | head`
        from scoreproof.outputs import forget_stdout

        forget_stdout()
        return 0
    except Exception as error:
        print(f"scoreproof: the tool itself failed: {told(error)}", file=sys.stderr)
        return 4


def _make_streams_safe() -> None:
    """No verdict is lost for want of a letter (Windows pipes in cp1252: σ comes as \\u03c3), nor
    where a stream is closed (``>&-``).
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "verify":
        from scoreproof.commands import run_verify

        return run_verify(arguments)
    if arguments.command == "check":
        from scoreproof.user_object import run_check

        return run_check(arguments)
    if arguments.command == "lean":
        from scoreproof import lean

        return lean.run(arguments)
    from scoreproof.explain import explain_claim, list_claims

    print(list_claims() if arguments.command == "list" else explain_claim(arguments.claim))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
