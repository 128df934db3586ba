"""Wrong preconditionings that strangers wrote, in other numbers and another layout."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_preconditioning

D = 0.8


def edm(**change) -> Evidence:
    due = {
        "c_skip": lambda s: D**2 / (s**2 + D**2),
        "c_out": lambda s: s * D / np.sqrt(s**2 + D**2),
        "c_in": lambda s: 1 / np.sqrt(s**2 + D**2),
        "c_noise": lambda s: np.log(s) / 4,
    }
    return check_preconditioning(due | change, sigma_data=D)


def velocity(**change) -> Evidence:
    due = {
        "c_skip": lambda s: 1 / (s**2 + 1),
        "c_out": lambda s: -s / np.sqrt(s**2 + 1),
        "c_in": lambda s: 1 / np.sqrt(s**2 + 1),
    }
    return check_preconditioning(due | change, form="v")


@wrong("c_out of a network that answers with -v", says=r"c_out: its sign is wrong.*with -v")
def sign_of_v():
    return velocity(c_out=lambda s: s / np.sqrt(s**2 + 1))


@wrong("c_out is that of ε", says=r"c_out: it is -σ")
def coefficient_of_noise():
    return velocity(c_out=lambda s: -s)


@wrong("the level is not squared", says=r"c_skip: it is 1 / \(σ \+ 1\)")
def level_without_square():
    return velocity(c_skip=lambda s: 1 / (s + 1))


@wrong("log(σ/4)", says=r"log\(σ/4\), where log\(σ\)/4 is due: the 4 divides σ")
def quarter_inside():
    return edm(c_noise=lambda s: np.log(s / 4))


@wrong("log₂ σ without the quarter", says=r"it is log2\(σ\), where log\(σ\)/4 is due")
def binary_logarithm():
    return edm(c_noise=np.log2)


@wrong("another σ_data throughout", says=r"in c_skip, c_out and c_in σ_data is 0\.4 in it")
def other_deviation():
    s2 = 0.4**2
    return edm(
        c_skip=lambda s: s2 / (s**2 + s2),
        c_out=lambda s: s * 0.4 / np.sqrt(s**2 + s2),
        c_in=lambda s: 1 / np.sqrt(s**2 + s2),
    )


def of_noise(**change) -> Evidence:
    due = {
        "c_skip": np.ones_like,
        "c_out": lambda s: -s,
        "c_in": lambda s: 1 / np.sqrt(s**2 + 1),
    }
    return check_preconditioning(due | change, form="eps")


@wrong("c_in has EDM's σ_data", says=r"c_in: it is EDM's.* σ_data = 0\.8 .*1 is due in the place")
def input_for_other_data():
    return of_noise(c_in=lambda s: 1 / np.sqrt(s**2 + D**2))


@wrong("c_skip is EDM's", says=r"c_skip: it is EDM's.* σ_data = 0\.8 .*1 is due")
def skip_for_other_data():
    return of_noise(c_skip=lambda s: D**2 / (s**2 + D**2))
