"""A NumPy generator whose whole numbers are ours too: `draws_numpy` leaves them as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.interop.draws import Log
from scoreproof.interop.draws_numpy import numpy_generator
from scoreproof.public.loss.served import Served

__all__ = ["whole_numbers_generator"]

#: from here on it is the seed of a generator
SEED = 2**31 - 1


def whole_numbers_generator(source: Served) -> Any:
    """For losses: numbers over the whole of what is asked for, both ends among them."""
    base = type(numpy_generator(source))

    class Whole(base):  # type: ignore[misc, valid-type]
        def integers(
            self, low: Any, high: Any = None, size: Any = None, *args: Any, **kwargs: Any
        ) -> Any:
            least, most = (0, low) if high is None else (low, high)
            last = kwargs.get("endpoint", args[1] if len(args) > 1 else False)
            if np.ndim(least) or np.ndim(most) or most >= SEED:
                return super().integers(low, high, size, *args, **kwargs)
            kind = kwargs.get("dtype", args[0] if args else np.int64)
            if size is None:
                return self._whole(int(least), int(most) + bool(last), 1).astype(kind)[0]
            return self._whole(int(least), int(most) + bool(last), size).astype(kind)

        def choice(
            self, a: Any, size: Any = None, replace: bool = True, p: Any = None, **kwargs: Any
        ) -> Any:
            count = int(a) if np.ndim(a) == 0 else len(a)
            drawn = 0 if size is None else int(np.prod(size))
            if size is None or p is not None or kwargs or not (replace or 2 * drawn <= count):
                return super().choice(a, size, replace, p, **kwargs)
            at = self._whole(0, count, size)
            return at if np.ndim(a) == 0 else np.asarray(a)[at]

        def permutation(self, x: Any, axis: int = 0) -> Any:
            rows = len(source.noise)
            if np.ndim(x) or x < 2 * rows:
                return super().permutation(x, axis)
            return source.permutation(int(x), rows, len(source.ranges))

        def _whole(self, low: int, high: int, size: Any) -> np.ndarray:
            shape = tuple(np.atleast_1d(size).tolist())
            count = int(np.prod(shape))
            return source.integers(low, high, count, len(source.ranges)).reshape(shape)

    return Whole(source, Log())
