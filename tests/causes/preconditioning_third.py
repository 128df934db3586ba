"""Wrong preconditionings that strangers wrote, in other numbers and another layout."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_preconditioning

D = 0.7


def _edm(s, d=D):
    total = s**2 + d**2
    return {
        "c_skip": d**2 / total,
        "c_out": s * d / np.sqrt(total),
        "c_in": 1 / np.sqrt(total),
        "c_noise": np.log(s) / 4,
    }


def _judged(change, **more) -> Evidence:
    def scalings(sigma):
        made = _edm(sigma) | change(sigma)
        return tuple(made.values())

    return check_preconditioning(scalings, sigma_data=D, **more)


@wrong("σ is overwritten by c_noise", says=r"c_in: it is formed with c_noise, log\(σ\)/4,")
def level_overwritten_by_embedding():
    def change(s):
        s = np.log(s) / 4
        return {"c_in": 1 / np.sqrt(s**2 + D**2)}

    return _judged(change)


@wrong("c_out takes c_in x for x's σ", says=r"c_out: it is formed with σ c_in in the place of σ")
def scaled_level_in_c_out():
    def change(s):
        s = s / np.sqrt(s**2 + D**2)
        return {"c_out": s * D / np.sqrt(s**2 + D**2)}

    return _judged(change)


@wrong("the root is kept, σ is not", says=r"c_noise, log\(σ\)/4, in the place of σ before the root")
def overwritten_after_the_root():
    def change(s):
        root = np.sqrt(s**2 + D**2)
        s = np.log(s) / 4
        return {"c_out": s * D / root}

    return _judged(change)


@wrong("(…) ** 1 / 2", says=r"c_in: the exponent 1/2 needs parentheses")
def exponent_without_parentheses():
    return _judged(lambda s: {"c_in": 1 / (s**2 + D**2) ** 1 / 2})


@wrong("a ** 2 ** 0.5", says=r"parentheses are missing, for \*\* 2 \*\* 0\.5")
def powers_to_the_right():
    return _judged(lambda s: {"c_in": 1 / (s**2 + D**2**0.5)})


@wrong("c_noise is switched off", says=r"c_noise: it is 0: the network is not told σ")
def no_embedding():
    return _judged(lambda s: {"c_noise": 0 * s})


@wrong("√(σ² + 1) for σ² + 1 in the v form", says=r"c_skip: it is 1 / √\(σ² \+ 1\)")
def root_in_the_skip():
    def scalings(sigma):
        root = (sigma**2 + 1) ** 0.5
        return 1 / root, -sigma / root, 1 / root

    return check_preconditioning(scalings, form="v")


@wrong("c_skip takes σ in tenths", says=r"σ_data is 0\.07 in it .*or σ is multiplied by 10")
def tenths_in_the_skip():
    return _judged(lambda s: {"c_skip": D**2 / ((10 * s) ** 2 + D**2)})


@wrong("the variance of the data for their deviation", says=r"is the variance of the data")
def variance_for_deviation():
    data = 0.4 * np.random.default_rng(1).standard_normal((3000, 5))
    own = float(data.var())
    return check_preconditioning(lambda s: tuple(_edm(s, own).values()), data=data, sigma_data=own)


@wrong("c_in and c_skip are returned in each other's place", says=r"c_skip and c_in are exchanged")
def skip_and_in_exchanged():
    def change(s):
        due = _edm(s)
        return {"c_skip": due["c_in"], "c_in": due["c_skip"]}

    return _judged(change)
