"""One `Evidence` as HTML: a fragment for a notebook's cell, or a page of its own to attach to an
issue.

Nothing is fetched when it is looked at: no script, no font, no picture from elsewhere. Light, dark,
narrow and printed alike.
"""

from __future__ import annotations

import json
import math
import platform
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from scoreproof.errors import MissingExtraError
from scoreproof.plotting import as_image
from scoreproof.report.scale import FLOATS
from scoreproof.tabular import Table, shown

if TYPE_CHECKING:
    from scoreproof.evidence import Evidence

__all__ = ["evidence_fragment", "evidence_page"]


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
    return (
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
        f"<p>{escape(_capital(evidence.sentence))}</p>",
    ]
    if evidence.diagnosis is not None:
        parts.append(f'<p class="cause">{escape(evidence.diagnosis.sentence)}</p>')
    parts += [_scale(evidence), _picture(evidence), _looked_at(evidence)]
    parts += [f"<p>{escape(note)}</p>" for note in evidence.notes]
    if evidence.table is not None:
        parts.append(_table(evidence.table))
    text = json.dumps(evidence.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    parts.append(f"<details><summary>As JSON</summary><pre>{escape(text)}</pre></details>")
    return "\n".join(p for p in [*parts, "</article>"] if p)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


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
        picture = as_image(evidence.plot().figure)
    except MissingExtraError as missing:
        return f'<p class="aside">No picture: {escape(str(missing))}</p>'
    names = ", ".join(sorted(evidence.curves))
    across, up = evidence.labels
    told = f"{names}: {up} against {across}" if across else f"{names}: {up}"
    return f'<figure><img alt="{escape(told)}" src="{picture}"></figure>'


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(c)}</th>' for c in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(shown(c))}</td>" for c in row) + "</tr>"
        for row in table.rows
    )
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="the rows behind the verdict">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
