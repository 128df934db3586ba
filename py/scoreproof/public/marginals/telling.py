"""A known mistake in words: within a class the likeliest first, and both sides where a wrong g
explains as much as a wrong standard deviation.

Conventions: ``reasons`` say each mistake in words; the names are for programs, in
`Diagnosis.names`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.marginals.required import Needed

__all__ = ["OF_OTHERS", "both_sides", "in_words", "likely_first", "of_another_beta"]

LIKELY = (
    "sigma0_missing",
    "variance_for_std",
    "std_as_variance",
    "rate_no_two",
    "rate_squared_again",
    "mean_not_scaled",
    "coefficients_reversed",
    "rate_twice",
)
#: laws of other SDEs: no mistake by themselves where something else explains as much
OF_OTHERS = ("preserving_std", "sub_preserving_std", "preserving_std_of_root")
#: mistakes of the standard deviation that a wrong g² explains as well
OF_EITHER = {"drift_forgotten_in_variance", "variance_over_alpha", "variance_times_alpha"}


def in_words(found: Diagnosis, reasons: Mapping[str, str]) -> str:
    """The sentence without the names."""
    text = found.sentence
    for name in reasons:
        text = text.replace(f" ({name})", "")
    return text


def likely_first(found: Diagnosis, reasons: Mapping[str, str]) -> Diagnosis:
    """Within a class the mistake most often made comes first, and what is no mistake by itself is
    left out.
    """
    names = [n for n in found.names if n not in OF_OTHERS] or list(found.names)
    names.sort(key=lambda n: LIKELY.index(n) if n in LIKELY else len(LIKELY))
    told = [" and ".join(reasons[part].rstrip(".") for part in name.split(" + ")) for name in names]
    told = list(dict.fromkeys(told))
    if names[0] == "std_as_variance" and "preserving_std" in found.names:
        told[0] += f" (it is {reasons['preserving_std']})"
    what = told[0]
    if len(told) > 1:
        more = f"; or {len(told) - 3} more" if len(told) > 3 else ""
        listed = "; or ".join(told[:3])
        what = f"one of these, which cannot be told apart here: {listed}{more}"
    elif " + " in names[0]:
        what = f"two at once: {what}"
    left = f", all but {found.misfit:.1g} of the deviation" if found.misfit > 1e-6 else ""
    return replace(found, names=tuple(names), sentence=f"Cause{left}: {what}.")


#: a law of mean and standard deviation together, of another β: by how much
OF_BETA = {
    "half_missing_in_log_mean": ("twice as large", "-α'/α", "half of"),
    "half_twice_in_log_mean": ("half as large", "-4 α'/α", "twice"),
}


def of_another_beta(found: Diagnosis, reasons: Mapping[str, str], *, together: bool) -> Diagnosis:
    """Mean and standard deviation are those of 2 β, or of β/2: where drift and g² are of one β as
    well (``together``), β may be what is wrong; neither side is blamed.
    """
    name = next((n for n in OF_BETA if n in found.names), None)
    if name is None or len(found.names) > 1 or not together:
        return found
    times, yours, much = OF_BETA[name]
    k = "2 β" if much == "half of" else "β/2"
    text = (
        f"the declared law needs a β {times}: it needs β = -2 α'/α (α the declared factor of x0),"
        f" and that of drift and g² is {yours}; either β is {much} what is due in the drift and"
        f" in g² alike, or the declared law is that of {k} ({reasons[name]})"
    )
    return replace(found, sentence=f"Cause: {text}.")


def both_sides(found: Diagnosis, needed: Needed) -> Diagnosis:
    """A standard deviation that is wrong for this drift and g² may be right, and g² wrong: both are
    said, where the one is no more likely than the other.
    """
    either = {*found.names} & (OF_EITHER | {"variance_for_std"})
    if not either or needed.d.mean_wrong or needed.d.shift_wrong:
        return found
    need = needed.told
    if either == {"variance_for_std"} and (need is None or need.name != "two_families"):
        return found
    more = []
    if "drift_forgotten_in_variance" in found.names:
        more.append("g² lacks -2 (f/x) σ² (a law of mean α x0 needs g² = (σ²)' - 2 (α'/α) σ²)")
    if need is not None and need.name in ("diffusion_required", "discount"):
        more.append(need.text)
    text = found.sentence.removesuffix(".")
    if need is not None and need.name == "two_families":
        return replace(found, names=(*found.names, need.name), sentence=f"{text}; or {need.text}.")
    if not more:
        return found
    return replace(
        found,
        names=(*found.names, "diffusion_required"),
        sentence=f"{text}; or the marginal is right and {': '.join(more)}.",
    )
