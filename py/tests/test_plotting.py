"""Evidence.plot(): it draws what was measured, on axes of its own or given ones."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

import scoreproof as sp

pytest.importorskip("matplotlib", reason="pip install 'scoreproof[report]'")


def kl(mu0, s0, mu1, s1):
    return ((mu1 - mu0) ** 2).sum(axis=1) / s1[:, 0] ** 2


def test_plot_of_a_refuted_check_has_its_curves():
    evidence = sp.check_kl(kl)
    ax = evidence.plot()
    assert "refuted" in ax.get_title()
    assert len(ax.lines) == len(evidence.curves)
    assert ax.get_xlabel() == evidence.labels[0]
    buffer = io.BytesIO()
    ax.figure.savefig(buffer, format="png")
    assert buffer.getvalue().startswith(b"\x89PNG")


def test_plot_without_curves_shows_error_and_bound():
    ax = sp.Evidence.measured(1e-3, 1e-6, "two sides").plot()
    assert len(ax.patches) == 1
    assert np.isclose(ax.lines[0].get_ydata()[0], 1e-6)


def test_plot_on_given_axes_and_of_what_did_not_run():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert sp.Evidence.not_run("float", "an extra is missing").plot(ax) is ax
    assert "not run" in ax.get_title()


def test_curves_of_errors_show_the_bound_on_a_logarithmic_axis():
    curves = {"error": ([1, 2, 3], [1e-3, 1e-5, 1e-7])}
    ax = sp.Evidence.measured(
        1e-7, 1e-6, "two sides", curves=curves, labels=("n", "relative error")
    ).plot()
    assert ax.get_yscale() == "log"
    assert any("bound" in line.get_label() for line in ax.lines)


def test_without_matplotlib_one_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(
        sp.MissingExtraError,
        match=r"matplotlib is not installed; run: pip install 'scoreproof\[report\]'",
    ):
        sp.Evidence.measured(1e-3, 1e-6, "two sides").plot()
