"""The options of `check_kl` as they are given, and what the names of the arguments add to them.

Conventions: what is given goes before what a name says. A single letter says the order of the
laws; what a scale is, only where no form and no parameterization is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.arguments import one_of, sample_shape
from scoreproof.public.kl.arguments import FORMS, KNOWN, Options
from scoreproof.public.kl.layout import PAIR, ROLES, Layout, axes_of
from scoreproof.public.kl.names import Named, named, written
from scoreproof.public.kl.sides import sides_of
from scoreproof.public.kl.wanted import QUANTITIES, Wanted

__all__ = ["Given", "options_of", "said_by"]

#: coordinates of full covariances
MOST = 64


@dataclass(frozen=True, eq=False)
class Given:
    """What `check_kl` was called with, apart from the function."""

    form: Any = None
    parameterization: Any = None
    against: Any = None
    reduction: Any = "none"
    dims: Any = "sum"
    units: Any = "nats"
    quantity: Any = "kl"
    order: Any = None
    given: Any = None
    shapes: Any = None
    shape: Any = None
    fixed: Any = None
    law: Any = None
    #: the law that comes first is the second
    turned: bool = False
    #: "reduction" and "dims", where nobody said them
    unsaid: frozenset[str] = frozenset()


def options_of(function: Any, given: Given, form: str | None = None) -> Options:
    """Options for the function; ``form``: one that nobody said, beside which names say what they
    say. Raises ``ArgumentError`` naming what is to be passed.
    """
    wanted = _wanted(given)
    read = said_by(function, given)
    given = given if form is None else replace(given, form=form)
    against = _against(given, wanted, read)
    roles = _roles(function, given, wanted, against, read)
    layout = _layout(_in_roles(function, given, roles), wanted, against, roles)
    sides = sides_of((given.form, given.parameterization, given.against), read, layout)
    if wanted.mirrored:
        layout, sides = layout.mirrored(), (sides[1], sides[0])
    alone = against == "standard" and not _spelled(wanted)
    sides = (sides[0], sides[0]) if alone else sides
    form = max((s.form for s in sides), key=FORMS.index)
    if wanted.dims == "none" and form == "full":
        raise ArgumentError(
            "dims", '"sum" or "mean" for full covariances', "'none'", 'sum over them: dims="sum"'
        )
    if form == "full" and (layout.d or 0) > MOST:
        raise ArgumentError(
            "shape",
            f"of at most {MOST} entries for full covariances",
            given.shape,
            "pass a smaller one",
        )
    same = sides[0] == sides[1]
    return Options(
        form,
        sides[0].parameterization,
        "standard" if alone else "pair",
        given.reduction,
        None if same else sides,
        layout,
        wanted,
    )


def _wanted(given: Given) -> Wanted:
    one_of("quantity", given.quantity, tuple(QUANTITIES), 'leave it away for "kl"')
    one_of("units", given.units, ("nats", "bits"), "bits are nats / log 2")
    one_of("dims", given.dims, ("sum", "mean", "none"), "it is what is done over the coordinates")
    order = given.order
    if given.quantity == "renyi":
        fine = isinstance(order, Real) and not isinstance(order, bool)
        if not fine or not 0 < float(order) < np.inf or float(order) == 1:
            raise ArgumentError(
                "order",
                "a number > 0 other than 1",
                repr(order),
                'pass order=0.5, say; at 1 it is the KL: quantity="kl"',
            )
    elif order is not None:
        raise ArgumentError("order", "left away", repr(order), 'it is for quantity="renyi"')
    reverse = given.quantity == "reverse"
    quantity = "kl" if reverse else given.quantity
    return Wanted(quantity, float(order or 1), given.units, given.dims, reverse)


def _spelled(wanted: Wanted) -> bool:
    """Against N(0, I) it takes a second law with numbers that are known."""
    return wanted.mirrored or wanted.quantity in ("jeffreys", "symmetric", "renyi", "bhattacharyya")


def said_by(function: Any, given: Given) -> Named | None:
    """What the names of its arguments say, where they are asked."""
    if given.given is not None or given.law is not None:
        return None
    found = named(function)
    nothing = given.form is None and given.parameterization is None and given.against is None
    if found is not None and not found.strong and not nothing:
        found = replace(found, kinds=("", ""))  # the order alone: scales are standard deviations
    return None if found is None else found.turned() if given.turned else found


def _against(given: Given, wanted: Wanted, read: Named | None) -> str:
    if given.against is not None:
        one_of("against", given.against, KNOWN["against"], '"standard": the second law is N(0, I)')
        return str(given.against)
    if wanted.quantity == "entropy":
        return "standard"
    known = {*(given.fixed or ()), *(given.given or ())}
    if any(str(r)[-1] == "1" or r == "scale" for r in known):
        return "pair"
    if given.given is not None:
        return "standard"
    return "standard" if read is not None and not read.pair else "pair"


def _roles(
    function: Any, given: Given, wanted: Wanted, against: str, read: Named | None
) -> tuple[str, ...]:
    if given.given is not None:
        return _named_roles(given.given)
    if read is not None and (read.pair or against == "standard" or given.fixed):
        return read.roles
    usual = PAIR[:2] if against == "standard" else PAIR
    if given.law is not None:
        return usual
    needed = written(function)
    count = len(usual) if needed is None else sum(p.default is p.empty for p in needed)
    most = len(usual) if needed is None else len(needed)
    if wanted.quantity == "entropy" and count == 1:
        return ("scale0",)
    if not count <= len(usual) <= most:
        names = "nothing" if not needed else ", ".join(p.name for p in needed)
        raise ArgumentError(
            "given",
            f"said for a function that does not take {len(usual)} arguments",
            f"it takes {names}",
            'name them in order, e.g. given=("mean0", "mean1", "scale"), and what it knows by'
            ' fixed=, e.g. fixed={"scale": 0.5}; or against="standard" for N(0, I)',
        )
    return usual


def _named_roles(given: Any) -> tuple[str, ...]:
    listed = isinstance(given, Sequence) and not isinstance(given, str)
    roles = tuple(given) if listed else ()
    short = {"mean": "mean0"}
    if roles and not any(str(r)[-1] == "1" for r in roles) and roles.count("mean0") == 0:
        short["scale"] = "scale" if len(roles) > 2 else "scale0"
    roles = tuple(short.get(r, r) for r in roles)
    if not roles or len(set(roles)) < len(roles) or not {*roles} <= {*ROLES}:
        raise ArgumentError(
            "given",
            f"different ones of {', '.join(ROLES)}",
            repr(given),
            'in the order in which kl takes them; "scale" is one for both laws',
        )
    return roles


def _in_roles(function: Any, given: Given, roles: tuple[str, ...]) -> Given:
    """With ``shapes`` by the roles of the arguments where they are by the function's own names."""
    own = [] if given.law is not None else [p.name for p in written(function) or ()]
    known = dict(zip(own, roles, strict=False))
    if not isinstance(given.shapes, Mapping):
        return given
    shapes = {r if r in ROLES else known.get(r, r): axes for r, axes in given.shapes.items()}
    return replace(given, shapes=shapes)


