"""The verdict on a Metropolis kernel: detailed balance at pairs of points, for a Gaussian and for a
mixture.

Conventions: ``p(x) q(x, y) a(x, y) = p(y) q(y, x) a(y, x)``; what is judged is the logarithm of the
quotient of both sides: the relative error of an acceptance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.diagnosis import safely
from scoreproof.evidence import Evidence
from scoreproof.public.corrector.accepting import PARTS, Metropolis
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.draws import Drawn
from scoreproof.public.corrector.pairs import Pairs, bounded
from scoreproof.public.corrector.paths import turned_round
from scoreproof.public.corrector.proposals import Way, back, log_density, moved
from scoreproof.public.corrector.ratios import cause_of
from scoreproof.public.corrector.rejecting import (
    mixed_proposals,
    no_way_back,
    not_kept,
    together,
)
from scoreproof.public.corrector.target import Target, gaussian, mixture
from scoreproof.public.rule import compared, weakest
from scoreproof.streams import stream
from scoreproof.words import point

__all__ = ["judge"]

PAIRS = 24
#: what rounding may leave of a far pair
CLEAR = 1e-6
#: more that start far out and move far, as far as this beside the others: their ratios are large
#: and small; where nothing is seen of them they are left away
FAR = np.linspace(1.5, 3.5, 8)
#: pairs that say something: both acceptances above this
LEAST = 1e-6
#: what stands for an acceptance of 0
NEVER = 1e-12
ENOUGH = 8
#: what constants in single precision leave of a term
SINGLE = 2.0**-23


def judge(kernel: Kernel, drawn: Drawn) -> Evidence:
    """Both targets, or the Gaussian alone for a kernel that is told mean and covariance."""
    job = kernel.job
    if job.two or len(drawn.noise) != 1 or not drawn.whole or drawn.accepts != 1:
        what = f"{len(drawn.noise)} draws of noise and {drawn.accepts} numbers to accept by"
        if job.two:
            what = "x and v"
        elif not drawn.whole:
            what = "noise for some of the coordinates"
        text = (
            f"{job.name} takes {what}; detailed balance is judged of one step with one draw of"
            f" noise and one uniform number a row: {_instead(kernel, drawn)}"
        )
        return Evidence.undecided("float", text)
    targets = [gaussian(job.shape)] + ([] if job.gaussians_only else [mixture(job.shape)])
    judged = []
    for k, target in enumerate(targets):
        evidence = _on(kernel, target, drawn, "a mixture" if k else "a Gaussian")
        if evidence.verdict == "refuted":
            return evidence
        judged.append(evidence)
    end = weakest(judged)
    if end.verdict != "holds":
        return end
    text = (
        f"{job.name}: at {sum(e.coverage.asked['pairs'] for e in judged if e.coverage)} pairs of"
        " points p(x) q(x, y) a(x, y) = p(y) q(y, x) a(y, x), for"
        f" {'a Gaussian' if job.gaussians_only else 'a Gaussian and for a mixture of two'}"
    )
    seen = Coverage.together([e.coverage for e in judged if e.coverage], _SPAN)
    return replace(end, sentence=text, coverage=seen)


def _instead(kernel: Kernel, drawn: Drawn) -> str:
    """What can be done about it, by what it draws."""
    if kernel.job.two:
        return "pass one that draws the momentum inside and returns x alone"
    if not drawn.whole:
        return "pass one that moves all coordinates at once; sweeps and blocks are not judged"
    if len(drawn.noise) == drawn.accepts > 1 and len(set(drawn.noise)) == 1:
        return "call it for one step (options={'n_steps': 1})"
    return (
        "kernels with further draws (delayed rejection, signs or steps drawn for each row) are not"
        " judged; what can be fixed, fix in the corrector that is passed"
    )


_SPAN = f"pairs whose acceptances are above {LEAST:g}"


def _on(kernel: Kernel, target: Target, drawn: Drawn, name: str) -> Evidence:
    job = kernel.job
    rng = stream(job.seed, "corrector", "pairs", name)
    kind = drawn.noise[0]
    uniform = kind == "uniform"
    x, z = _starts(target, rng, uniform)
    x = kernel.rounded(x)
    near = slice(PAIRS)
    walk = Metropolis(kernel, target, job.h, most=len(x) * max(PARTS - 1, 1 + 6 * job.d))
    walk.oriented(x, z)
    there = moved(walk.proposed, x, z, kernel.eps)
    y = there.y
    reach = np.maximum(np.max(np.abs(x), axis=1), np.max(np.abs(y), axis=1))
    reach = np.maximum(reach, np.max(reach[near]))  # far rows do not blur the others
    rounding = 4 * kernel.eps * reach
    part = PAIRS // 2
    if np.max(np.abs(walk.proposed(x[:part], z[:part]) - y[:part])) > 64 * rounding[0]:
        return mixed_proposals(kernel, name)
    still = np.all(y == x, axis=1)
    if np.sum(still[near]) > PAIRS / 2:
        text = (
            f"{job.name} stays where it is whatever uniform number it gets, at"
            f" {int(np.sum(still[near]))} of"
            f" {PAIRS} points: no acceptance is above {LEAST:g}; pass a smaller step_size"
        )
        return Evidence.undecided("float", text)
    refused = walk.rejected(x, z)
    apart = np.max(np.abs(refused - y), axis=1) > 64 * rounding
    lost = np.any(refused != x, axis=1) & apart & ~still
    if np.any(lost):
        return not_kept(kernel, name, (x, refused, y), lost)
    if np.any(still[near]):
        text = (
            f"{job.name} stays where it is at {int(np.sum(still[near]))} of {PAIRS} points,"
            " whatever uniform number it gets: it never goes where its noise leads from there (a"
            " wall, or a step that is far too large), and whether it comes from there is not seen;"
            " pass a smaller step_size, and for a constraint make p itself 0 beyond"
        )
        return Evidence.undecided("float", text)
    shape = (-1, *job.shape)
    log_p = target.log_density(x.reshape(shape)), target.log_density(y.reshape(shape))
    if not walk.alone(x[near], z[near], (log_p[1] - log_p[0])[near]):
        return together(kernel, name)
    centre = 0.5 if uniform else 0.0
    starts = [np.full_like(z, centre), 2 * centre - z, z, centre + (z - centre) / 2]
    simple = len(walk.asked) <= 2
    turned = None if uniform or simple else turned_round(walk, x, z)
    if turned is not None:
        starts.insert(0, turned)
    home = back(Way(walk.proposed, rounding, kernel.eps, simple), x, there, starts)
    reverse, again, found = home.z, home.moved, home.sure
    ahead = walk.acceptance(x, z, y, 64 * rounding)
    behind = walk.acceptance(y, reverse, x, 64 * rounding)
    if not (ahead.alone and behind.alone):
        return together(kernel, name)
    logs = np.log(np.maximum(ahead.a, NEVER)), np.log(np.maximum(behind.a, NEVER))
    log_q = log_density(z, there, kind), log_density(reverse, again, kind)
    with np.errstate(invalid="ignore"):  # a map without a density
        due = log_p[1] - log_p[0] + log_q[1] - log_q[0]
    one_way = np.isinf(due) & found & ~still
    if np.any(one_way):
        return no_way_back(kernel, name, (x, y), one_way)
    # what is never done one way counts where the other way asks for it
    asked_for = np.where(logs[0] < logs[1], logs[1] + due, logs[0] - due)
    seen = np.maximum(asked_for, np.minimum(*logs)) > np.log(LEAST)
    usable = found & (np.maximum(*logs) > np.log(LEAST)) & seen & ~still
    if not (ahead.ordered and behind.ordered):
        text = f"{job.name} accepts for some uniform numbers between others that it rejects for"
        return Evidence.undecided("float", text)
    gone = int(np.sum(~found[near]))
    if gone > PAIRS / 3:
        text = (
            f"{job.name}: for {name} no noise was found that leads from y back to x, at"
            f" {gone} of {PAIRS} pairs: shorter trajectories (a smaller step_size,"
            " fewer"
            " leapfrog steps) are easier to turn round"
        )
        return Evidence.undecided("float", text)
    if np.sum(usable[near]) < ENOUGH:
        text = (
            f"{job.name}: for {name} {int(np.sum(usable[near]))} of {PAIRS} pairs have acceptances"
            f" above {LEAST:g} both ways: pass a smaller step_size"
        )
        return Evidence.undecided("float", text)
    pairs = Pairs(target, x, y, (z, reverse), (there, again), logs, log_q, log_p, np.zeros(len(x)))
    pairs = bounded(pairs, kernel.eps, rounding)
    # of a far pair that rounding leaves more open than the others nothing is said
    coarse = pairs.bound > max(CLEAR, float(np.max(pairs.bound[near][usable[near]])))
    usable[PAIRS:] &= ~coarse[PAIRS:]
    pairs = pairs.of(usable)
    return _verdict(walk, pairs, name, gone)


def _starts(
    target: Target, rng: np.random.Generator, uniform: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Points and noise, ``PAIRS`` of them as they are drawn and the rest far out."""
    x = target.law.sample(rng, PAIRS)
    z = rng.uniform(0.2, 0.8, x.shape) if uniform else rng.standard_normal(x.shape)
    more = target.law.sample(rng, len(FAR))
    out = target.mean + FAR[:, None] * (more - target.mean)
    wide = rng.standard_normal(more.shape)
    along = (out - target.mean) * np.where(np.arange(len(FAR)) % 4 < 2, 1, -1)[:, None]
    along *= np.linalg.norm(wide, axis=1, keepdims=True) / np.linalg.norm(
        along, axis=1, keepdims=True
    )
    wide[::2] = along[::2]  # out and in: there log p changes most
    wide *= 1.5 * FAR[:, None]
    if uniform:
        wide = rng.uniform(0.02, 0.98, more.shape)
    return np.concatenate([x, out]), np.concatenate([z, wide])


