"""The conserved quantity behind the adjoint, as a polynomial identity over Q: for one ν, and
averaged over designs.

Conventions: a variation (δθ, δz, δℓ̂) of the trajectory obeys ``δz' = J δz + F δθ`` and ``δℓ̂' =
-δq``, q = ν^T J ν. Along it
``d(a·δz + b·δθ)/ds = -δq``, so that b(1)·δθ = a(0)·δz(0) - δℓ̂(0) = δ log p̂ when δz(1) = δℓ̂(1) =
0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.faults import Spare
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.objects.fields import Dense

__all__ = ["designs", "identity", "rademacher_vectors", "scaled_basis"]


@dataclass(frozen=True)
class Symbols:
    """Every ingredient of the formula as an independent symbol: second derivatives symmetric,
    nothing else assumed.
    """

    local: Dense
    mirrored: Dense
    vectors: dict[str, np.ndarray]  # a, nu, fresh, dz, dtheta, score (at z(0)), score_x (at x)
    scalars: dict[str, Any]  # log_latent, log_latent_x, ell0, dell0
    count: int


def _row(entries: list[Any]) -> np.ndarray:
    """An object array; NumPy would take a polynomial for a sequence of its terms."""
    out = np.empty(len(entries), dtype=object)
    for i, entry in enumerate(entries):
        out[i] = entry
    return out


def _arrays(d: int, p: int, take: Callable[[str], Any], tilde: str) -> Dense:
    def array(name: str, *shape: int, symmetric: bool = False) -> np.ndarray:
        out = np.empty(shape, dtype=object)
        for index in np.ndindex(*shape):
            key = (index[0], *sorted(index[1:])) if symmetric else index
            out[index] = take(tilde + name + "_".join(map(str, key)))
        return out

    return Dense(
        array("J", d, d), array("F", d, p), array("H", d, d, d, symmetric=True), array("G", d, d, p)
    )


def _symbols(d: int, p: int, rng: Any) -> Symbols:
    from flint import Ordering, fmpq_mpoly_ctx

    names: list[str] = []

    def collect(name: str) -> Any:
        if name not in names:
            names.append(name)
        return None

    sizes = {"a": d, "nu": d, "fresh": d, "dz": d, "dtheta": p, "score": d, "score_x": d}
    scalars = ("log_latent", "log_latent_x", "ell0", "dell0")
    for tilde in ("", "m"):
        _arrays(d, p, collect, tilde)
    names += [f"{n}{i}" for n, size in sizes.items() for i in range(size)] + list(scalars)
    context = fmpq_mpoly_ctx.get(names, Ordering.degrevlex)
    ring = dict(zip(names, context.gens(), strict=True))
    vectors = {n: _row([ring[f"{n}{i}"] for i in range(size)]) for n, size in sizes.items()}
    return Symbols(
        _arrays(d, p, ring.__getitem__, ""),
        _arrays(d, p, ring.__getitem__, "m"),
        vectors,
        {n: ring[n] for n in scalars},
        len(names),
    )


@dataclass(frozen=True)
class _Latent:
    """p_Z by symbols: a value and a gradient at z(0), others at x."""

    symbols: Symbols

    def _of(self, name: str, point: str) -> Any:
        store = self.symbols.scalars if name == "log_latent" else self.symbols.vectors
        return store[name if point == "z0" else name + "_x"]

    def log_density(self, point: str) -> Any:
        return self._of("log_latent", point)

    def score(self, point: str) -> Any:
        return self._of("score", point)


@dataclass(frozen=True)
class _Varied(_Latent):
    """The same p_Z after the variation δz(0) of z(0); x does not vary."""

    def log_density(self, point: str) -> Any:
        v = self.symbols.vectors
        return self._of("log_latent", point) + (
            (v["score"] * v["dz"]).sum() if point == "z0" else 0
        )


def _residuals(
    subject: Any, s: Symbols, pairs: list[tuple[np.ndarray, np.ndarray]], variation: Any
) -> list[Any]:
    """What must vanish: the rates of a·δz + b·δθ and of δℓ̂ (means over the pairs (ν, fresh ν)),
    the start, the estimate.
    """
    v, local = s.vectors, s.local
    dz_rate, f_rate = (
        local.jvp(v["dz"]),
        (local.parameter_jacobian * v["dtheta"][None, :]).sum(axis=-1),
    )
    along = ell = 0
    for nu, fresh in pairs:
        ell_rate, a_rate, b_rate = subject.rates(local, v["a"], nu, Spare(fresh, s.mirrored))
        along = (
            along
            + (a_rate * v["dz"]).sum()
            + (v["a"] * (dz_rate + f_rate)).sum()
            + (b_rate * v["dtheta"]).sum()
        )
        ell = ell + ell_rate
    delta, value = variation
    a0, b0 = subject.start(_Latent(s), "z0", "x")
    first, ell0, dell0 = _Latent(s), s.scalars["ell0"], s.scalars["dell0"]
    change = subject.estimate(_Varied(s), "z0", "x", ell0 + dell0) - subject.estimate(
        first, "z0", "x", ell0
    )
    begin = (a0 * v["dz"]).sum() + (b0 * v["dtheta"]).sum() - dell0 - change
    return [
        along + len(pairs) * delta,
        ell + len(pairs) * value,
        begin,
        subject.estimate(first, "z0", "x", ell0) - s.scalars["log_latent"] + ell0,
    ]


def _verdict(residuals: list[Any], sentence: str, symbols: int) -> Evidence:
    terms = sum(len(r) if hasattr(r, "__len__") else int(r != 0) for r in residuals)
    return Evidence.exact(terms, f"{terms} terms remain of {sentence}", cost={"symbols": symbols})


def _sizes(profile: str) -> tuple[Instance, ...]:
    sizes = {
        "faults": ((2, 1),),
        "quick": ((2, 2),),
        "default": ((2, 2), (3, 2)),
        "deep": ((3, 3), (5, 4)),
    }[profile]
    return tuple(Instance(f"D = {d}, P = {p}", partial(_symbols, d, p)) for d, p in sizes)


@check(kind="exact", instances=_sizes)
def identity(subject: Any, s: Symbols, rng: Any) -> Evidence:
    """Writes d(a·δz + b·δθ)/ds + δ(ν^T J ν), the rate of ℓ̂, and what the start values owe to δ log
    p̂ as polynomials over Q in the entries of a, J, ∂f/∂θ, the second derivatives, ν and the
    variations: all must vanish, for every smooth field of these D and P at once.
    """
    v, local = s.vectors, s.local
    nu = v["nu"]
    # δq from the second derivatives themselves, term by term, not from quad_z and quad_theta
    weights = np.multiply.outer(nu, nu)
    delta = sum(
        weights[i, j]
        * ((local.hessian[i, j] * v["dz"]).sum() + (local.mixed[i, j] * v["dtheta"]).sum())
        for i, j in np.ndindex(*weights.shape)
    )
    value = sum(weights[i, j] * local.jacobian[i, j] for i, j in np.ndindex(*weights.shape))
    return _verdict(
        _residuals(subject, s, [(nu, v["fresh"])], (delta, value)),
        "the conserved quantity a·δz + b·δθ - δℓ̂ at a fixed ν",
        s.count,
    )


# -- expectation over designs -------------------------------------------------------------------


def rademacher_vectors(d: int) -> list[tuple[int, ...]]:
    """All of {±1}^d."""
    return list(product((1, -1), repeat=d))


def scaled_basis(d: int, rng: np.random.Generator) -> list[list[Any]]:
    """The vectors ``√D Q e_i`` for a random rational orthogonal Q (Cayley), D a square."""
    from flint import fmpq, fmpq_mat

    root = round(d**0.5)
    entries = [[fmpq(0)] * d for _ in range(d)]
    for i, j in np.ndindex(d, d):
        if i < j:
            entries[i][j] = fmpq(int(rng.integers(1, 9)), 5)
            entries[j][i] = -entries[i][j]
    skew, one = (
        fmpq_mat(entries),
        fmpq_mat([[fmpq(int(i == j)) for j in range(d)] for i in range(d)]),
    )
    q = (one - skew) * (one + skew).inv()
    return [[q[i, j] * root for i in range(d)] for j in range(d)]


@dataclass(frozen=True)
class Design:
    symbols: Symbols
    vectors: list[Any]
    name: str


def _design(kind: str, d: int, p: int, rng: np.random.Generator) -> Design:
    if kind == "Hadamard":
        vectors: list[Any] = [(1, 1), (1, -1)]
    else:
        vectors = rademacher_vectors(d) if kind == "signs" else scaled_basis(d, rng)
    return Design(_symbols(d, p, rng), vectors, kind)


def _designs(profile: str) -> tuple[Instance, ...]:
    kinds = {
        "faults": (("Hadamard", 2, 1),),
        "quick": (("Hadamard", 2, 1), ("signs", 3, 1)),
        "default": (("signs", 3, 2), ("basis", 4, 1)),
        "deep": (("signs", 4, 2), ("basis", 4, 3), ("signs", 6, 1)),
    }[profile]
    labels = {
        "Hadamard": "√D Q e_i, Q Hadamard",
        "signs": "all of {±1}^D",
        "basis": "√D Q e_i, Q rational",
    }
    return tuple(
        Instance(f"{labels[k]}, D = {d}, P = {p}", partial(_design, k, d, p)) for k, d, p in kinds
    )


UNBIASED = "any draw with E[νν^T] = I gives the same mean: unbiased, and wrong only at a fixed ν"


@check(kind="exact", instances=_designs, blind={"fresh_nu": UNBIASED, "trace_in_adjoint": UNBIASED})
def designs(subject: Any, design: Design, rng: Any) -> Evidence:
    """Averages the same polynomials over finite sets of ν with mean νν^T = I, the D vectors √D Q
    e_i (Q orthogonal with rational entries) and all of {±1}^D: the mean must be the identity for
    the trace, d(a·δz + b·δθ)/ds = -δ tr J, exactly.
    """
    s = design.symbols
    one = s.scalars["ell0"] * 0 + 1
    nus = [_row([one * c for c in vector]) for vector in design.vectors]
    pairs = list(zip(nus, nus[1:] + nus[:1], strict=True))  # the fresh ν runs through the same set
    v, local, axes = s.vectors, s.local, range(len(s.vectors["a"]))
    delta = sum(
        (local.hessian[i, i] * v["dz"]).sum() + (local.mixed[i, i] * v["dtheta"]).sum()
        for i in axes
    )
    value = sum(local.jacobian[i, i] for i in axes)
    sentence = (
        f"the mean over {len(nus)} vectors ν of the conserved quantity, with tr J for ν^T J ν"
    )
    return _verdict(_residuals(subject, s, pairs, (delta, value)), sentence, s.count)
