"""LaTeX as MathML: a formula that a browser shows without a script."""

from __future__ import annotations

import re

__all__ = ["mathml"]

#: What latex2mathml writes amiss, and what is meant: an operator within an operator, the relation ~
#: as a letter, no space between a function and its argument.
NESTED = re.compile(r"<mo><mrow><mo>([^<]*)</mo></mrow></mo>")
CORRECTED = (
    ("<mo>&#x0002B;</mo><mo>&#x0003D;</mo>", "<mo>+=</mo>"),
    ("<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>"),
)
BEFORE = re.compile(r"(</m(?:i|sub|sup|subsup)>)(<mi>(?:log|exp|tr|det|sin|cos)</mi>)")
FUNCTION = re.compile(
    r"(<mi>(?:log|exp|tr|det|sin|cos)</mi>)(?=<m(?:i|sub|sup|subsup|over|frac)\b)"
)
#: A command of LaTeX that came through as text: latex2mathml does not know it.
UNKNOWN = re.compile(r">(\\[a-zA-Z]+)<")


def mathml(latex: str, *, block: bool = False) -> str:
    r"""``latex`` as MathML. Raises ``ValueError`` where a command is not known, which would
    otherwise be shown as it is written.

    >>> mathml("x^2").startswith("<math")
    True
    >>> mathml(r"\quada")
    Traceback (most recent call last):
        ...
    ValueError: no MathML for \quada in \quada
    """
    from latex2mathml.converter import convert

    made: str = convert(latex, display="block" if block else "inline")
    unknown = UNKNOWN.search(made)
    if unknown:
        raise ValueError(f"no MathML for {unknown[1]} in {latex}")
    made = NESTED.sub(r"<mo>\1</mo>", made)
    for amiss, meant in CORRECTED:
        made = made.replace(amiss, meant)
    made = BEFORE.sub(r'\1<mspace width="0.17em"/>\2', made)
    return FUNCTION.sub(r'\1<mspace width="0.17em"/>', made)
