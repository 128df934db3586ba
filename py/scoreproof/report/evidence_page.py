"""One `Evidence` as HTML: a fragment for a notebook's cell, or a page of its own to attach to an
issue.

Nothing is fetched when it is looked at: no script, no font, no picture from elsewhere. Light, dark,
narrow and printed alike.
"""

from __future__ import annotations

import json
import math
import platform
import re
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

from scoreproof.errors import ScoreproofError
from scoreproof.plotting import as_image, own_style, stretches
from scoreproof.report.scale import FLOATS
from scoreproof.tabular import Table, shown

if TYPE_CHECKING:
    from scoreproof.evidence import Evidence

__all__ = ["evidence_fragment", "evidence_page"]


#: How English sentences begin; any other first word may be a name, which keeps its letters.
OPENING = re.compile(
    "(?:a|all|an|as|at|both|each|every|for|in|it|no|nothing|of|on|only|the|there|two|what|where"
    "|with|your) "
)
#: Rows of a table and letters of the JSON that a page shows; beyond that they are thinned.
ROWS, LETTERS = 500, 500_000

#: The page around the article; in a notebook there is none.
_PAGE = (
    "body { background: #fff; color: #59636e; font: 14px/1.5 system-ui, sans-serif;"
    " margin: 2rem auto; max-width: 52rem; padding: 0 1rem; }"
    " @media (prefers-color-scheme: dark) { body { background: #010409; color: #9198a1; } }"
)


def evidence_page(evidence: Evidence, command: str = "") -> str:
    """A whole page; ``command`` is what made it, if something did that can be run again."""
    from scoreproof import __version__

    made = f"scoreproof {__version__}, Python {platform.python_version()}"
    again = f"<p>Made by <code>{escape(command)}</code></p>" if command else ""
    name = evidence.title or "scoreproof"
    return _whole(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(name)}: {evidence.verdict}</title>\n<style>{_PAGE}</style>\n</head>\n"
        f"<body>\n<main>\n{evidence_fragment(evidence, heading='h1')}\n</main>\n"
        f"<footer>{again}<p>{escape(made)}</p></footer>\n</body>\n</html>\n"
    )


def evidence_fragment(evidence: Evidence, heading: str = "h3") -> str:
    """What ``print(evidence.explain())`` says, with the picture and the table where there are any.

    >>> from scoreproof.evidence import Evidence
    >>> html = evidence_fragment(Evidence.measured(0.5, 1e-14, "the two sides differ"))
    >>> "the two sides differ" in html, "<script" in html
    (True, False)
    """
    style = resources.files("scoreproof.report").joinpath("evidence.css").read_text("utf-8")
    verdict = str(evidence.verdict)
    title = f"<{heading}>{escape(evidence.title)}</{heading}>" if evidence.title else ""
    parts = [
        f"<style>\n{style}</style>",
        f'<article class="scoreproof" data-verdict="{verdict}">',
        title,
        f'<p class="verdict"><strong>{verdict}</strong> <span>{evidence.kind}</span></p>',
        f"<p>{escape(_ended(evidence.sentence))}</p>",
    ]
    if evidence.diagnosis is not None:
        parts.append(f'<p class="cause">{escape(evidence.diagnosis.sentence)}</p>')
    parts += [_scale(evidence), _picture(evidence), _looked_at(evidence)]
    parts += [f"<p>{escape(note)}</p>" for note in evidence.notes]
    if evidence.table is not None:
        parts.append(_table(evidence.table))
    parts.append(_as_json(evidence.to_dict()))
    return _whole("\n".join(p for p in [*parts, "</article>"] if p))


def _whole(text: str) -> str:
    """Half a character, which a name can have, is no UTF-8; this is how JSON writes it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _ended(text: str) -> str:
    """A sentence with its capital, if its first word is no name, and its full stop.

    >>> _ended("the ends differ"), _ended("c_skip is 0"), _ended("σ_data is 0"), _ended("is it?")
    ('The ends differ.', 'c_skip is 0.', 'σ_data is 0.', 'is it?')
    """
    if OPENING.match(text):
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _as_json(found: dict[str, Any]) -> str:
    summary = "As JSON"
    text = _json(found)
    if len(text) > LETTERS and found["table"] is not None:
        rows = found["table"]["rows"]
        every = max(-(-len(text) // LETTERS), -(-len(rows) // ROWS))
        text = _json({**found, "table": {**found["table"], "rows": rows[::every]}})
        summary += f", {_every(every, len(rows), 'rows')}; to_dict() and --json have all"
    return f"<details><summary>{summary}</summary><pre>{escape(text)}</pre></details>"


def _json(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)


def _every(step: int, number: int, things: str) -> str:
    """How few are shown.

    >>> _every(2, 9, "rows"), _every(13, 9, "rows"), _every(50, 999, "rows")
    ('every 2nd of 9 rows', 'every 13th of 9 rows', 'every 50th of 999 rows')
    """
    last = "th" if step // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(step % 10, "th")
    return f"every {step}{last} of {number} {things}"


def _looked_at(evidence: Evidence) -> str:
    """What a deviation would have needed to be seen, and where it was looked for."""
    rows = []
    if evidence.resolution is not None and evidence.verdict == "holds":
        rows.append(("would have been seen", f"a relative deviation of {evidence.resolution:.2g}"))
    if evidence.order is not None and math.isfinite(evidence.order):
        rows.append(("order of convergence", f"{evidence.order:.3g}"))
    if evidence.coverage is not None:
        rows.append(("coverage", evidence.coverage.describe()))
    lines = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows)
    return f"<dl>{lines}</dl>" if lines else ""


def _scale(evidence: Evidence) -> str:
    if not evidence.comparable:
        return ""
    told = f"error {evidence.value:.3g}, bound {evidence.bound:.3g}"
    drawn = FLOATS.drawn(evidence.value, evidence.bound, told)
    caption = f"{escape(told)}; shaded is what the bound allows"
    return f"<figure>{drawn}<figcaption>{caption}</figcaption></figure>"


def _picture(evidence: Evidence) -> str:
    if not evidence.curves:
        return ""
    try:
        with own_style():
            picture = as_image(evidence.plot().figure)
    except Exception as error:  # of whatever kind: the verdict does not depend on its picture
        told = (
            str(error) if isinstance(error, ScoreproofError) else f"{type(error).__name__}: {error}"
        )
        return f'<p class="aside">No picture: {escape(told)}</p>'
    names = ", ".join(sorted(evidence.curves))
    across, up = evidence.labels
    told = f"{names}: {up} against {across}" if across else f"{names}: {up}"
    drawn = "".join(
        f"<figcaption>{escape(name)}: of each {stretch} of {len(evidence.curves[name][1])} points"
        " the least and the largest are drawn</figcaption>"
        for name, stretch in stretches(evidence).items()
    )
    return f'<figure><img alt="{escape(told)}" src="{picture}">{drawn}</figure>'


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(c)}</th>' for c in table.columns)
    every = -(-len(table.rows) // ROWS) or 1
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(shown(c))}</td>" for c in row) + "</tr>"
        for row in table.rows[::every]
    )
    few = f'<p class="aside">{_every(every, len(table.rows), "rows").capitalize()}</p>'
    return (few if every > 1 else "") + (
        '<div class="wide" tabindex="0" role="region" aria-label="the rows behind the verdict">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
