"""Errors a caller can act on: each names the argument, what was expected, what came, and the
remedy.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ArgumentError",
    "CallableError",
    "Failed",
    "MissingExtraError",
    "ScoreproofError",
    "told",
]


class ScoreproofError(Exception):
    """Base class of every error scoreproof raises on purpose."""


class ArgumentError(ScoreproofError, ValueError):
    """An argument is not what the function needs.

    The message reads ``<argument> must be <expected> (got <value>); <remedy>``.

    >>> raise ArgumentError("sigma1", "> 0", -0.5, "pass a standard deviation, not a log")
    Traceback (most recent call last):
        ...
    scoreproof.errors.ArgumentError: sigma1 must be > 0 (got -0.5); pass a standard deviation, not a
    log
    """

    def __init__(self, argument: str, expected: str, got: object, remedy: str) -> None:
        self.argument, self.expected, self.got, self.remedy = argument, expected, got, remedy
        super().__init__(f"{argument} must be {expected} (got {got}); {remedy}")

    def __reduce__(
        self,
    ) -> tuple[Any, ...]:  # exceptions cross process boundaries by their arguments
        return type(self), (self.argument, self.expected, str(self.got), self.remedy)


class CallableError(ScoreproofError):
    """A user's callable raised, or returned something that cannot be judged.

    The message names the callable, says what was expected of it, what happened, and the remedy.
    """

    def __init__(self, name: str, expected: str, got: str, remedy: str) -> None:
        self.name, self.expected, self.got, self.remedy = name, expected, got, remedy
        super().__init__(f"{name} must {expected} ({got}); {remedy}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.expected, self.got, self.remedy)


class MissingExtraError(ScoreproofError, ImportError):
    """Optional dependencies are not installed; the message gives the pip command."""

    def __init__(self, extra: str, *packages: str) -> None:
        self.extra, self.package, self.packages = extra, packages[0], packages
        *rest, last = packages
        named = f"{', '.join(rest)} and {last} are" if rest else f"{last} is"
        # scoreproof is on no package index: the packages themselves are
        super().__init__(
            f"{named} not installed; run: pip install {' '.join(packages)} (or, in a checkout of"
            f" scoreproof, pip install '.[{extra}]')"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.extra, *self.packages)


class Failed(RuntimeError):
    """The tool itself failed, in another process or earlier: in words, the type among them."""


def told(error: BaseException) -> str:
    """An error in words, with its type once.

    >>> told(ValueError("no such font")), told(Failed("ValueError: no such font"))
    ('ValueError: no such font', 'ValueError: no such font')
    """
    return str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
