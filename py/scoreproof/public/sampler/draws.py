"""What the draws of a chain rule out before its law is looked at."""

from __future__ import annotations

from dataclasses import replace

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.interop.draws import Draw
from scoreproof.public.sampler.chain import Chain
from scoreproof.words import listed

__all__ = ["refused"]


def refused(chain: Chain) -> Evidence | None:
    """Noise that a whole batch shares; random numbers that are not normal; a global generator."""
    odd = [d for d in chain.draws if d.kind == "normal" and d.shape[:1] != (chain.rows,)]
    parts = [d for d in odd if d.shape[:1] and d.shape[0] in chain.parts]
    shared = [d for d in odd if d.shape[:1] in ((), (1,)) or len(d.shape) < len(odd[0].shape)]
    if odd and len(parts) == len(odd):
        text = (
            f"it takes its batch in parts of {listed(chain.parts)} and draws noise for each of them"
            f" ({odd[0].where}), so that no row can be told what it gets; let it take the whole"
            " batch at once"
        )
        return Evidence.undecided("convergent", text)
    if odd and not shared:
        d = odd[0]
        text = (
            f"the {_nth(d.index)} draw of noise ({d.where}) has shape {d.shape} for a batch of"
            f" {chain.rows}: samples of a batch share their noise (antithetic pairs, say), so that"
            " no row can be told what it gets; draw it with the shape of x"
        )
        return Evidence.undecided("convergent", text)
    if shared:
        d = shared[0]
        text = (
            f"the {_nth(d.index)} draw of noise ({d.where}) has shape {d.shape} for a batch of"
            f" {chain.rows}: all samples of a batch get the same noise; draw it with the"
            " shape of x (randn_like(x))"
        )
        refuted = Evidence("float", "refuted", 1.0, 0.0, text)
        return replace(refuted, coverage=Coverage({"draws": len(chain.draws)}))
    other = [d for d in chain.draws if d.kind not in ("normal", "uniform", "seed", "start")]
    if other:
        text = (
            f"it draws {_plain(other[0])} ({other[0].where}), so that the law of x is no Gaussian"
            " one; pass a sampler in which that is fixed"
        )
        return Evidence.undecided("convergent", text)
    used = next((n for n in chain.notes if "global generator" in n), None)
    if used is not None:
        text = (
            f"it {used}, which cannot be replaced: let it take an argument rng (a"
            " numpy.random.Generator), and draw from that"
        )
        return Evidence.undecided("convergent", text)
    return None


def _plain(draw: Draw) -> str:
    return f"random {draw.kind}" if draw.kind.endswith("s") else f"by {draw.kind}"


def _nth(index: int) -> str:
    return {0: "first", 1: "second", 2: "third"}.get(index, f"{index + 1}th")
