"""The arguments of `check_path_kl`, validated once.

Conventions: P is what the first drift (or the control) makes, Q the other; both have one noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.arguments import a_function, a_library, accepted, count, one_of, seeded
from scoreproof.public.called import RANDOM
from scoreproof.public.path_kl.names import by_keyword, roles_of
from scoreproof.public.path_kl.problem import Problem, Sort, made

__all__ = ["Job", "Request", "validate"]

KNOWN = {
    "quantity": (("kl", "log_ratio"), 'the divergence, or log dP/dQ of each path: "log_ratio"'),
    "noise": (
        ("scalar", "diagonal", "full", "number", "matrix"),
        "it is what diffusion returns, g(t), (n, d) or (n, d, d), or a constant",
    ),
    "simulated": (("P", "Q"), "it is the law whose paths the function makes"),
    "control": (("noise", "drift"), "it is multiplied by the diffusion, or is added to the drift"),
    "layout": (
        ("time first", "batch first", "one path"),
        "paths are (K + 1, n, d), (n, K + 1, d) or one at a time, (K + 1, d)",
    ),
    "reduction": (("none", "mean", "sum"), "it is what is done over the batch"),
}


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `check_path_kl` as they were given."""

    function: Any
    said: Mapping[str, str | None]
    given: Any
    shape: Any
    options: Any
    tolerance: Any
    framework: str | None
    dtype: Any
    seed: Any


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request. ``roles``: argument → what it is."""

    function: Callable[..., Any]
    name: str
    roles: Mapping[str, str]
    keyword: bool
    said: Mapping[str, str | None]
    d: int
    options: Mapping[str, Any]
    tolerance: float | None
    framework: str
    dtype: Any
    seed: int
    #: a state is a number, without an axis for its one coordinate
    flat: bool
    #: drifts, and noise, that are not told the time
    still: tuple[bool, bool] = (False, False)

    @property
    def taken(self) -> set[str]:
        return set(self.roles.values())

    @property
    def ratio(self) -> bool:
        """The logarithm of the density is asked for, not its mean."""
        return self.said["quantity"] == "log_ratio"

    @property
    def simulates(self) -> bool:
        """It makes its paths itself."""
        return "x" not in self.taken

    @property
    def starts(self) -> bool:
        """It draws the start of its paths itself."""
        return self.simulates and "x0" not in self.taken

    @property
    def single(self) -> bool:
        return self.said["layout"] == "one path"

    @property
    def even(self) -> bool:
        """All steps are alike: it is not told where they are."""
        return "t" not in self.taken or bool({"dt", "steps", "t1"} & self.taken)

    @property
    def kind(self) -> str:
        if "control" in self.taken:
            return "control"
        return "scores" if "score0" in self.taken else "drifts"

    @property
    def noise(self) -> str:
        """Scalar, unless it is said."""
        return str(self.said["noise"])

    def problem(self, index: int, bent: bool = True, small: float = 1.0) -> Problem:
        """One of its own for each index."""
        sort = Sort(
            self.kind,
            self.noise,
            str(self.said["control"]),
            bent=bent,
            based=bool({"drift1", "sde"} & self.taken),
            still=self.still,
            zero="t0" not in self.taken and ("t" not in self.taken or "t1" in self.taken),
            small=small,
        )
        return made(self.seed * 100 + index, self.d, sort)


def validate(given: Request) -> Job:
    """The request as a job; raises ``ArgumentError``."""
    a_function(
        "path_kl",
        given.function,
        "a function of two drifts",
        "pass path_kl(drift0, drift1, diffusion, x, t), or one that makes its paths",
    )
    framework = a_library(given.framework, given.function, "function")
    options = {} if given.options is None else given.options
    if not isinstance(options, Mapping):
        raise ArgumentError(
            "options", "a dictionary of arguments by name", repr(options), "e.g. options={'n': 8}"
        )
    for name, (known, remedy) in KNOWN.items():
        if name != "reduction" or given.said[name] is not None:
            one_of(name, given.said[name], known, remedy)
    roles = roles_of(given.function, given.given, options)
    _complete(set(roles.values()), given, framework)
    flat, d = _sized(given.shape)
    if given.said["noise"] in ("full", "diagonal", "matrix") and d < 2:
        raise ArgumentError(
            "shape", ">= 2 for this noise", given.shape, 'in one dimension say noise="scalar"'
        )
    return Job(
        given.function,
        str(getattr(given.function, "__name__", type(given.function).__name__)),
        roles,
        by_keyword(given.function, given.given),
        given.said,
        d,
        dict(options),
        accepted(given.tolerance),
        framework,
        given.dtype,
        seeded(given.seed),
        flat,
    )


def _sized(shape: Any) -> tuple[bool, int]:
    """Whether a state is a number, and how many coordinates it has."""
    if isinstance(shape, tuple | list) and len(shape) > 1:
        raise ArgumentError(
            "shape",
            "how many coordinates a state has, e.g. 48, or (): a state is a vector or a number",
            repr(tuple(shape)),
            f"flatten: pass shape={int(np.prod(shape))} and a function that reshapes what it is"
            " handed, x.reshape(-1, *sizes), and what drifts are told",
        )
    if isinstance(shape, tuple | list):
        flat = not shape
        shape = shape[0] if shape else 1
    else:
        flat = False
    return flat, count("shape", shape, 1, "a state is a vector, e.g. shape=3, or a number: ()")


def _complete(taken: set[str], given: Request, framework: str) -> None:
    pairs = ({"drift0", "drift1"}, {"score0", "score1"}, {"control"}, {"sde"})
    if not any(p <= taken for p in pairs):
        raise ArgumentError(
            "path_kl",
            "a function of two drifts, two scores, a control or an sde with f, g and h",
            f"one that takes {', '.join(sorted(taken)) or 'nothing'}",
            'say what its arguments are, e.g. given=("drift0", "drift1", "diffusion", "x", "t")',
        )
    places = {"x", "x0"} & taken or ({"mean0", "std0"} <= taken and RANDOM & taken)
    torch = framework == "torch"
    drawn = {"z", "dW"} & taken or RANDOM & taken or torch
    if not places or ("x" not in taken and not drawn):
        raise ArgumentError(
            "path_kl",
            "a function of paths x, or of x0 and where it draws (rng, key, noise)",
            f"one that takes {', '.join(sorted(taken))}",
            "let it take x (the path) and t, or x0, t and rng",
        )
    if not {"x", "x0", "batch_size"} & taken:
        raise ArgumentError(
            "path_kl",
            "told how many paths it makes, as it draws their starts itself",
            f"a function of {', '.join(sorted(taken))}",
            "let it take batch_size, or x0",
        )
    if not {"t", "dt", "steps"} & taken:
        raise ArgumentError(
            "path_kl",
            "a function that is told the times of the steps",
            f"one that takes {', '.join(sorted(taken))}",
            "let it take t (all times), dt or n_steps",
        )
    if given.said["simulated"] == "Q" and given.said["quantity"] == "kl":
        raise ArgumentError(
            "simulated",
            '"P" for the divergence, which is a mean under P',
            "'Q'",
            'name the drifts the other way round by given=, or pass quantity="log_ratio"',
        )
    if given.said["quantity"] == "log_ratio" and taken >= {"score0"}:
        raise ArgumentError(
            "quantity", '"kl" for two scores', "'log_ratio'", "hand over drifts for log dP/dQ"
        )
