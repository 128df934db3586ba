"""LaTeX as MathML, so that a formula needs no script and nothing from the network."""

from __future__ import annotations

import html
import itertools
import re
from importlib import resources
from typing import Any

from mkdocs.structure.files import File

from scoreproof.report.formulas import mathml

__all__ = ["assets", "with_mathml"]

#: What pymdownx.arithmatex leaves of $…$ and $$…$$ in its generic mode.
INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.S)
BLOCK = re.compile(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', re.S)


def with_mathml(page: str) -> str:
    """``page`` with every formula in MathML; one with its own line can be scrolled by keyboard."""
    count = itertools.count(1)

    def block(found: re.Match[str]) -> str:
        made = mathml(html.unescape(found[1]), block=True)
        label = f'aria-label="formula {next(count)}"'
        return f'<div class="formula" tabindex="0" role="region" {label}>{made}</div>'

    page = BLOCK.sub(block, page)
    return INLINE.sub(lambda m: mathml(html.unescape(m[1])), page)


def assets(config: Any) -> list[File]:
    """The font of the formulas, which browsers need for brackets that grow."""
    font = resources.files("scoreproof.report").joinpath("math.woff2").read_bytes()
    return [File.generated(config, "assets/math.woff2", content=font)]
