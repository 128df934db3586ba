"""An explanation of a wrong divergence in words: what is wrong, and what would make it right."""

from __future__ import annotations

import math
from dataclasses import replace

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.averages import AVERAGED, FIXED, beside_the_number
from scoreproof.public.kl.explained import Explained
from scoreproof.public.kl.summands import LOGS, Summand
from scoreproof.public.kl.told_quantities import parts_told, whole_told
from scoreproof.public.kl.told_ratios import times, whole

__all__ = ["told"]

TERMS = {"mean": "the mean term", "trace": "the trace term", "one": "the constant"}
CHOLESKY = " (log det C is twice Σ log diag L of its Cholesky factor L)"


def told(found: Explained, options: Options) -> tuple[tuple[str, ...], str]:
    """Names for a program, and one sentence or two."""
    names, texts = [], []
    if found.reading is not None:
        names.append(found.reading.name)
        texts.append(found.reading.words + _remedy(found, options))
    if found.clamp is not None:
        names.append(found.clamp.name)
        texts.append(found.clamp.words.format(c=found.number))
    if found.averaged:
        names.append(found.averaged)
        texts.append(AVERAGED[found.averaged])
    if found.averaged.startswith(FIXED):
        number, rest = beside_the_number(found.combination)
        found = replace(found, combination=rest)
        texts[-1] += f": the number is {number:.6g}"
    if not options.wanted.kl:
        for name, text in _of_quantity(found, options):
            names.append(name)
            texts.append(text)
    elif known := (
        _by_heart(found)
        or _entropy(found, options)
        or _prior(found, options)
        or _scaled(found, options)
    ):
        names.append(known[0])
        texts.append(known[1])
    else:
        for slot in dict.fromkeys(s.slot for s in found.others):
            names.append(f"other_{slot}")
            texts.append(_replaced(found, slot, options))
        ratios = _ratios(found, options)
        names += [n for n, _ in ratios]
        texts += [t for _, t in ratios]
    what = "these" if len(texts) > 1 else "this"
    right = f"With {what} mended every value agrees, to rounding."
    return (" + ".join(names),), f"Cause: {'; '.join(texts)}. {right}"


def _of_quantity(found: Explained, options: Options) -> list[tuple[str, str]]:
    ratios = set(found.combination.ratios)
    if found.others or len(ratios) > 1 or len(found.combination.ratios) == 1:
        return parts_told(found, options)
    ratio = ratios.pop()
    return [] if ratio == 1 else [whole_told(ratio, options) or whole(ratio, options)]


def _by_heart(found: Explained) -> tuple[str, str] | None:
    """A number in the place of d, in all that are multiplied by it."""
    ratios = dict(zip(found.combination.summands, found.combination.ratios, strict=True))
    numbers = {ratios[s] for s in found.others}
    kept = all(r == 1 for s, r in ratios.items() if s not in found.others)
    slots = {s.slot for s in found.others}
    if len(numbers) != 1 or not kept or not {"trace", LOGS, "one"} <= slots:
        return None
    number = numbers.pop()
    if all(s.counts == "rows" for s in found.others) and number == 1:
        return "rows_for_dimension", "n, the number of rows, stands for d, the dimension"
    if not all(s.counts == "once" for s in found.others):
        return None
    text = f"{number:.6g} stands for d, the dimension, whatever d is: it is known by heart"
    return "dimension_by_heart", text if number != 1 else "the dimension d is left out"


def _entropy(found: Explained, options: Options) -> tuple[str, str] | None:
    """The cross entropy is the divergence and the first law's entropy."""
    ratios = {
        s.slot: r for s, r in zip(found.combination.summands, found.combination.ratios, strict=True)
    }
    bare = abs(ratios.get("one", 1.0)) < 1e-9
    density = abs(ratios.get("one", 1.0) + math.log(2 * math.pi)) < 1e-5
    rest = {r for slot, r in ratios.items() if slot not in ("one", "log0")}
    if found.others or ratios.get("log0") != 0 or rest != {1.0} or not (bare or density):
        return None
    entropy = "½ log det C0 + ½ d" if options.form == "full" else "½ Σ (1 + log σ0²)"
    more = " (+ ½ log 2π in each)" if density else ""
    return "cross_entropy", (
        f"it is the cross entropy -E_0 log p_1: the first law's entropy, {entropy}{more}, is not"
        " subtracted"
    )


def _prior(found: Explained, options: Options) -> tuple[str, str] | None:
    """A second law N(0, c I), where N(0, I) is meant."""
    ratios = {
        s.slot: r for s, r in zip(found.combination.summands, found.combination.ratios, strict=True)
    }
    mean, trace, one = (ratios.get(slot, 1.0) for slot in ("mean", "trace", "one"))
    if found.others or not options.standard or ratios.get("log0", 1.0) != 1 or mean in (0.0, 1.0):
        return None
    if mean < 0 or abs(mean / trace - 1) > 1e-5:
        return None
    text = f"the prior has the variance {1 / mean:.6g} where that of N(0, I) is 1"
    if one == 1:
        return "prior_variance", f"{text}, in all terms but the logarithm"
    return ("prior_variance", text) if abs(one - 1 - math.log(mean)) < 1e-5 * abs(one) else None


