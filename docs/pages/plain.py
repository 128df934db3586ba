"""Text as it is, whatever it looks like to Markdown; and back."""

from __future__ import annotations

import re
from html import unescape

__all__ = ["plain", "read"]

#: An underscore within a word is one.
SIGNS = re.compile(r"[\\`*\[\]|$]|(?<![^\W_])_|_(?![^\W_])")
#: At the beginning of a line these make a heading or a list.
FIRST = re.compile(r"^(\d*)([#+\-.)])")
ESCAPED = re.compile(r"\\([\\`*_\[\]|$#+\-.)])")


def plain(text: str) -> str:
    r"""Markdown that shows ``text``, which is one line.

    >>> plain("<lambda>: p * q, x_t[0], ∂_t, f_ costs $5 & more | less")
    '&lt;lambda&gt;: p \\* q, x_t\\[0\\], ∂\\_t, f\\_ costs \\$5 &amp; more \\| less'
    >>> plain("1. is no list"), plain("0.5 is no list")
    ('1\\. is no list', '0\\.5 is no list')
    """
    text = FIRST.sub(r"\1\\\2", SIGNS.sub(r"\\\g<0>", text))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("~", "&#126;")  # no escape of Markdown's own


def read(markdown: str) -> str:
    r"""The text that `plain` was given.

    >>> text = r"- \_a_ <b> &amp; `c` ~d~ 1. \\["
    >>> read(plain(text)) == text
    True
    """
    return ESCAPED.sub(r"\1", unescape(markdown))
