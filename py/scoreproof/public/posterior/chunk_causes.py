"""A softmax over the data that is taken part by part: each part with weights of its own sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from scoreproof.objects.empirical import Atoms
from scoreproof.public.posterior.cases import Case, Cause, stated

__all__ = ["by_chunks"]

#: exponentials in all the ways that are looked at, and ways at the most
BUDGET, MOST = 1 << 25, 600
#: sizes and numbers of parts that are looked at where all are too many
USUAL = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 25, 32, 40, 48, 50, 60, 64, 96, 100, 128, 200, 250)
LARGE = (256, 300, 400, 500, 512, 768, 1000, 1024, 2000, 2048, 2500, 4096, 5000, 8192, 10_000)

Merge = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def by_chunks(case: Case) -> Iterator[Cause]:
    """Softmax averages over parts of the data, put together without their sums."""
    known = case.due.problem.known
    if not isinstance(known, Atoms) or known.size < 4 or case.very_heavy:
        return
    few = case.few
    logs = _logs(few, known)
    for words, order, ends in _partitions(known.size, logs.size):
        sizes, points, own = _sizes(ends, known.size), known.points[order], logs[:, order]
        for how, merge in MERGES.items():
            moved = merge(own, ends, sizes) @ points
            if not few.explains(few.told(moved)):
                continue
            every = merge(_logs(case, known)[:, order], ends, sizes)
            yield stated(
                "chunks",
                case.told(every @ points),
                f"the softmax is taken over parts of the data, {words}, and {how}; the weights of"
                " all data are to be divided by one sum (the logsumexp over all parts)",
                "softmax_by_chunks",
            )
            return


def _logs(case: Case, known: Atoms) -> np.ndarray:
    """The log weights ``(m, n)``, up to a constant in each row."""
    noise = case.due.problem.noise
    y, x = noise.times(case.y, -0.5), noise.times(known.points, -0.5)
    middle = x.mean(axis=0)
    y, x = y - middle, x - middle
    found = np.log(np.asarray(known.weights)) + y @ x.T - np.sum(x**2, axis=1) / 2
    return np.asarray(found)


def _partitions(n: int, cost: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Parts as an order of the data and the places at which parts begin."""
    plain = np.arange(n)
    ways = min(MOST, max(BUDGET // (cost * len(MERGES)), 8))
    sizes = range(2, n) if n <= ways // 2 else [s for s in (*USUAL, *LARGE) if s < n]
    numbers = range(2, n // 2) if n <= ways // 4 else [k for k in USUAL if 2 * k <= n]
    for size in sizes:
        yield f"{size} at a time", plain, np.arange(0, n, size)
    for k in numbers:
        parts = np.array_split(plain, k)
        yield f"{k} nearly equal ones", plain, np.array([p[0] for p in parts])
        strided = [plain[i::k] for i in range(k)]
        ends = np.cumsum([0, *(len(p) for p in strided[:-1])])
        yield f"every {k}th datum in one of {k} parts", np.concatenate(strided), ends


def _sizes(ends: np.ndarray, n: int) -> np.ndarray:
    return np.asarray(np.diff(np.append(ends, n)))


def _alone(logs: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each part's weights relative to its largest, and their sums, by datum."""
    top = np.repeat(np.maximum.reduceat(logs, ends, axis=1), sizes, axis=1)
    weights = np.exp(logs - top)
    return weights, np.repeat(np.add.reduceat(weights, ends, axis=1), sizes, axis=1)


def _averaged(logs: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    weights, sums = _alone(logs, ends, sizes)
    return np.asarray(weights / sums / len(ends))


def _by_size(logs: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    weights, sums = _alone(logs, ends, sizes)
    return np.asarray(weights / sums * np.repeat(sizes, sizes) / np.sum(sizes))


def _summed(logs: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    weights, sums = _alone(logs, ends, sizes)
    return np.asarray(weights / sums)


def _own_largest(logs: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    weights, _ = _alone(logs, ends, sizes)
    return np.asarray(weights / np.sum(weights, axis=1, keepdims=True))


def _tops(logs: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The largest exponent so far, from part to part, by datum."""
    so_far = np.maximum.accumulate(np.maximum.reduceat(logs, ends, axis=1), axis=1)
    return np.asarray(np.repeat(so_far, sizes, axis=1))


def _running(logs: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    weights = np.exp(logs - _tops(logs, ends, sizes))
    return np.asarray(weights / np.sum(weights, axis=1, keepdims=True))


def _running_sums_alone(logs: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    right = np.exp(logs - np.max(logs, axis=1, keepdims=True))
    weights = np.exp(logs - _tops(logs, ends, sizes))
    return np.asarray(weights / np.sum(right, axis=1, keepdims=True))


def _largest_alone(logs: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    weights, sums = _alone(logs, ends, sizes)
    total = np.repeat(np.maximum.reduceat(logs, ends, axis=1), sizes, axis=1)
    kept = total >= np.max(logs, axis=1, keepdims=True)
    return np.asarray(np.where(kept, weights / sums, 0.0))


#: how the parts are put together, by words
MERGES: dict[str, Merge] = {
    "the parts' means are averaged": _averaged,
    "the parts' means are averaged by their sizes": _by_size,
    "the parts' means are summed": _summed,
    "each part's largest exponent is subtracted in it alone, and not made good when the sums are"
    " added": _own_largest,
    "the largest exponent so far is subtracted, and the sums so far are not rescaled when it"
    " grows": _running,
    "the sums of exponentials are rescaled when the largest exponent grows, and those of the data"
    " are not": _running_sums_alone,
    "the part with the largest weight answers alone": _largest_alone,
}