def _scaled(found: Explained, options: Options) -> tuple[str, str] | None:
    """The law's variance with a factor: it is in the trace, and its logarithm beside the -d."""
    ratios = {
        s.slot: r for s, r in zip(found.combination.summands, found.combination.ratios, strict=True)
    }
    mean, trace, one = (ratios.get(slot, 1.0) for slot in ("mean", "trace", "one"))
    if found.others or not options.standard or ratios.get("log0", 1.0) != 1 or mean != 1:
        return None
    if trace <= 0 or trace == 1 or abs(one - 1 - math.log(trace)) > 1e-5 * max(abs(one), 1):
        return None
    whose = "the covariances are" if options.form == "full" else "σ² is"
    return "scale_factor", f"{whose} multiplied by {trace:.6g}"


#: what the variance is of what is passed
MEANT = {
    "std": "σ² is the square of what is passed",
    "variance": "what is passed is σ² itself",
    "logvar": "σ² is the exponential of what is passed",
    "logstd": "σ² is the exponential of twice what is passed",
    "precision": "σ² is 1 over what is passed",
    "logprecision": "σ² is the exponential of minus what is passed",
}


def _remedy(found: Explained, options: Options) -> str:
    """What is right instead; an option of the check with which the function would be right."""
    assert found.reading is not None
    own = options.parameterization
    if found.reading.name == "swapped_arguments" and options.wanted.kl:
        other = "kl" if options.wanted.mirrored else "reverse"
        return f' (if that is what is meant, pass quantity="{other}")'
    if not found.reading.name.startswith(own) or options.form == "full" or own not in MEANT:
        return ""
    if options.sides is not None or not options.wanted.kl:
        return ""
    read = found.reading.name.removeprefix(f"{options.parameterization}_as_")
    alone = not found.others and found.combination.changes == 0
    other = f', or pass parameterization="{read}"' if read in MEANT and alone else ""
    return f" ({MEANT[options.parameterization]}{other})"


def _term(summand: Summand, options: Options) -> str:
    words = summand.words
    if words == "d":
        return "the constant -½ d"
    half = "½" if summand.factor > 0 else "-½"
    sums = "" if options.form == "full" else " Σ"
    if options.form == "isotropic" and summand.slot != "mean":
        sums = " d"
    name = TERMS.get(summand.slot, "the term")
    return f"{name} {half}{sums} {words}"


def _log_term(options: Options) -> str:
    if options.form == "full":
        return (
            "the log term -½ log det C" if options.standard else "the log term ½ log det C1/det C0"
        )
    sums = "d" if options.form == "isotropic" else "Σ"
    return f"the log term {'-½' if options.standard else '½'} {sums} log " + (
        "σ²" if options.standard else "(σ1²/σ0²)"
    )


#: factors as they are printed
PRINTED = {0.5: "½ ", -0.5: "-½ ", 1.0: "", -1.0: "-", 2.0: "2 ", 0.25: "¼ ", -0.25: "-¼ "}


def _replaced(found: Explained, slot: str, options: Options) -> str:
    ratios = zip(found.combination.summands, found.combination.ratios, strict=True)
    other, ratio = next((s, r) for s, r in ratios if s in found.others and s.slot == slot)
    factor = other.factor * ratio
    half = PRINTED.get(factor, f"{factor:.6g} ")
    if slot == "one" and other.counts == "once":
        half = half.strip()
        return f"the constant is {half}, once, where -½ d, for each of d dimensions, is due"
    # the isotropic form's one variance counts for each of d dimensions
    d = "d " if options.form == "isotropic" and slot in ("trace", LOGS) else ""
    words = half + ("" if other.counts else d) + other.words + ("," if ", " in other.words else "")
    if slot == LOGS:
        return f"{words} stands for {_log_term(options)}"
    due = next(s for s in found.due if s.slot == slot)
    term = TERMS.get(slot, "the log term")
    return f"in {term}, {words} stands where {PRINTED[due.factor]}{d}{due.words} is due"


def _ratios(found: Explained, options: Options) -> list[tuple[str, str]]:
    pairs = list(zip(found.combination.summands, found.combination.ratios, strict=True))
    ratios = {s.slot: r for s, r in pairs}
    if len(set(ratios.values())) == 1 and len(pairs) > 1:
        ratio = pairs[0][1]
        return [] if ratio == 1 else [whole(ratio, options)]
    out = []
    if "log1" in ratios and ratios["log0"] == ratios["log1"] or options.standard:
        ratio = ratios.get("log0", 1.0)
        if ratio != 1:
            more = CHOLESKY if options.form == "full" and ratio in (0.5, 2.0) else ""
            text = f"{_log_term(options)} {times(ratio)}{more}"
            out.append((f"{LOGS}_times_{ratio:.6g}", text))
        pairs = [(s, r) for s, r in pairs if s.slot not in ("log0", "log1")]
    for summand, ratio in pairs:
        if ratio != 1 and summand in found.due:
            name = f"{summand.slot}_times_{ratio:.6g}"
            out.append((name, f"{_term(summand, options)} {times(ratio)}"))
    return out
