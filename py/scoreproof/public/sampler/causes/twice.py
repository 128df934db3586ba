"""Methods on σ that ask their model twice, as they stand in code.

Conventions: as in `texts`; ``x_0_2`` is what the second call predicts.
"""

from __future__ import annotations

__all__ = ["TWICE"]

_DOWN = """
sigma_up = eta * sqrt(sigma_next**2 * (sigma_t**2 - sigma_next**2) / sigma_t**2)
sigma_down = sqrt(sigma_next**2 - sigma_up**2)
"""
#: methods on σ that ask twice: name, statements, the level of the second call, whether η is free
TWICE = (
    (
        "Heun's method",
        """
d = (x - x_0) / sigma_t
mid = x + (sigma_next - sigma_t) * d
d_2 = (mid - x_0_2) / sigma_next
x_next = x + (sigma_next - sigma_t) * (0.5 * d + 0.5 * d_2)
""",
        "sigma_next",
        False,
    ),
    (
        "EDM's method of Heun",
        """
d = (x - x_0) / sigma_hat
mid = x + (sigma_next - sigma_hat) * d
d_2 = (mid - x_0_2) / sigma_next
mean = x + (sigma_next - sigma_hat) * (0.5 * d + 0.5 * d_2)
x_next = mean + sqrt(sigma_hat_next**2 - sigma_next**2) * z
""",
        "sigma_next",
        False,
    ),
    (
        "DPM2",
        """
d = (x - x_0) / sigma_t
mid = x + (sigma_mid - sigma_t) * d
d_2 = (mid - x_0_2) / sigma_mid
x_next = x + (sigma_next - sigma_t) * d_2
""",
        "sigma_mid",
        False,
    ),
    (
        "DPM2 ancestral",
        f"""{_DOWN}
mid_sigma = sqrt(sigma_t * sigma_down)
d = (x - x_0) / sigma_t
mid = x + (mid_sigma - sigma_t) * d
d_2 = (mid - x_0_2) / mid_sigma
x_next = x + (sigma_down - sigma_t) * d_2 + sigma_up * z
""",
        "mid_sigma",
        True,
    ),
    (
        "DPM-Solver++(2S)",
        """
s = sigma_next / sigma_t
mid = sqrt(s) * x + (1 - sqrt(s)) * x_0
x_next = s * x + (1 - s) * x_0_2
""",
        "sigma_mid",
        False,
    ),
    (
        "DPM-Solver++(2S) ancestral",
        f"""{_DOWN}
s = sigma_down / sigma_t
mid = sqrt(s) * x + (1 - sqrt(s)) * x_0
x_next = s * x + (1 - s) * x_0_2 + sigma_up * z
""",
        "sqrt(sigma_t * sigma_down)",
        True,
    ),
)
