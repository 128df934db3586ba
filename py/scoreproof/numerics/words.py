"""The free ring: sums of words with integer coefficients, ``@`` concatenates, ``+`` collects.

An identity of words holds for every choice of the letters in every ring: for all matrices, all
Jacobians, all additive maps. One evaluation in the free ring is therefore a proof for one graph and
all its partials.
"""

from __future__ import annotations

__all__ = ["Words"]


class Words:
    """A sum of words; immutable. Letters are characters.

    >>> a, b = Words.letter("a"), Words.letter("b")
    >>> (a + b) @ a, a @ b == b @ a
    (aa + ba, False)
    """

    __slots__ = ("terms",)

    def __init__(self, terms: dict[str, int]) -> None:
        self.terms = terms

    @classmethod
    def letter(cls, name: str) -> Words:
        """The word of one letter (the empty string is the one of the ring)."""
        return cls({name: 1})

    @classmethod
    def zero(cls) -> Words:
        return cls({})

    def __add__(self, other: Words) -> Words:
        if not self.terms:
            return other
        if not other.terms:
            return self
        out = dict(self.terms)
        for word, count in other.terms.items():
            total = out.get(word, 0) + count
            if total:
                out[word] = total
            else:
                del out[word]
        return Words(out)

    def __neg__(self) -> Words:
        return Words({word: -count for word, count in self.terms.items()})

    def __sub__(self, other: Words) -> Words:
        return self + -other

    def __rmul__(self, factor: int) -> Words:
        return Words({word: factor * count for word, count in self.terms.items()} if factor else {})

    def __matmul__(self, other: Words) -> Words:
        right = other.terms
        if len(right) == 1:  # the common case: a partial is one letter
            ((tail, factor),) = right.items()
            return Words({word + tail: count * factor for word, count in self.terms.items()})
        out: dict[str, int] = {}
        for word, count in self.terms.items():
            for tail, factor in right.items():
                out[word + tail] = out.get(word + tail, 0) + count * factor
        return Words({word: count for word, count in out.items() if count})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Words) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __repr__(self) -> str:
        def show(word: str, count: int) -> str:
            return {1: "", -1: "-"}.get(count, f"{count}·") + (word or "1")

        return " + ".join(show(w, self.terms[w]) for w in sorted(self.terms)) or "0"
