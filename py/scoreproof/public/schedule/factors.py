"""A table as a product of powers of β_t, 1 - β_t, ᾱ_{t-1}, 1 - ᾱ_t and 1 - ᾱ_{t-1}: whatever slip
made it.

Conventions: powers are halves; ᾱ_t is ᾱ_{t-1} (1 - β_t).
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.schedule.tables import Base

__all__ = ["product"]

#: the largest power of a formula that is believed
MOST = 2.0


def product(
    values: np.ndarray, base: Base, allowed: np.ndarray, due: np.ndarray
) -> tuple[str, np.ndarray] | None:
    """The formula and its values, ``None`` if these are no such product; where ``due`` is one as
    well, which factors are others.

    >>> b = Base(np.linspace(0.01, 0.3, 12), np.cumprod(1 - np.linspace(0.01, 0.3, 12)), 1e-16)
    >>> product(2 * b.betas / (1 - b.bar) ** 0.5, b, np.full(12, 1e-6), np.ones(12))[0]
    '2 β_t / √(1 - ᾱ_t)'
    """
    found, wanted = _powers(values, base, allowed), _powers(due, base, allowed)
    if found is None or not any(found[1].values()):
        return None
    text, of = _words(*found), _values(base, *found)
    if wanted is None:
        return text, of
    if found[1] == wanted[1] and abs(found[0] / wanted[0] - 1) < 1e-5:
        return None
    slips = _slips(found[1], wanted[1])
    return (f"{text}, {slips[0]}" if len(slips) == 1 else text), of


def _values(base: Base, constant: float, powers: dict[str, float]) -> np.ndarray:
    with np.errstate(all="ignore"):
        logs = sum(p * v for p, v in zip(powers.values(), _logs(base).values(), strict=True) if p)
        return np.asarray(constant * np.exp(logs))


def _logs(base: Base) -> dict[str, np.ndarray]:
    """Of the factors."""
    with np.errstate(all="ignore"):
        return {
            "β_t": np.log(base.betas),
            "(1 - β_t)": np.log(1 - base.betas),
            "ᾱ_{t-1}": np.log(base.before),
            "(1 - ᾱ_t)": np.log(1 - base.bar),
            "(1 - ᾱ_{t-1})": np.log(1 - base.before),
        }


def _slips(found: dict[str, float], wanted: dict[str, float]) -> list[str]:
    """Each factor that is another: left out, too much, or one for the other."""
    now, due = dict(found), dict(wanted)
    slips = []
    step, before = "(1 - β_t)", "ᾱ_{t-1}"
    if now[step] == now[before] != 0:  # together they are ᾱ_t
        for name, other in ((step, before), (before, step)):
            if due[name] == now[name] and due[other] == 0:
                slips.append(f"with {_power('ᾱ_t', now[step])} for {_power(name, due[name])}")
                now[other] = 0.0
                break
    for name, power in now.items():
        if not due[name] and power:
            slips.append(f"with {_power(name, power)} that is too much")
        elif due[name] and not power:
            slips.append(f"without {_power(name, due[name])}")
        elif power != due[name]:
            slips.append(f"with {_power(name, power)} for {_power(name, due[name])}")
    return slips


def _powers(
    values: np.ndarray, base: Base, allowed: np.ndarray
) -> tuple[float, dict[str, float]] | None:
    """The constant and the power of each factor."""
    logs = _logs(base)
    with np.errstate(all="ignore"):
        target = np.log(values)
    fits = np.all([np.isfinite(v) for v in (*logs.values(), target)], axis=0)
    if np.sum(fits) < 2 * len(logs):
        return None
    columns = np.column_stack([np.ones(int(fits.sum())), *(v[fits] for v in logs.values())])
    found = np.linalg.lstsq(columns, target[fits], rcond=None)[0]
    powers = np.round(2 * found[1:]) / 2
    if np.max(np.abs(powers)) > MOST:
        return None
    rest = target[fits] - columns[:, 1:] @ powers
    constant = float(np.median(rest))
    if np.any(np.abs(rest - constant) > allowed[fits]) or abs(constant) > 50:
        return None
    return float(np.exp(constant)), dict(zip(logs, powers.tolist(), strict=True))


def _words(constant: float, powers: dict[str, float]) -> str:
    first, second = powers["(1 - β_t)"], powers["ᾱ_{t-1}"]
    if first == second:  # together they are ᾱ_t
        powers = {"ᾱ_t": first, **powers, "(1 - β_t)": 0.0, "ᾱ_{t-1}": 0.0}
    above = [_power(n, p) for n, p in powers.items() if p > 0]
    below = [_power(n, -p) for n, p in powers.items() if p < 0]
    if abs(constant - 1) > 1e-5:
        above.insert(0, f"{constant:.6g}")
    bottom = f"({' '.join(below)})" if len(below) > 1 else "".join(below)
    return f"{' '.join(above) or '1'}{f' / {bottom}' if below else ''}"


def _power(name: str, power: float) -> str:
    if power < 0:
        return f"1 / {_power(name, -power)}"
    return {0.5: f"√{name}", 1.0: name, 1.5: f"{name}^(3/2)", 2.0: f"{name}²"}[power]
