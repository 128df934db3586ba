"""What a statement assumes and what it concludes, and whether the conclusion says anything.

A statement is the texts of its tokens after the name: binders, a colon, a type. This is no type
checker: it sees a conclusion that is ``True``, literally a hypothesis, or the same text on both
sides of ``=`` or ``↔``, alone or joined by ``∧``.
"""

from __future__ import annotations

from scoreproof.lean.tokens import CLOSE, OPEN

__all__ = ["Text", "bare", "binder_types", "bracketed", "conclusion", "says_nothing", "split_at"]

Text = tuple[str, ...]  # the texts of tokens


def binder_types(group: Text) -> list[Text]:
    """The type in a binder such as ``(h : P)``; ``[P]`` is its own type."""
    inside = group[1:-1]
    depth = 0
    for index, text in enumerate(inside):
        depth += (text in OPEN) - (text in CLOSE)
        if text == ":" and not depth:
            return [bare(inside[index + 1 :])]
    return [bare(inside)] if group[0] == "[" else []


def bare(text: Text) -> Text:
    """Without parentheses around the whole."""
    while (
        len(text) > 2
        and text[0] == "("
        and text[-1] == ")"
        and split_at(text, (")",), around=True) is None
    ):
        text = text[1:-1]
    return text


def split_at(text: Text, at: Text, *, around: bool = False) -> int | None:
    """Index of the first of ``at`` outside all brackets; ``around``: of a closing bracket that is
    not the last token.
    """
    depth = 0
    for index, token in enumerate(text):
        depth += (token in OPEN) - (token in CLOSE)
        if around:
            if not depth and index < len(text) - 1:
                return index
        elif not depth and token in at:
            return index
    return None


def conclusion(body: Text, context: tuple[Text, ...] = ()) -> tuple[list[Text], Text]:
    """Hypotheses (binders, variables in scope, premises before arrows) and the conclusion of a
    statement's ``body``.
    """
    hypotheses = list(context)
    colon = split_at(body, (":",))
    if colon is None:
        return hypotheses, ()
    hypotheses += [t for group in bracketed(body[:colon]) for t in binder_types(group)]
    rest = bare(body[colon + 1 :])
    while rest and rest not in hypotheses:  # h : ∀ n, P n is a hypothesis as a whole
        if rest[0] in ("∀", "Π") and (comma := split_at(rest, (",",))) is not None:
            binders = rest[1:comma]
            hypotheses += (
                [t for group in bracketed(binders) for t in binder_types(group)]
                if any(t in OPEN for t in binders) and binders[0] in OPEN
                else [bare(binders)]
            )
            if (kind := split_at(binders, (":",))) is not None:
                hypotheses.append(bare(binders[kind + 1 :]))
            rest = bare(rest[comma + 1 :])
            continue
        arrow, scope = (
            split_at(rest, ("→", "->")),
            split_at(rest, ("∃", "∀", "fun", "λ", "let", "∑", "∏")),
        )
        if arrow is None or (scope is not None and scope < arrow):
            return hypotheses, rest
        hypotheses.append(bare(rest[:arrow]))
        rest = bare(rest[arrow + 1 :])
    return hypotheses, rest


def bracketed(text: Text) -> list[Text]:
    """What stands in brackets outside of each other, with them.

    >>> bracketed(("(", "x", ":", "(", "A", ")", ")", ",", "{", "y", "}"))
    [('(', 'x', ':', '(', 'A', ')', ')'), ('{', 'y', '}')]
    """
    found, start, depth = [], 0, 0
    for index, token in enumerate(text):
        if token in OPEN:
            start, depth = (index, 1) if not depth else (start, depth + 1)
        elif token in CLOSE:
            depth -= 1
            if not depth:
                found.append(text[start : index + 1])
    return found


def says_nothing(body: Text, context: tuple[Text, ...] = ()) -> str | None:
    """Why a theorem's conclusion is empty (``True``, a hypothesis, the same text on both sides), or
    None.

    >>> says_nothing(tuple("( P : Prop ) ( h : P ) : P".split()))
    'its conclusion is one of its hypotheses: P'
    """
    return _nothing(*conclusion(body, context))


def _nothing(hypotheses: list[Text], end: Text) -> str | None:
    if not end:
        return None
    if (both := split_at(end, ("∧",))) is not None and not {"∃", "∀", "fun", "→"} & set(end[:both]):
        left, right = (
            _nothing(hypotheses, bare(end[:both])),
            _nothing(hypotheses, bare(end[both + 1 :])),
        )
        return left and right and f"{left}, and {right}"
    if end == ("True",):
        return "its conclusion is True"
    if end in hypotheses:
        return "its conclusion is one of its hypotheses: " + " ".join(end)
    middle = split_at(end, ("↔",)) or split_at(end, ("=",))
    if middle is not None and bare(end[:middle]) == bare(end[middle + 1 :]):
        return "both sides of its conclusion are the same text"
    return None