def _layout(given: Given, wanted: Wanted, against: str, roles: tuple[str, ...]) -> Layout:
    shapes = _mapping("shapes", given.shapes, 'e.g. shapes={"scale1": "(d,)"}')
    axes = tuple((r, axes_of(r, text)) for r, text in shapes.items())
    fixed = _mapping("fixed", given.fixed, 'e.g. fixed={"scale": 0.5}')
    for name, known in (("shapes", shapes), ("fixed", fixed)):
        for role in known:
            if role not in ROLES or (role in roles) != (name == "shapes"):
                which = "that are passed" if name == "shapes" else "that are not passed"
                raise ArgumentError(
                    name, f"of arguments {which}", repr(role), f"{', '.join(roles)} are passed"
                )
    numbers = {role: _number(role, value) for role, value in fixed.items()}
    if against == "standard" and _spelled(wanted):
        numbers |= {"mean1": 0.0, "scale1": 1.0}
    layout = Layout(
        roles,
        axes,
        None if given.shape is None else sample_shape(given.shape),
        tuple(numbers.items()),
    )
    if layout.unbatched and given.reduction != "none":
        raise ArgumentError(
            "reduction",
            '"none" for one pair of laws at a time',
            repr(given.reduction),
            "leave it away: there is no batch",
        )
    one = against == "standard" or wanted.quantity == "entropy"
    told = {*roles, *numbers}
    for role in ("scale0",) if one else ("scale0", "scale1"):
        if role not in told and "scale" not in told:
            raise ArgumentError(
                "fixed",
                f"the number that {role} is, where it is not passed",
                f"the arguments {', '.join(roles)}",
                f'pass fixed={{"{role}": 0.5}}, or {{"scale": 0.5}} if both laws have it',
            )
    return layout


def _mapping(name: str, value: Any, remedy: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ArgumentError(name, "a dictionary by the roles of the arguments", value, remedy)
    return value


def _number(role: str, value: Any) -> float:
    fine = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(float(value))
    if not fine or (role.startswith("scale") and float(value) <= 0):
        what = "a standard deviation > 0" if role.startswith("scale") else "a number"
        raise ArgumentError(f"fixed[{role!r}]", what, repr(value), "e.g. 0.5")
    return float(value) ** 2 if role.startswith("scale") else float(value)
