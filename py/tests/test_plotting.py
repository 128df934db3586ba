"""Evidence.plot(): it draws what was measured, on axes of its own or given ones."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

import scoreproof as sp

pytest.importorskip("matplotlib", reason="pip install matplotlib")


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
        match=r"matplotlib is not installed; run: pip install matplotlib",
    ):
        sp.Evidence.measured(1e-3, 1e-6, "two sides").plot()


@pytest.mark.parametrize("cov", [0.5, np.array([[0.5, 0.2], [0.2, 0.4]])], ids=["plain", "full"])
def test_the_plot_of_a_posterior_shows_errors_against_bounds(cov):
    """A returned answer drawn over the exact one would hide an error of 20 %."""
    prior = sp.GaussianMixture([0.4, 0.6], [[-1.0, 0.0], [1.0, 0.5]], [np.eye(2), 0.5 * np.eye(2)])
    full = cov if np.ndim(cov) else cov * np.eye(2)
    law = prior.noised(full)
    for evidence, label in (
        (
            sp.check_denoiser(lambda y: 1.2 * prior.posterior_mean(y, full), prior, cov),
            "exact posterior mean",
        ),
        (sp.check_score(lambda y: 1.2 * law.score(y), prior, cov), "exact score"),
        (sp.check_score(law.score, prior, cov), "exact score"),
    ):
        ax = evidence.plot()
        assert set(evidence.curves) == {"error", "bound"}
        assert ax.get_xlabel() == label and ax.get_ylabel() == "relative error"
        error, bound = (np.array(evidence.curves[n][1]) for n in ("error", "bound"))
        assert np.any(error > bound) == (evidence.verdict == "refuted")


def test_the_plot_of_a_preconditioning_shows_what_is_due():
    def scalings(sigma):
        total = sigma**2 + 0.25
        return 0.25 / total, 0.5 * sigma / total**0.5, 1 / total

    evidence = sp.check_preconditioning(scalings, sigma_data=0.5)
    ax = evidence.plot()
    due = {line.get_label(): line for line in ax.lines}
    assert {"c_skip", "c_out", "c_in", "c_skip due", "c_out due", "c_in due"} == set(due)
    order = [line.get_label() for line in ax.lines]
    assert order.index("c_in due") < order.index("c_in")
    assert due["c_in due"].get_linewidth() > due["c_in"].get_linewidth()


@pytest.mark.parametrize("size", [(6.4, 4.8), (4.6, 3.6), (6.4, 2.6)])
def test_no_text_of_a_picture_is_cut(size):
    """Matplotlib makes room for the height of a label, not for its length."""
    from matplotlib.figure import Figure

    evidence = sp.Evidence.measured(
        0.5,
        0.1,
        "off",
        title="check_log_likelihood_gradient of MyContinuousFlow.gradient_of_log_likelihood",
        curves={"error": ([1, 2, 3], [0.1, 0.2, 0.5])},
        labels=("divergence that is due, by a form", "deviation of mean and std (in std), a point"),
    )
    figure = Figure(figsize=size, layout="constrained")
    ax = evidence.plot(figure.add_subplot())
    assert "\n" in ax.get_title()
    assert outside(figure) == []


def test_no_text_of_a_claims_picture_is_cut(monkeypatch):
    from scoreproof.report import pictures

    figures = []
    monkeypatch.setattr(pictures, "as_image", lambda figure: figures.append(figure) or "")
    for drawn in pictures.PICTURES.values():
        for picture in drawn:
            try:
                picture()
            except ImportError:  # the digits are of scikit-learn
                continue
    assert len(figures) >= 4
    assert [outside(figure) for figure in figures] == [[]] * len(figures)


def outside(figure):
    """The titles and labels that the figure cuts."""
    figure.draw_without_rendering()
    texts = [t for ax in figure.axes for t in (ax.title, ax.xaxis.label, ax.yaxis.label)]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts if t.get_text()]
    x, y = figure.bbox.x1, figure.bbox.y1
    return [text for text, b in boxes if b.x0 < 0 or b.y0 < 0 or b.x1 > x or b.y1 > y]
