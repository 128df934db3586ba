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
            " noise"
            " and one uniform number a row: call it for one step (options={'n_steps': 1}), with the"
            " momentum drawn inside"
        )
        return Evidence.undecided("float", text, cost={"calls": kernel.calls})
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
    return replace(end, sentence=text, coverage=seen, cost={"calls": kernel.calls})


_SPAN = f"pairs whose acceptances are above {LEAST:g}"


def _on(kernel: Kernel, target: Target, drawn: Drawn, name: str) -> Evidence:
    job = kernel.job
    rng = stream(job.seed, "corrector", "pairs", name)
    x = kernel.rounded(target.law.sample(rng, PAIRS))
    kind = drawn.noise[0]
    uniform = kind == "uniform"
    z = rng.uniform(0.2, 0.8, x.shape) if uniform else rng.standard_normal(x.shape)
    walk = Metropolis(kernel, target, job.h, most=PAIRS * max(PARTS - 1, 1 + 6 * job.d))
    walk.oriented(x, z)
    there = moved(walk.proposed, x, z, kernel.eps)
    y = there.y
    reach = max(float(np.max(np.abs(x))), float(np.max(np.abs(y))))
    rounding = 4 * kernel.eps * reach
    part = PAIRS // 2
    if np.max(np.abs(walk.proposed(x[:part], z[:part]) - y[:part])) > 64 * rounding:
        return mixed_proposals(kernel, name)
    still = np.all(y == x, axis=1)
    if np.sum(still) > PAIRS / 2:
        text = (
            f"{job.name} stays where it is whatever uniform number it gets, at"
            f" {int(np.sum(still))} of"
            f" {PAIRS} points: no acceptance is above {LEAST:g}; pass a smaller step_size"
        )
        return Evidence.undecided("float", text, cost={"calls": kernel.calls})
    refused = walk.rejected(x, z)
    apart = np.max(np.abs(refused - y), axis=1) > 64 * rounding
    lost = np.any(refused != x, axis=1) & apart & ~still
    if np.any(lost):
        return not_kept(kernel, name, (x, refused, y), lost)
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
    shape = (-1, *job.shape)
    log_p = target.log_density(x.reshape(shape)), target.log_density(y.reshape(shape))
    log_q = log_density(z, there, kind), log_density(reverse, again, kind)
    due = log_p[1] - log_p[0] + log_q[1] - log_q[0]
    if np.any(np.isinf(due) & found):
        return no_way_back(kernel, name, (x, y), np.isinf(due) & found)
    # what is never done one way counts where the other way asks for it
    asked_for = np.where(logs[0] < logs[1], logs[1] + due, logs[0] - due)
    seen = np.maximum(asked_for, np.minimum(*logs)) > np.log(LEAST)
    usable = found & (np.maximum(*logs) > np.log(LEAST)) & seen & ~still
    if not (ahead.ordered and behind.ordered):
        text = f"{job.name} accepts for some uniform numbers between others that it rejects for"
        return Evidence.undecided("float", text, cost={"calls": kernel.calls})
    if np.sum(~found & ~still) > PAIRS / 3:
        text = (
            f"{job.name}: for {name} no noise was found that leads from y back to x, at"
            f" {int(np.sum(~found))} of {PAIRS} pairs: shorter trajectories (a smaller step_size,"
            " fewer"
            " leapfrog steps) are easier to turn round"
        )
        return Evidence.undecided("float", text, cost={"calls": kernel.calls})
    if np.sum(usable) < ENOUGH:
        text = (
            f"{job.name}: for {name} {int(np.sum(usable))} of {PAIRS} pairs have acceptances above"
            f" {LEAST:g} both ways: pass a smaller step_size"
        )
        return Evidence.undecided("float", text, cost={"calls": kernel.calls})
    pairs = Pairs(target, x, y, (z, reverse), (there, again), logs, log_q, log_p, np.zeros(len(x)))
    pairs = bounded(pairs, kernel.eps, rounding).of(usable)
    return _verdict(kernel, pairs, name, int(np.sum(~found & ~still)))


def _verdict(kernel: Kernel, pairs: Pairs, name: str, lost: int) -> Evidence:
    """``lost``: how many have no way back that was found."""
    job = kernel.job
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
        cost={"calls": kernel.calls},
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
    cause = safely(lambda: cause_of(kernel, pairs))
    return replace(evidence, sentence=text, value=value, diagnosis=cause)


def _often(log_a: float) -> str:
    return f"with probability {np.exp(log_a):.4g}" if log_a > np.log(2 * NEVER) else "never"
