"""Data far out, as far as `check_sampler` looks: who clips or thresholds what the model predicts
bends there, and x beyond comes back only as far as both do.

Conventions: as in `trips`; ``scale``: how many standard deviations the rows are from the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.asking import passage, prepared
from scoreproof.public.inversion.forms import place
from scoreproof.public.inversion.trips import Trips
from scoreproof.public.rule import settled
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.rows import FAR, SIZE
from scoreproof.public.sampler.words import size_of

__all__ = ["Bends", "looked", "noted"]

#: as far as the rows of `check_sampler`
SCALE = FAR * SIZE
#: relative: what is farther from affine bends; the same in roundings
BENT, ROUGH = 1e-5, 1e4
#: halvings of the scale at which something begins to bend
HALVINGS = 14
#: two that begin to bend at predictions this near to each other clip alike
ALIKE = 1.2


@dataclass(frozen=True)
class Bend:
    """From which ``scale`` on one of the two is not affine, and how large what it predicts for x_0
    is there; ``late``: only in what it returns, not in any x on its way.
    """

    scale: float
    most: float
    late: bool


#: of the inverse, and of the sampler
Bends = tuple[Bend | None, Bend | None]


@dataclass(frozen=True, eq=False)
class _Look:
    """One number of steps, with which both are asked again."""

    job: Job
    trips: Trips

    def rows(self, up: bool, scale: float) -> np.ndarray:
        """Near and far, where the one or the other starts."""
        t = self.trips.made[0]
        where = np.concatenate([t.where, scale * t.where[1:]])
        return place(t.data, t.low if up else t.high, where)

    def bend(self, rows: np.ndarray, scale: float) -> float:
        """How far the far rows are from where the near ones point to, relative to that."""
        near = len(self.trips.made[0].where)
        mean, one, far = rows[0], rows[1:near], rows[near:]
        due = scale * (one - mean)
        off = np.abs(far - mean - due).max()
        return float(np.nan_to_num(off / max(np.abs(due).max(), 1e-300), nan=np.inf))

    @property
    def least(self) -> float:
        return max(BENT, ROUGH * self.trips.table)

    def side(self, up: bool) -> Bend | None:
        """Where one of the two begins to bend; ``None`` where it does not."""
        t, form = self.trips.made[0], self.job.up if up else self.job.down

        def far(scale: float) -> tuple[np.ndarray, list[tuple[Level, np.ndarray]]]:
            return passage(form, t.n, t.data, self.rows(up, scale))

        end, asked = far(SCALE)
        if self.bend(end, SCALE) <= self.least:
            return None
        late = not up and all(self.bend(x, SCALE) <= self.least for _, x in asked)
        late = late and self.late()
        scale = _begins(lambda s: self.bend(far(s)[0], s) > self.least)
        end, asked = far(scale)
        every = [
            t.data.denoised(x, np.array([[v.alpha]]), np.array([[v.sigma]]))
            for v, x in asked
            if v.sigma > 0
        ]
        every = [end] if late else every
        return Bend(scale, max(float(np.abs(v).max()) for v in every), late)

    def late(self) -> bool:
        """Whether the sampler bends no x on its way with the most steps either: of few steps the
        last one alone may predict so much.
        """
        t = self.trips.made[-1]
        prepared(self.job, t.n)
        where = np.concatenate([t.where, SCALE * t.where[1:]])
        asked = passage(self.job.down, t.n, t.data, place(t.data, t.high, where))[1]
        prepared(self.job, self.trips.made[0].n)
        return all(self.bend(x, SCALE) <= self.least for _, x in asked)

    def home(self, scale: float) -> float:
        """By how many standard deviations x that far out comes back elsewhere than it points to."""
        t = self.trips.made[-1]  # of few steps the sampler may not lead as far out again
        prepared(self.job, t.n)
        rows = place(t.data, t.low, np.concatenate([t.where, scale * t.where[1:]]))
        noised = passage(self.job.up, t.n, t.data, rows)[0]
        end = passage(self.job.down, t.n, t.data, noised)[0]
        prepared(self.job, self.trips.made[0].n)
        near = len(t.where)
        off = end[near:] - end[0] - scale * (end[1:near] - end[0])
        return float(np.abs(off / t.data.moments(t.low)[1]).max())


def _begins(bent: Callable[[float], bool]) -> float:
    low, high = 1.0, SCALE
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if bent(middle) else (middle, high)
    return high


def looked(job: Job, trips: Trips) -> tuple[Evidence | None, Bends]:
    """Both where they bend, and a refutation where only one does, or at another prediction."""
    try:
        return _clipped(job, trips)
    except CallableError:
        return None, (None, None)


def _clipped(job: Job, trips: Trips) -> tuple[Evidence | None, Bends]:
    """The same, of two that can be asked far out."""
    look = _Look(job, trips)
    prepared(job, trips.made[0].n)
    up, down = look.side(up=True), look.side(up=False)
    mild = up is None and (down is None or down.late)  # an image is cut off when it is done
    if mild or (up and down and max(up.most, down.most) <= ALIKE * min(up.most, down.most)):
        return None, (up, down)
    scale = (up.scale + down.scale) / 2 if up and down else SCALE
    size = look.home(scale)
    bound = look.least * scale
    if size <= bound:
        return None, (up, down)
    first = down is None or (up is not None and up.most < down.most)
    one, other = (up, down) if first else (down, up)
    who, whom = ("inverse", "sampler")[:: 1 if first else -1]
    assert one is not None
    does = f"the {who} clips or thresholds the predicted x_0 at ±{one.most:.3g}"
    than = f"the {whom} at ±{other.most:.3g}" if other else f"the {whom} does not"
    text = (
        f"{job.name}: data far out do not come back: x that starts {scale:.3g} standard deviations"
        f" from its mean comes back off by {size_of(size)}, although x within"
        f" ±{_inside(trips):.2g} comes back"
    )
    cause = (
        f"Cause: {does}, and {than}: data beyond ±{one.most:.3g} do not come back. Switch it off in"
        f" the {who} (clip_sample=False, thresholding=False)"
        f"{', or let both do it alike' if other is None else ', or use one range in both'}."
    )
    evidence = settled(
        Evidence("convergent", "refuted", size, bound, text),
        resolution=2 * bound,
        coverage=Coverage({"samples": 2 * len(trips.made[0].where) - 1}),
    )
    return evidence.with_diagnosis(Diagnosis((who,), 0.0, None, cause)), (up, down)


def noted(evidence: Evidence, trips: Trips, bends: Bends) -> Evidence:
    """What holds, with the remark that both clip, or that the sampler does in the end."""
    up, down = bends
    found = [b for b in bends if b is not None]
    coverage = evidence.coverage
    if not found or coverage is None:
        return evidence
    most = min(b.most for b in found)
    if up is None:
        what = "what it returns" if down is None or down.late else "the predicted x_0"
        note = f"The sampler clips {what} at ±{most:.3g}; the inverse clips nothing."
    else:
        what = "both" if down is not None else "the inverse"
        note = f"Far out {what} clip{'' if down else 's'} or threshold the predicted x_0 at"
        note += f" ±{most:.3g}."
    note += f" Judged within ±{_inside(trips):.2g}; data beyond ±{most:.3g} do not come back."
    far = len(trips.made[0].where) - 1
    out = Omission("samples", far, "which are clipped", f"beyond ±{most:.3g}", wished=True)
    seen = replace(
        coverage,
        asked={**coverage.asked, "samples": coverage.asked.get("samples", 0) + far},
        left_out=(*coverage.left_out, out),
    )
    return replace(evidence, coverage=seen, notes=(note, *evidence.notes))


def _inside(trips: Trips) -> float:
    """How large x_0 is in the samples that are judged."""
    mean, std = trips.made[0].data.mean, trips.made[0].data.width
    return float(np.max(np.abs(mean) + std))