def _verdict(walk: Metropolis, pairs: Pairs, name: str, lost: int) -> Evidence:
    """``lost``: how many have no way back that was found."""
    kernel, job = walk.kernel, walk.kernel.job
    gone = Omission("pairs", lost, "whose way back was not found", scattered=True)
    seen = Coverage({"pairs": len(pairs.x) + lost}, (gone,) if lost else (), span=_SPAN)
    evidence = compared(
        np.abs(pairs.error),
        pairs.bound + kernel.coarse * pairs.size,
        f"{job.name}: detailed balance for {name}",
        excuse=SINGLE * pairs.size,
        coverage=seen,
        tolerance=job.tolerance,
        remedy="use float64, or a shorter way (a smaller step_size, fewer leapfrog steps)",
    )
    if evidence.verdict != "refuted":
        return evidence
    k = int(np.argmax(np.abs(pairs.error) / pairs.bound))
    log_a = pairs.log_a[0][k], pairs.log_a[1][k]
    due = pairs.log_p[1][k] - pairs.log_p[0][k] + pairs.log_q[1][k] - pairs.log_q[0][k]
    text = (
        f"{job.name} does not keep p, {name}: from x = {point(pairs.x[k])} to y ="
        f" {point(pairs.y[k])} it moves {_often(log_a[0])} and back {_often(log_a[1])}, where"
        f" detailed balance asks for a quotient p(y) q(y, x) / p(x) q(x, y) = {np.exp(due):.4g}"
    )
    value = float(np.abs(pairs.error[k]))
    cause = safely(lambda: cause_of(walk, pairs))
    return replace(evidence, sentence=text, value=value, diagnosis=cause)


def _often(log_a: float) -> str:
    return f"with probability {np.exp(log_a):.4g}" if log_a > np.log(2 * NEVER) else "never"
