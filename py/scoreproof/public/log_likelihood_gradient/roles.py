"""What a field and a gradient take, known by the names of their positional arguments or by
``given=``.

Conventions: roles of a field are ``z``, ``params`` and ``s``; of a gradient and of log p̂ ``x``,
``params`` and ``nu``. A keyword ``tol`` is handed over by its name and is no role.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.signatures import positional

__all__ = ["OF_FIELD", "OF_GRADIENT", "asked_by", "roles_of"]

PARAMS = (
    "params param parameters p theta args model module net network nn variables weights w phi ps"
    " func state_dict tree pytree mlp vf vector_field θ cnf flow flow_model dynamics ode_func"
)


def _names_of(written: str) -> frozenset[str]:
    return frozenset(written.split())


OF_FIELD: dict[str, frozenset[str]] = {
    "z": _names_of("z x y h u state states zt z_t xt x_t sample input inputs q"),
    "params": _names_of(PARAMS),
    "s": _names_of("s t time times ts tt timestep tau"),
}
OF_GRADIENT: dict[str, frozenset[str]] = {
    "x": _names_of("x data batch y x1 x_1 xs x_data samples points inputs rows z"),
    "params": _names_of(PARAMS) | {"field", "f"},
    "nu": _names_of("nu e eps epsilon noise v vs probe probes eta xi hutchinson ν"),
}
#: the order of arguments whose names do not say, the last ones left out first
ORDERS = {
    "field": (("z", "params", "s"), ("z", "s"), ("z",)),
    "gradient": (("x", "params", "nu"), ("x", "nu"), ("x",)),
}


def _names(function: Any) -> list[tuple[str, bool]] | None:
    """Names of the positional arguments, and whether each has a default."""
    named = [(p.name, p.default is not p.empty) for p in positional(function) if p.name != "tol"]
    return named or None


def asked_by(given: Any, name: str) -> tuple[str, ...] | None:
    """What ``given=`` says of the callable ``name``: a sequence is the field's."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        unknown = [k for k in given if k not in ("field", "gradient", "log_likelihood")]
        if unknown:
            raise ArgumentError(
                "given",
                "a mapping of field, gradient and log_likelihood to what they take",
                f"the key {unknown[0]!r}",
                'pass e.g. given={"field": ("t", "z", "params")}',
            )
        said = given.get(name)
    else:
        said = given if name == "field" else None
    if said is None:
        return None
    wanted = OF_FIELD if name == "field" else OF_GRADIENT
    roles = [said] if isinstance(said, str) else list(said)
    roles = ["s" if name == "field" and r == "t" else r for r in roles]
    first = "z" if name == "field" else "x"
    wrong = [r for r in roles if r not in wanted]
    if wrong or len(set(roles)) != len(roles) or first not in roles:
        raise ArgumentError(
            "given",
            f"of {name}, the order of {', '.join(wanted)}, each at most once and {first} among"
            " them (t is s)",
            said,
            'pass e.g. given=("t", "z", "params")'
            if name == "field"
            else 'pass e.g. given={"gradient": ("params", "x", "nu")}',
        )
    return tuple(roles)


def roles_of(function: Any, name: str, held: bool, said: Sequence[str] | None) -> tuple[str, ...]:
    """The roles of its positional arguments in order. ``held``: it has the parameters itself (a
    module, a method of one), so that they need not be handed to it.

    >>> roles_of(lambda t, y, args: y, "field", False, None)
    ('s', 'z', 'params')
    >>> roles_of(lambda a, b, c: a, "field", False, None)
    ('z', 'params', 's')
    """
    kind = "field" if name == "field" else "gradient"
    full = ORDERS[kind][0]
    if said is not None:
        return tuple(said)
    names = _names(function)
    if names is None:  # a builtin, or one that takes whatever it is given
        return ORDERS[kind][1] if held else full
    known = OF_FIELD if kind == "field" else OF_GRADIENT
    found: list[str | None] = []
    clash = False
    for argument, optional in names:
        of = [role for role, spelled in known.items() if argument in spelled]
        role = next((r for r in of if r not in found), None)
        clash = clash or bool(of and role is None)
        if optional and (role is None or (held and role == "params")):
            break
        found.append(role)
    if len(found) > len(full) or (clash and len(found) == len(full)):
        return full
    free = [role for role in full if role not in found and not (held and role == "params")]
    unknown = [k for k, role in enumerate(found) if role is None]
    if len(unknown) > 1 and len(found) == 2 and kind == "field":
        shown = ", ".join(n for n, _ in names)
        raise ArgumentError(
            "field",
            "a callable whose arguments say what they are",
            f"({shown})",
            'say it with given=("z", "t") or given=("t", "z")',
        )
    if len(free) < len(unknown):
        return full
    for k, role in zip(unknown, free, strict=False):
        found[k] = role
    return tuple(r for r in found if r is not None) or (full[0],)
