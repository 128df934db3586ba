"""The form of each law and what its scale is handed over as, as it was given or is named.

Conventions: two names, a tuple, are of the first law and the second; a scale that is not passed is
of the other law's form.
"""

from __future__ import annotations

from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.public.arguments import one_of
from scoreproof.public.kl.arguments import KNOWN
from scoreproof.public.kl.layout import Layout
from scoreproof.public.kl.names import Named
from scoreproof.public.kl.scales import ALIASES, ENTRYWISE, MATRICES, Side

__all__ = ["sides_of"]

HINT = "see the docstring of check_kl"
#: what was passed for a full law, and not looked at
OLD = ("std", "variance", "logvar")


def sides_of(given: tuple[Any, Any, Any], read: Named | None, layout: Layout) -> tuple[Side, Side]:
    """``given``: form, parameterization and against. Raises ``ArgumentError``."""
    forms, kinds = _two("form", given[0]), _two("parameterization", given[1])
    said = read.kinds if read is not None else ("", "")
    said = (said[0] or said[1], said[1] or said[0])
    named = read.form if read is not None else None
    if given[2] is not None and read is not None and not read.telling:
        named = None  # as it was before names were read
    sides = []
    for k, role in enumerate(("scale0", "scale1")):
        axes = dict(layout.axes).get(role, dict(layout.axes).get("scale"))
        form = forms[k] or _by_axes(axes) or named or _by_kind(kinds[k])
        one_of("form", form, KNOWN["form"], HINT)
        kind = kinds[k] if kinds[k] is not None else _kind(said[k], form)
        kind = ALIASES.get(str(kind), kind)
        one_of("parameterization", kind, KNOWN["parameterization"], HINT)
        known = (*MATRICES, *OLD) if form == "full" else tuple(ENTRYWISE)
        if kind not in known:
            raise ArgumentError(
                "parameterization",
                f"one of {', '.join(MATRICES if form == 'full' else ENTRYWISE)} for form={form!r}",
                repr(kind),
                "logarithms are of entries" if form == "full" else 'pass form="full" for matrices',
            )
        sides.append(Side(form, str(kind)))
    first, second = sides
    if not {"scale1", "scale"} & {*layout.roles}:
        second = first
    if not {"scale0", "scale"} & {*layout.roles}:
        first = second
    return first, second


def _kind(said: str, form: str) -> str:
    """What a name says, if it is of this form."""
    if form == "full":
        kind = "precision" if said in ("precision", "precision_matrix") else said
        return kind if kind in MATRICES else "covariance"
    return said if said in ENTRYWISE else "std"


def _by_axes(axes: tuple[str, ...] | None) -> str | None:
    if axes is None:
        return None
    return ("isotropic", "diagonal", "full")[axes.count("d")]


def _by_kind(kind: Any) -> str:
    matrix = ALIASES.get(str(kind), kind) in ("covariance", "scale_tril", "precision_tril")
    return "full" if matrix else "isotropic"


def _two(name: str, value: Any) -> tuple[Any, Any]:
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ArgumentError(name, "one name, or one for each law", repr(value), HINT)
        return value[0], value[1]
    return value, value
