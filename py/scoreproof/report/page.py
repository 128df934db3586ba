"""A run as one self-contained HTML page: no request to anywhere, readable in light and dark, on
paper and on a phone; its one script moves the slider of the two backward passes.
"""

from __future__ import annotations

import base64
import re
from html import escape
from importlib import resources
from typing import Any

from scoreproof.claims import NAMES, load
from scoreproof.errors import MissingExtraError
from scoreproof.evidence import KINDS, strength
from scoreproof.plotting import own_style
from scoreproof.report.scale import CERTIFIED, FLOATS
from scoreproof.verify import Run

__all__ = ["page", "require_report"]

#: The words of Lean that begin a declaration, and its comments.
LEAN_WORD = re.compile(r"\b(theorem|lemma|def|example|variable|structure|fun|by|let|in)\b")
LEAN_NOTE = re.compile(r"(/--?.*?-/|--.*?$)", re.S | re.M)


def require_report() -> None:
    """Raise ``MissingExtraError``, which names all that are missing, unless the page's dependencies
    are installed.
    """
    missing = []
    for package in ("jinja2", "latex2mathml", "matplotlib"):
        try:
            __import__(package)
        except ImportError:
            missing.append(package)
    if missing:
        raise MissingExtraError("report", *missing)


def page(run: Run, document: dict[str, Any]) -> str:
    """The HTML page of ``run``; ``document`` is its JSON document (`report.document.document`)."""
    require_report()
    import jinja2
    from markupsafe import Markup as markup

    from scoreproof import lean
    from scoreproof.lean.receipt import COVERED
    from scoreproof.report.formulas import mathml
    from scoreproof.report.pictures import PICTURES
    from scoreproof.report.table import as_verdict, in_words
    from scoreproof.report.walk import passes

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["short"] = _short
    environment.globals.update(
        figure=_figure, scale=lambda check: markup(_scale(check)), kinds=KINDS
    )
    names = [result.name for result in run.results]
    claims = {name: load(name) for name in names}
    proofs = document["lean"].get("claims", {})
    unknown = {"theorem": None, "file": None, "status": document["lean"]["status"]}
    template = environment.from_string(_resource("page.html.j2").decode("utf-8"))
    return template.render(
        doc=document,
        verdict=as_verdict(run, document["status"]),
        named=[name for name in names if set(names) != set(NAMES)],
        words=in_words(run, document["status"]),
        style=markup(_resource("page.css").decode("utf-8")),
        font=base64.b64encode(_resource("math.woff2")).decode("ascii"),
        statements={name: claim.statement for name, claim in claims.items()},
        docs={(name, c.name): c.doc for name, claim in claims.items() for c in claim.checks},
        formulas={n: markup(mathml(c.statement.latex, block=True)) for n, c in claims.items()},
        pictures={name: _drawn(PICTURES.get(name, ())) for name in names},
        walk=markup(passes()),
        ordered={
            claim["name"]: sorted(claim["checks"], key=lambda c: -strength(c["kind"]))
            for claim in document["claims"]
        },
        trust={claim["name"]: _trust(claim) for claim in document["claims"]},
        blind={
            claim["name"]: {(s["check"], s["fault"]): s["reason"] for s in claim["blind_spots"]}
            for claim in document["claims"]
        },
        proofs={name: proofs.get(name, unknown) for name in names},
        covered=COVERED,
        theorems={name: markup(_lean(lean.statement_of(name) or "")) for name in names},
    )


def _resource(name: str) -> bytes:
    return resources.files("scoreproof.report").joinpath(name).read_bytes()


def _drawn(pictures: Any) -> list[Any]:
    """Those whose data are at hand: the digits come with an extra of their own."""
    made = []
    for picture in pictures:
        try:
            with own_style():
                made.append(picture())
        except ImportError:
            continue
    return made


def _trust(claim: dict[str, Any]) -> dict[str, Any]:
    """For each kind of evidence the check with the worst instance of all, its figure, and how many
    checks there are. Worst is the largest radius of an enclosure, the largest error relative to its
    bound elsewhere: a check's own figure is that of its worst instance.
    """
    cells: dict[str, Any] = {}
    for kind in KINDS:
        checks = [c for c in claim["checks"] if c["kind"] == kind]
        if not checks:
            cells[kind] = None
            continue
        holding = all(c["verdict"] == "holds" for c in checks)
        told = (
            max(checks, key=_alarm)
            if holding
            else next(c for c in checks if c["verdict"] != "holds")
        )
        n = len(checks)
        cells[kind] = {
            "verdict": told["verdict"],
            "figure": _figure(told),
            "check": told["name"],
            "count": "1 check" if n == 1 else f"worst of {n} checks",
        }
    return cells


def _alarm(check: dict[str, Any]) -> float:
    if check["kind"] == "certified":
        return float(check["bound"])
    return float(check["value"] / check["bound"]) if check["bound"] else 0.0


def _figure(check: dict[str, Any]) -> str:
    if check["verdict"] == "not run" or check["bound"] is None:
        return str(check["verdict"])
    if check["kind"] == "exact":
        return "0 terms left" if check["value"] == 0 else f"{check['value']:.0f} terms left"
    if check["kind"] == "certified" and check["verdict"] == "holds":
        return f"0 ± {_short(check['bound'])}"
    if check["kind"] == "statistical":  # its value is the rate of false alarms over p
        return "not rejected" if check["verdict"] == "holds" else "rejected"
    sign = "≤" if check["verdict"] == "holds" else ">"
    return f"{_short(check['value'])} {sign} {_short(check['bound'])}"


def _scale(check: dict[str, Any]) -> str:
    """Nothing of what has no error to be drawn: exact and statistical checks, and those that did
    not run.
    """
    if check["bound"] is None or check["value"] is None:
        return ""
    if check["kind"] in ("exact", "statistical"):
        return ""
    scale = CERTIFIED if check["kind"] == "certified" else FLOATS
    enclosed = check["kind"] == "certified" and check["value"] == 0
    value = None if enclosed else check["value"]
    return scale.drawn(value, check["bound"], f"{check['name']}: {_figure(check)}")


def _short(value: float | None) -> str:
    return "—" if value is None else "0" if value == 0 else f"{value:.1e}"


def _lean(text: str) -> str:
    """Escaped, with its words and comments marked."""
    parts = LEAN_NOTE.split(text)
    return "".join(
        f"<i>{escape(part)}</i>" if LEAN_NOTE.fullmatch(part) else _worded(part) for part in parts
    )


def _worded(text: str) -> str:
    return LEAN_WORD.sub(r"<b>\1</b>", escape(text, quote=False))
