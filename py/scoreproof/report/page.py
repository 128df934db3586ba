"""A run as one self-contained HTML page: no script, no request to anywhere; readable in light and
dark.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

from scoreproof.claims import load
from scoreproof.errors import MissingExtraError
from scoreproof.verify import Run

__all__ = ["page", "require_report"]


def require_report() -> None:
    """Raise ``MissingExtraError`` unless the page's dependencies are installed."""
    for package in ("jinja2", "latex2mathml"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtraError("report", package) from error


def page(run: Run, document: dict[str, Any]) -> str:
    """The HTML page of ``run``; ``document`` is its JSON document (`report.document.document`)."""
    require_report()
    import jinja2
    from latex2mathml.converter import convert

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["short"] = lambda v: "—" if v is None else "0" if v == 0 else f"{v:.1e}"
    template = environment.from_string(
        resources.files("scoreproof.report").joinpath("page.html.j2").read_text("utf-8")
    )
    statements = {result.name: load(result.name).statement for result in run.results}
    docs = {
        (result.name, c.name): c.doc for result in run.results for c in load(result.name).checks
    }
    # latex2mathml escapes what it does not know, so its output is markup to be trusted as such
    formulas = {
        name: jinja2.utils.markupsafe.Markup(convert(statement.latex, display="block"))
        for name, statement in statements.items()
    }
    return template.render(doc=document, statements=statements, formulas=formulas, docs=docs)
