"""What is mistaken for what in the formulas of samplers.

Conventions: names as in `texts`.
"""

from __future__ import annotations

__all__ = ["NOISES", "OTHERS", "VECTORS"]

#: names that are no plain numbers
VECTORS = frozenset(
    [
        "x",
        "out",
        "out_2",
        "out_3",
        "out_4",
        "z",
        "z_2",
        "x_0",
        "x_0_old",
        "x_0_2",
        "eps",
        "eps_old",
        "d",
        "d_2",
        "mid",
        "mid_2",
        "mid_3",
        "mean",
        "x_next",
        "score",
        "score_2",
        "D",
        "v",
        "slope",
        "slope_2",
        "k_23",
        "o1",
        "o2",
        "o3",
        "c1",
        "c2",
    ]
)


#: what stands for a name by mistake
OTHERS: dict[str, tuple[str, ...]] = {
    "abar_t": ("abar_prev", "alpha_t"),
    "abar_prev": ("abar_t", "alpha_t"),
    "alpha_t": ("abar_t", "abar_prev", "beta_t"),
    "beta_t": ("alpha_t", "var", "beta_table"),
    "var": ("beta_t", "beta_table"),
    "std": ("var", "eta"),
    "a_t": ("a_next", "sigma_t"),
    "a_next": ("a_t", "sigma_next"),
    "sigma_t": ("sigma_next", "a_t", "sigma_down", "sigma_mid"),
    "sigma_next": ("sigma_t", "a_next", "sigma_mid"),
    "sigma_mid": ("sigma_t", "sigma_next", "sigma_down"),
    "sigma_down": ("sigma_next", "sigma_up", "sigma_t"),
    "sigma_up": ("sigma_down", "sigma_next", "sigma_t"),
    "sigma_hat": ("sigma_t", "sigma_next"),
    "sigma_hat_next": ("sigma_hat",),
    "h": ("h_log10", "h_log2", "h_prev"),
    "h_prev": ("h",),
    "g2": ("g", "g2_next", "sigma_t"),
    "f": ("f_next",),
    "t_next": ("t",),
    "t": ("t_next",),
    "d_2": ("d",),
    "d": ("d_2", "eps", "out"),
    "x_0": ("eps", "out"),
    "eps": ("x_0", "out"),
    "score": ("out", "eps"),
    "mid": ("x",),
    "mid_2": ("mid", "x"),
    "mid_3": ("mid_2", "x"),
    "x": ("x_0",),
    "out_2": ("out",),
    "out_3": ("out_2",),
    "out_4": ("out_3",),
    "x_0_2": ("x_0",),
    "score_2": ("score",),
    "z_2": ("z",),
}


#: what stands in front of z by mistake
NOISES = (
    "sqrt(1 - abar_prev)",
    "sqrt(1 - abar_t)",
    "sqrt(beta_t)",
    "beta_t",
    "sigma_next",
    "sigma_t",
    "eta",
    "eta * sqrt(1 - abar_prev)",
    "eta * sqrt(1 - abar_t)",
    "eta * sqrt(beta_t)",
    "sqrt(sigma_t**2 - sigma_next**2)",
    "sqrt(sigma_t - sigma_next)",
    "sigma_t - sigma_next",
    "sqrt(dt)",
    "dt",
    "sqrt(2 * dt)",
    "sqrt(h)",
    "sigma_t * sqrt(dt)",
    "sigma_next * sqrt(dt)",
)
