"""Which β these are, if they are not those of their form: the form with another parameter, on
another grid, rescaled otherwise, or another form.

Conventions: clauses after "it is …", or "it has …" where they begin with the form; the simplest
first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from scoreproof.public.schedule.ends import told_ends
from scoreproof.public.schedule.forms import BETA_FORMS, made, names, rescaled, usual_of

__all__ = ["betas_instead"]

Likely = Iterator[tuple[str, np.ndarray]]


def betas_instead(form: str, options: Mapping[str, Any], values: np.ndarray) -> Likely:
    """What they may be, in words, with the values."""
    with np.errstate(all="ignore"):
        if options.get("rescale_betas_zero_snr"):
            yield from _rescalings(form, options, values)
        yield from _functions(form, options, values)
        if form == "exp":  # constant
            rate = -len(values) * float(np.log1p(-values[0]))
            likely = made("exp", {"rate": rate}, values, False)[0][1]
            yield f"the form 'exp' with the rate {rate:.6g}", likely
        yield from _other_forms(form, options, values)
        yield from _own_ends(form, values, options)
        if form in ("cosine", "squaredcos_cap_v2"):
            yield from _cosines(values)
        if form == "sigmoid":
            yield from _sigmoids(values, options)


def _rescalings(form: str, options: Mapping[str, Any], values: np.ndarray) -> Likely:
    """To zero terminal SNR, by other ways than √ᾱ → (√ᾱ - √ᾱ_T) √ᾱ_0 / (√ᾱ_0 - √ᾱ_T)."""
    plain = {k: v for k, v in options.items() if k != "rescale_betas_zero_snr"}
    for words, b in made(form, plain, values, False):
        name = f"the form {form!r}{words}"
        yield f"{name}, not rescaled to zero terminal SNR", b
        bar = np.cumprod(1 - b)
        root = np.sqrt(bar)
        moved = root - root[-1]
        ways = {
            "√ᾱ is shifted to end at 0, but not scaled: √ᾱ_0 / (√ᾱ_0 - √ᾱ_T) is missing": moved**2,
            "ᾱ is rescaled, not √ᾱ": (bar - bar[-1]) * bar[0] / (bar[0] - bar[-1]),
            "√ᾱ is rescaled to start at 1, not at √ᾱ_0": (moved / (1 - root[-1])) ** 2,
            "√ᾱ is rescaled and taken for ᾱ (not squared)": moved * root[0] / moved[0],
            "ᾱ is shifted to end at 0, but not scaled": bar - bar[-1],
        }
        for way, made_bar in ways.items():
            yield f"{name}, of which {way}", _steps(made_bar)
        yield f"{name}, of which only the last β is set to 1", np.append(b[:-1], 1.0)
        moved_betas = (b - b[-1]) * b[0] / (b[0] - b[-1])
        yield f"{name}, of which β are rescaled, not √ᾱ", moved_betas


def _steps(bar: np.ndarray) -> np.ndarray:
    return 1 - np.append(bar[:1], bar[1:] / bar[:-1])


def _functions(form: str, options: Mapping[str, Any], values: np.ndarray) -> Likely:
    """Of what the form gives."""
    for words, due in made(form, options, values, False):
        name, bar = f"the form {form!r}{words}", np.cumprod(1 - due)
        before = np.append(1.0, bar[:-1])
        yield f"the square root of {name}", np.sqrt(due)
        yield f"the square of {name}", due**2
        yield f"{name}, reversed: its ends are exchanged", due[::-1]
        yield f"ᾱ of {name}, not β", bar
        yield f"√ᾱ of {name}, not β", np.sqrt(bar)
        yield f"1 - ᾱ of {name}, not β", 1 - bar
        yield f"1 - β of {name}, not β", 1 - due
        yield f"ᾱ_{{t-1}} - ᾱ_t of {name}, where 1 - ᾱ_t / ᾱ_{{t-1}} is due", before - bar
        yield f"1 - √(ᾱ_t / ᾱ_{{t-1}}) of {name}: √ᾱ for ᾱ", 1 - np.sqrt(bar / before)
        yield f"-log(ᾱ_t / ᾱ_{{t-1}}) of {name}", -np.log(bar / before)
        yield f"{name}, shifted: entry t holds that of t - 1", np.append(due[:1], due[:-1])
        yield f"{name}, shifted: entry t holds that of t + 1", np.append(due[1:], due[-1:])
        longer = dict(made(form, options, np.zeros(len(values) + 1), False))[words]
        grid = f"{name} of T + 1 = {len(values) + 1} steps, without its"
        straight = " (endpoint=False)" if form in ("linear", "scaled_linear") else ""
        yield f"{grid} last entry{straight}", longer[:-1]
        yield f"{grid} first entry", longer[1:]


def _other_forms(form: str, options: Mapping[str, Any], values: np.ndarray) -> Likely:
    for other in names():
        same = BETA_FORMS[other] == BETA_FORMS[form]
        for words, likely in made(other, {}, values, False):
            if not same:
                yield f"the form {other!r}{words}", likely
            elif options:
                given = ", ".join(f"{k} = {v}" for k, v in options.items())
                usual = ", ".join(f"{k} = {v}" for k, v in usual_of(other, words).items())
                but = f"with its usual {usual}, not" if usual else "without"
                yield f"the form {other!r}{words} {but} {given}", likely
            yield f"the form {other!r}{words}, rescaled to zero terminal SNR", rescaled(likely)


def _own_ends(form: str, values: np.ndarray, options: Mapping[str, Any]) -> Likely:
    """Straight in a power of β, between the ends that they have, or that are asked for."""
    low, high = float(values[0]), float(values[-1])
    if low == high:
        yield f"{low:.6g} at every step", np.full(len(values), low)
        return
    ends = {"beta_start": low, "beta_end": high}
    own = {"linear": (1e-4, 0.02), "scaled_linear": (0.00085, 0.012)}
    for other in (form, *own) if form in own else own:
        start, end = (
            float(options.get(n, v))
            for n, v in zip(("beta_start", "beta_end"), own[other], strict=True)
        )
        words = f"the form {other!r} {told_ends((low, high), {'β_start': start, 'β_end': end})}"
        if other == form and not options:
            words += f" (if those ends are meant: form_options={ends})"
        yield words, made(other, ends, values, False)[0][1]
    n = len(values)
    if low > 0:
        yield f"geometric, from {low:.6g} to {high:.6g}", np.geomspace(low, high, n)
    for p, words in ((2.0, "β², of which the root is taken"), (1 / 3, "the cube root of β")):
        yield (
            f"straight in {words}, from {low:.6g} to {high:.6g}",
            np.linspace(low**p, high**p, n) ** (1 / p),
        )
    u = np.linspace(0, 1, n)
    for p in (2.0, 0.5, 3.0):
        yield f"β_start + (β_end - β_start) (t/(T - 1))^{p:g}", low + (high - low) * u**p


def _cosines(values: np.ndarray) -> Likely:
    """cos((t + s)/(1 + s) π/2) to a power, on a grid of another length, cut elsewhere."""
    n = len(values)
    largest = float(values.max())
    most = largest if np.sum(values == largest) > 1 or largest < 0.999 else 0.999

    def betas(s: float, power: float, steps: float, cut: float) -> np.ndarray:
        t = np.arange(n + 1) / steps
        bar = np.maximum(np.cos((t + s) / (1 + s) * np.pi / 2), 0.0) ** power
        return np.minimum(1 - bar[1:] / bar[:-1], cut)

    yield "the form 'cosine' with s = 0, without the offset", betas(0.0, 2, n, 0.999)
    yield "the form 'cosine' with no clipping at 0.999", betas(0.008, 2, n, 1.0)
    step = "1 - ᾱ_t / ᾱ_{t-1} of"
    yield f"{step} ᾱ = the cosine, not its square", betas(0.008, 1, n, 0.999)
    for cut in dict.fromkeys((most, largest)):
        words = f"the form 'cosine' with β clipped at {cut:.6g}, not at 0.999"
        yield words, betas(0.008, 2, n, cut)
    words = f"{step} ᾱ = the cosine to the fourth power, not its square"
    yield words, betas(0.008, 4, n, most)
    text = f"the form 'cosine' on the grid of T - 1 = {n - 1} steps"
    yield text, betas(0.008, 2, n - 1, most)
    found = _solved(lambda s: betas(s, 2, n, most), values, 1e-6, 10.0)
    yield f"the form 'cosine' with s = {found:.6g}, not 0.008", betas(found, 2, n, most)
    t = np.arange(n + 1) / n

    def turned(end: float) -> np.ndarray:
        bar = np.cos((t + 0.008) / 1.008 * min(end, np.pi / 2)) ** 2
        return np.minimum(1 - bar[1:] / bar[:-1], most)

    end = _solved(turned, values, 0.05, np.pi / 2)
    of = f" = π/{np.pi / end:.6g}" if abs(np.pi / end - round(np.pi / end)) < 1e-4 else ""
    yield f"{step} ᾱ = cos² that ends at {end:.6g}{of}, not at π/2", turned(end)
    for text, angle in (
        ("cos(π t), without the half", np.cos(t * np.pi) ** 2),
        ("cos((t + s) π/2), not divided by 1 + s", np.cos((t + 0.008) * np.pi / 2) ** 2),
        ("sin² in place of cos²", np.sin((t + 0.008) / 1.008 * np.pi / 2) ** 2),
    ):
        yield f"{step} ᾱ = {text}", np.minimum(1 - angle[1:] / angle[:-1], most)


def _sigmoids(values: np.ndarray, options: Mapping[str, Any]) -> Likely:
    """β_start + (β_end - β_start) / (1 + e^-x) with x from -r to r."""
    start, end, n = options.get("beta_start", 1e-4), options.get("beta_end", 0.02), len(values)

    def betas(r: float) -> np.ndarray:
        return np.asarray(start + (end - start) / (1 + np.exp(-np.linspace(-r, r, n))))

    r = _solved(betas, values, 0.05, 40.0)
    yield f"the sigmoid from {-r:.6g} to {r:.6g}, not from -6 to 6", betas(r)
    yield (
        "the sigmoid alone, not scaled to β_start and β_end",
        1 / (1 + np.exp(-np.linspace(-6, 6, n))),
    )
    yield "the sigmoid times β_end - β_start, without β_start", betas(6.0) - start
    yield (
        "the sigmoid times β_end, plus β_start",
        start + end * (betas(6.0) - start) / (end - start),
    )


def _solved(
    make: Callable[[float], np.ndarray], values: np.ndarray, low: float, high: float
) -> float:
    """The parameter with which an entry, a quarter from the start, is that of the values."""
    k = len(values) // 4
    a, b = np.log(low), np.log(high)
    rising = make(high)[k] > make(low)[k]
    for _ in range(70):
        middle = (a + b) / 2
        a, b = (
            (middle, b) if (make(float(np.exp(middle)))[k] < values[k]) == rising else (a, middle)
        )
    return float(np.exp((a + b) / 2))
