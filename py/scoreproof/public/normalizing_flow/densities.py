"""Why log_prob was refuted: which of its terms is another one, and which constant is missing.

Conventions: variants of the base law's term, of log_det and of what is done with their sum are
combined; names that hold together are joined by `` + ``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.normalizing_flow.arguments import Job

__all__ = ["Terms", "explained"]

LOG_2PI = math.log(2 * math.pi)

REASONS = {
    "prior_at_x": "the base law is evaluated at x, where z is due: log p_Z(f(x)) + log_det",
    "no_constant": "the constant -d/2 log 2π of the normal base law is missing",
    "one_constant": "-½ log 2π stands there once, where it is due for each of the d coordinates",
    "no_half": "z² in place of z²/2 in the normal base law",
    "base_mean": "the base law's log-density is averaged over the coordinates, where the sum is"
    " due",
    "base_of_batch": "the base law's log-density is summed over the batch: keep one number a row",
    "log_det_sign": "log_det is taken away, where it has to be added: log p(x) = log p_Z(z) + log"
    " |det ∂z/∂x|, and minus the log_det of a map from z to x",
    "no_log_det": "log_det is missing: log p(x) = log p_Z(z) + log |det ∂z/∂x|",
    "log_det_mean": "log_det is averaged over the coordinates, where the sum is due",
    "log_det_twice": "log_det is added twice",
    "log_det_of_batch": "log_det is summed over the batch: keep one number a row",
    "negative": "the sign of the whole is turned: units say log p, and -log p is returned, or the"
    " other way round",
    "summed": "it is summed over the batch, where one number a row, or their mean, is due",
    "per_dimension": "it is divided by the number of dimensions, where nats of a sample are due",
    "nats_per_dim": "nats per dimension: divide by log 2 for bits",
    "no_levels": "the log of the number of levels is missing: the density is that of numbers of the"
    " data's range, and bits are those of its levels (8 for 256 levels of (0, 1), 7 for (-1, 1))",
    "levels_sign": "the log of the width of a level has the wrong sign",
    "levels_of_half": "one bit too few: log2 of half as many levels; 8 bits are due for 256 levels"
    " of (0, 1), 7 for (-1, 1)",
    "levels_of_twice": "one bit too many: log2 of twice as many levels; 7 bits are due for 256"
    " levels of (-1, 1), 8 for (0, 1)",
    "levels_minus_one": "the width of a level is that of one level fewer (255 for 256): say which"
    " of the two the data were divided by, by data_range=",
    "log_of_levels": "log 256 is added to bits as it is: log2 256 = 8 is due",
    "per_pixel": "it is divided by the number of pixels H·W: divide by C·H·W",
    "not_divided": "it is not divided by the number of dimensions",
    "log_2_forgotten": "log 2 is forgotten: log p is divided by the number of dimensions n alone,"
    " so that nats per dimension and the bits of the levels are added: -log p/(n log 2) + bits is"
    " due",
    "log_p_per_channel": "log p is divided by the number of channels C alone: n is C·H·W,"
    " x[0].numel()",
    "log_p_per_pixel": "log p is divided by the number of pixels H·W alone: n is C·H·W,"
    " x[0].numel()",
    "log_p_not_divided": "log p is not divided by the number of dimensions n = x[0].numel(), the"
    " bits of the levels are added to bits of the whole sample",
    "log_p_per_row": "log p is divided by the number of rows of the batch: n is the number of"
    " dimensions of one sample, x[0].numel()",
}


@dataclass(frozen=True, eq=False)
class Terms:
    """``base`` at z and ``at_data`` at x, log_det ``(n,)``; what was ``found``."""

    base: np.ndarray
    at_data: np.ndarray
    log_det: np.ndarray
    job: Job
    found: np.ndarray

    @property
    def d(self) -> int:
        return self.job.d

    @property
    def unit(self) -> float:
        """What one nat is in the units."""
        return self.job.units.factor

    @property
    def due(self) -> np.ndarray:
        return self.ends(self.base + self.log_det)[""]

    def ends(self, nats: np.ndarray) -> dict[str, np.ndarray]:
        """What a log-density becomes, in the right way and in wrong ones."""
        d, shape = self.d, self.job.shape or (1,)
        units = self.job.units
        if units.name != "bits_per_dim":
            right = units.told(nats)
            return {"": right, "negative": -right, "per_dimension": right / d}
        two, levels = math.log(2), units.offset
        base = units.factor * nats
        fewer = replace(units, levels=max(units.levels - 1, 1)).offset
        # what log p alone is divided by, in place of d log 2
        parts = {"log_p_not_divided": float(d), "log_p_per_row": d / len(self.base)}
        if 1 < shape[0] < d:
            parts |= {"log_p_per_channel": d / shape[0], "log_p_per_pixel": float(shape[0])}
        alone = {name: base * by + levels for name, by in parts.items()}
        nats_too = {
            f"log_2_forgotten + {name}": base * by * two + levels for name, by in parts.items()
        }
        return {
            **alone,
            **nats_too,
            "log_2_forgotten": base * two + levels,
            "": base + levels,
            "negative": -base - levels,
            "nats_per_dim": (base + levels) * two,
            "no_levels": base,
            "levels_sign": base - levels,
            "levels_of_half": base + levels - 1,
            "levels_of_twice": base + levels + 1,
            "levels_minus_one": base + fewer,
            "log_of_levels": base + levels * two,
            "per_pixel": (base + levels) * shape[0],
            "not_divided": (base + levels) * d,
            "no_levels + nats_per_dim": base * two,
            "no_levels + per_pixel": base * shape[0],
            "no_levels + not_divided": base * d,
        }


def explained(terms: Terms, value: np.ndarray, ok: np.ndarray, limit: np.ndarray) -> Diagnosis:
    """``value`` against combinations of variants; of a mean over the batch, their means."""
    n, d = len(terms.base), terms.d
    bases = {
        "": terms.base,
        "prior_at_x": terms.at_data,
        "no_constant": terms.base + 0.5 * d * LOG_2PI,
        "one_constant": terms.base + 0.5 * (d - 1) * LOG_2PI,
        "no_half": 2 * terms.base + 0.5 * d * LOG_2PI,
        "base_mean": terms.base / d,
        "base_of_batch": np.full(n, terms.base.sum()),
    }
    dets = {
        "": terms.log_det,
        "log_det_sign": -terms.log_det,
        "no_log_det": 0 * terms.log_det,
        "log_det_mean": terms.log_det / d,
        "log_det_twice": 2 * terms.log_det,
        "log_det_of_batch": np.full(n, terms.log_det.sum()),
    }
    found = {}
    one = value.size == 1 and n > 1
    for base_name, base in bases.items():
        for det_name, det in dets.items():
            for end_name, end in terms.ends(base + det).items():
                name = " + ".join(p for p in (base_name, det_name, end_name) if p)
                made = np.mean(end, keepdims=True) if one else end[ok]
                if name:
                    found[name] = made
                if one:
                    more = " + ".join(p for p in (name, "summed") if p)
                    found[more] = np.sum(end, keepdims=True)
    mine = value if one else value[ok]
    due = np.mean(terms.due, keepdims=True) if one else terms.due[ok]
    # the fewest mistakes that explain it
    for count in (0, 1, 2):
        few = {k: v for k, v in found.items() if k.count(" + ") == count}
        told = diagnose(mine, due, few, reasons=REASONS, limit=2 * limit, read=False)
        if told.names:
            return told
    return diagnose(mine, due, {}, limit=2 * limit, known={"d": d, "log 2": math.log(2)})
