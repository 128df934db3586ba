"""The guard around a user's callable: precision of what goes in and comes out, and one clear error
for every way to fail.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.interop.callables import Guarded, to_float, unit_roundoff
from scoreproof.interop.frameworks import guarded


def test_precision_is_that_of_the_coarsest_type_that_went_in_or_came_out():
    single, double = float(np.finfo(np.float32).eps), float(np.finfo(float).eps)
    x = np.ones((2, 1))
    out = Guarded(lambda y: y.astype(np.float32), "f")
    out(x)
    assert out.eps == single
    fed = guarded(lambda y: y.astype(float), "f", dtype="float32")
    fed(x)
    assert fed.eps == single
    plain = guarded(lambda y: y.tolist(), "f")
    plain(x)
    assert plain.eps == double


def test_bfloat16_is_understood():
    torch = pytest.importorskip("torch")
    guard = guarded(lambda y: y, "f", "torch", "bfloat16")
    assert guard(np.ones((2, 1))).tolist() == [[1.0], [1.0]]
    assert guard.eps == unit_roundoff(torch.zeros(1, dtype=torch.bfloat16)) == 2.0**-7


@pytest.mark.parametrize("framework", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("dtype", ["int64", "float7", 3])
def test_a_bad_dtype_is_an_argument_error(framework, dtype):
    if framework != "numpy":
        pytest.importorskip(framework)
    with pytest.raises(sp.ArgumentError, match="dtype must be a floating type"):
        guarded(lambda y: y, "f", framework, dtype)


def test_float32_code_in_float64_clothes_is_judged_as_float32():
    data = np.random.default_rng(0).standard_normal((20, 3))

    def denoiser(y):
        w = np.exp(-((y[:, None] - data) ** 2).sum(2) / 2)
        return w @ data / w.sum(1, keepdims=True)

    evidence = sp.check_denoiser(denoiser, data, 1.0, dtype=np.float32)
    assert evidence, evidence.explain()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("text", "x must be an array of real numbers"),
        ([1.0, np.inf], "x must be finite"),
        ([[1.0]], r"x must be of shape \(n,\)"),
        ([1 + 1j], "x must be an array of real"),
    ],
)
def test_to_float_names_what_is_wrong(value, message):
    with pytest.raises(sp.ArgumentError, match=message):
        to_float("x", value, shape=(None,))


def test_a_test_without_a_p_value_decides_nothing():
    assert sp.Evidence.statistical(float("nan"), 1e-6, "none", "a test").verdict == "undecided"


def test_a_function_of_one_sample_in_jax_is_told_to_be_mapped():
    from scoreproof.interop.callables import remedy_for

    said = "Incompatible shapes for broadcasting: [(11, 4), (11,)]"
    assert remedy_for(ValueError(said)).endswith("is to be mapped over them: jax.vmap")
    assert "vmap" not in remedy_for(ValueError("something else"))
