"""Which sample's data and which sample's noise each x_t is made of, where a loss pairs its batch
anew.

Conventions: rows ``(B, d)``; row b is ``a x_0[data[b]] + c ε[noise[b]]`` with some a and c.
"""

from __future__ import annotations

import numpy as np

__all__ = ["PAIRED", "Rows", "own_rows", "rows_beside", "rows_of"]

#: what is noted of a loss whose pairs depend on the samples
PAIRED = "It pairs data and noise anew within the batch, by their values."
#: relative: what is left of a row that is made of two
LEFT = 1e-10
#: pairs that are looked at closely, of each row
CLOSE = 4

#: the rows of the data, and those of the noise, ``(B,)`` each
Rows = tuple[np.ndarray, np.ndarray]


def own_rows(count: int) -> Rows:
    return np.arange(count), np.arange(count)


def rows_of(x: np.ndarray, x0: np.ndarray, noise: np.ndarray, eps: float) -> Rows | None:
    """``None`` where a row is not made of two.

    >>> rng = np.random.default_rng(0)
    >>> x0, noise = rng.standard_normal((2, 4, 3))
    >>> data, of_noise = rows_of(0.8 * x0[::-1] + 0.6 * noise[[1, 0, 3, 2]], x0, noise, 1e-16)
    >>> data.tolist(), of_noise.tolist()
    ([3, 2, 1, 0], [1, 0, 3, 2])
    >>> rows_of(x0 + noise**2, x0, noise, 1e-16) is None
    True
    """
    data, of_noise = np.empty(len(x), int), np.empty(len(x), int)
    for b in range(len(x)):
        found = _pair_of(x[b], b, x0, noise, eps)
        if found is None:
            return None
        data[b], of_noise[b] = found
    return data, of_noise


def rows_beside(
    x: np.ndarray, x0: np.ndarray, noise: np.ndarray, third: np.ndarray, eps: float
) -> Rows | None:
    """The same of ``a x_0[data[b]] + c ε[noise[b]] + s third[b]``, of four entries or more."""
    if x.shape[1] < 4:
        return None
    data, of_noise = np.empty(len(x), int), np.empty(len(x), int)
    for b, along in enumerate(third):
        unit = along / np.linalg.norm(along)
        row, *both = (a - np.multiply.outer(a @ unit, unit) for a in (x[b], x0, noise))
        found = _pair_of(row, b, both[0], both[1], eps)
        if found is None:
            return None
        data[b], of_noise[b] = found
    return data, of_noise


def _pair_of(
    row: np.ndarray, b: int, x0: np.ndarray, noise: np.ndarray, eps: float
) -> tuple[int, int] | None:
    """Its own, (b, b), if that will do."""
    limit = max(LEFT, 64 * eps) * float(np.linalg.norm(row))
    p, q, g = np.sum(x0**2, axis=1)[:, None], np.sum(noise**2, axis=1), x0 @ noise.T
    u, w = (x0 @ row)[:, None], noise @ row
    with np.errstate(all="ignore"):
        rest = row @ row - ((u * q - w * g) * u + (w * p - u * g) * w) / (p * q - g**2)
    near = np.argsort(np.nan_to_num(rest, nan=np.inf), axis=None)[:CLOSE]
    places = zip(*(k.tolist() for k in np.unravel_index(near, g.shape)), strict=True)
    pairs = [(b, b), *((int(i), int(j)) for i, j in places)]
    left = [_left(row, x0[i], noise[j]) for i, j in pairs]
    best = 0 if left[0] <= limit else int(np.argmin(left))
    return pairs[best] if left[best] <= limit else None


def _left(row: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    both = np.stack([one, other], axis=1)
    return float(np.linalg.norm(both @ np.linalg.lstsq(both, row, rcond=None)[0] - row))
