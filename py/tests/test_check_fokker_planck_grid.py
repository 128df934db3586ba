"""`check_fokker_planck` of solutions on grids: honest solvers hold, or are undecided; solvers with
one mistake are refuted, and the mistake is named.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError
from scoreproof.public.fokker_planck.grid.given import solutions
from scoreproof.public.fokker_planck.grid.stencils import between, integrals, of_averages

check = sp.check_fokker_planck


def pull(x, t):
    return -x


def root2(t):
    return np.sqrt(2.0)


OU = {"drift": pull, "diffusion": root2}


def exact(x, t, mean=1.0, start=0.1):
    """Of dX = -X dt + √2 dW, from N(mean, start)."""
    v = 1 - np.exp(-2 * t) + start * np.exp(-2 * t)
    return np.exp(-((x - mean * np.exp(-t)) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)


def bernoulli(w):
    return np.where(np.abs(w) < 1e-9, 1 - w / 2, w / np.expm1(np.where(w == 0, 1, w)))


def solved(N=201, steps=200, save=2, **how):
    """Finite volumes in flux form with zero flux at the ends; how: scheme, theta, D, f, T, L."""
    L, T, D = how.get("L", 6.0), how.get("T", 1.0), how.get("D", 1.0)
    f, scheme, theta = (
        how.get("f", lambda x: -x),
        how.get("scheme", "central"),
        how.get("theta", 0.5),
    )
    x = np.linspace(-L, L, N)
    h, dt = x[1] - x[0], T / steps
    drift = f((x[1:] + x[:-1]) / 2) + 0 * x[1:]
    if scheme == "chang_cooper":
        a, b = D / h * bernoulli(-drift * h / D), -D / h * bernoulli(drift * h / D)
    elif scheme == "upwind":
        a, b = np.maximum(drift, 0) + D / h, np.minimum(drift, 0) - D / h
    else:
        a, b = drift / 2 + D / h, drift / 2 - D / h
    A = np.zeros((N, N))
    i = np.arange(N - 1)
    A[i, i] -= a / h
    A[i, i + 1] -= b / h
    A[i + 1, i] += a / h
    A[i + 1, i + 1] += b / h
    eye = np.eye(N)
    M = np.linalg.solve(eye - theta * dt * A, eye + (1 - theta) * dt * A)
    p, out = exact(x, 0.0), []
    for k in range(steps + 1):
        if k % save == 0:
            out.append(p)
        p = M @ p
    return np.array(out), dt * save * np.arange(len(out)), x


# -- right ones ------------------------------------------------------------------------------------


def test_crank_nicolson_holds_in_every_dialect():
    p, t, x = solved()
    for given in (
        {"density": p, "axes": (t, x)},
        {"density": p.tolist(), "axes": (t.tolist(), x.tolist())},
        {"density": p.T, "axes": {"x": x, "t": t}},
        {"density": p[:, ::-1], "axes": (t, x[::-1])},
        {"density": p.astype(np.float32), "axes": (t, x)},
        {"log_density": np.log(np.maximum(p, 1e-300)), "axes": (t, x)},
    ):
        evidence = check(**OU, **given)
        assert evidence, evidence.explain()
        assert evidence.resolution == 0.01 and evidence.cost == {"drift": 101, "diffusion": 102}
    assert "solution on 201 points in weak form" in evidence.explain()
    with np.errstate(divide="ignore"):
        assert check(**OU, log_density=np.log(np.where(p < 1e-9, 0, p)), axes=(t, x))


class DataArray:
    """What this check takes of xarray's."""

    def __init__(self, values, coords):
        self.values, self.dims, self.coords = values, tuple(coords), dict(coords)


def test_an_xarray_has_its_own_axes():
    p, t, x = solved()
    assert check(**OU, density=DataArray(p.T, {"x": x, "time": t}))
    fine = solved(401, 400, 4)
    several = [DataArray(q, {"t": s, "x": y}) for q, s, y in (solved(), fine)]
    assert check(**OU, density=several)
    bare = DataArray(p.T, {"x": x, "time": t})
    del bare.coords["x"]
    with pytest.raises(ArgumentError, match="'x' has none"):
        check(**OU, density=bare)
    with pytest.raises(ArgumentError, match="axes must be given with an array"):
        check(**OU, density=p)


def test_exact_values_on_uneven_grids_and_at_uneven_times():
    x = np.sinh(np.linspace(-2.5, 2.5, 121))
    t = np.linspace(0, 1, 81) ** 1.3
    evidence = check(**OU, density=exact(x, t[:, None]), axes=(t, x), tolerance=1e-3)
    assert evidence, evidence.explain()
    assert evidence.resolution == 1e-3


def test_cells_are_averages():
    from scipy.special import erf

    e, t = np.linspace(-6, 6, 122), np.linspace(0, 1, 41)[:, None]
    v = 1 - 0.9 * np.exp(-2 * t)
    q = np.diff(0.5 * (1 + erf((e - np.exp(-t)) / np.sqrt(2 * v))), axis=1) / np.diff(e)
    middles = (e[1:] + e[:-1]) / 2
    exactly = check(**OU, density=q, axes=(t[:, 0], e), tolerance=1e-3)
    assert exactly and "121 cells" in exactly.explain()
    assert check(**OU, density=q, axes=(t[:, 0], middles), cells=True, tolerance=1e-3)
    # as values at points they are off by h²/24 p''
    assert check(**OU, density=q, axes=(t[:, 0], middles), tolerance=1e-4).verdict != "holds"
    e2 = np.sinh(np.linspace(-2.5, 2.5, 122))
    q = np.diff(0.5 * (1 + erf((e2 - np.exp(-t)) / np.sqrt(2 * v))), axis=1) / np.diff(e2)
    assert check(**OU, density=q, axes=(t[:, 0], e2))


def test_solvers_of_first_order_are_no_mistake():
    upwind = check(**OU, density=(s := solved(scheme="upwind"))[0], axes=s[1:])
    assert upwind.verdict == "undecided"
    assert "a correct solver of first order may leave" in upwind.sentence
    assert check(**OU, density=s[0], axes=s[1:], tolerance=0.1)
    constant = {"drift": lambda x, t: 1.0 + 0 * x, "diffusion": root2}
    q, t, x = solved(101, scheme="upwind", f=lambda x: 1.0)
    # numerical diffusion: exactly a larger noise
    assert check(**constant, density=q, axes=(t, x)).verdict == "undecided"


@pytest.mark.parametrize("scheme", ["central", "upwind", "chang_cooper"])
def test_three_grids_show_what_vanishes_with_the_step(scheme):
    runs = [
        solved(n, 2 * (n - 1), (n - 1) // 25, scheme=scheme, theta=1.0) for n in (101, 201, 401)
    ]
    densities, axes = [r[0] for r in runs], [r[1:] for r in runs]
    evidence = check(**OU, density=densities, axes=axes)
    assert evidence and evidence.kind == "convergent", evidence.explain()
    assert 0.7 < evidence.order < 2.3
    wrong = check(drift=pull, diffusion=lambda t: 1.0, density=densities, axes=axes)
    assert wrong.verdict == "refuted" and "it does not vanish with the step" in wrong.sentence
    assert "half_missing" in wrong.diagnosis.names, wrong.explain()
    slightly = check(drift=lambda x, t: -1.05 * x, diffusion=root2, density=densities, axes=axes)
    assert slightly.diagnosis.names == ("drift_factor",), slightly.explain()


def test_two_grids():
    fine = [solved(n, 2 * (n - 1), (n - 1) // 25) for n in (101, 201)]
    assert check(**OU, density=[r[0] for r in fine], axes=[r[1:] for r in fine])
    first = [solved(n, 2 * (n - 1), (n - 1) // 25, scheme="upwind") for n in (101, 201)]
    open_ = check(**OU, density=[r[0] for r in first], axes=[r[1:] for r in first])
    assert open_.verdict == "undecided" and "add a finer one" in open_.sentence
    wrong = check(drift=pull, diffusion=lambda t: 1.0, density=[r[0] for r in fine],
                  axes=[r[1:] for r in fine])  # fmt: skip
    assert wrong.verdict == "refuted"
    with pytest.raises(ArgumentError, match="each with steps smaller by 1.2 or more"):
        check(**OU, density=[fine[0][0]] * 2, axes=[fine[0][1:]] * 2)
    with pytest.raises(ArgumentError, match="one set of axes for each of the 3 solutions"):
        check(**OU, density=[fine[0][0]] * 3, axes=[fine[0][1:]] * 2)
    (a, t, x), (b, _, y) = fine
    assert check(**OU, density=[a, b[::2]], axes=[(t, x), (t[::2], y)])


def circle(x, t, speed=0.5, rate=0.3):
    return (
        1
        + 2
        * sum(
            np.exp(-(k**2) * (rate * t + 0.1)) * np.cos(k * (x - speed * t)) for k in range(1, 12)
        )
    ) / (2 * np.pi)


def test_periodic_axes():
    t, n = np.linspace(0, 1, 41), 96
    x = np.linspace(0, 2 * np.pi, n, endpoint=False)
    sde = {"drift": lambda x, t: 0.5 + 0 * x, "diffusion": lambda t: np.sqrt(0.6)}
    p = circle(x, t[:, None])
    evidence = check(**sde, density=p, axes=(t, x), boundary="periodic")
    assert evidence and "96 points" in evidence.sentence
    closed = np.linspace(0, 2 * np.pi, n + 1)
    assert check(**sde, density=circle(closed, t[:, None]), axes=(t, closed), boundary="periodic")
    wrong = check(**sde, density=p, axes=(t, np.linspace(0, 2 * np.pi, n)), boundary="periodic")
    assert wrong.diagnosis.names == ("axis_scaled",) and "endpoint=False" in wrong.explain()
    cut = check(**sde, density=p, axes=(t, x))
    assert cut.verdict == "undecided" and "pass boundary= if there is none" in cut.sentence
    assert check(**sde, density=p, axes=(t, x), normalized=False)


def modes(x, t, of, first):
    return first + sum(
        a * np.exp(-(k**2) * np.pi**2 * 0.1 * t) * of(k * np.pi * x)
        for k, a in ((1, 0.5), (2, 0.3), (3, -0.1))
    )


def test_reflecting_and_absorbing_ends():
    t, x = np.linspace(0, 1, 41), np.linspace(0, 1, 81)
    sde = {"drift": lambda x, t: 0 * x, "diffusion": lambda t: np.sqrt(0.2)}
    p = modes(x, t[:, None], np.cos, 1.0)
    for name in ("reflecting", "neumann", "zero-flux"):
        assert check(**sde, density=p, axes=(t, x), boundary=name)
    wrong = check(**sde, density=p, axes=(t, x), boundary="absorbing")
    assert wrong.diagnosis.names == ("not_absorbing",), wrong.explain()
    s = t[:, None]
    q = sum(
        a * np.exp(-(k**2) * np.pi**2 * 0.1 * s) * np.sin(k * np.pi * x)
        for k, a in ((1, np.pi / 2), (3, 0.2))
    )
    away = check(**sde, density=q, axes=(t, x), boundary="absorbing")
    assert away and "is not judged (an absorbing boundary)" in away.sentence
    lost = check(**sde, density=q, axes=(t, x))
    assert lost.diagnosis.names == ("mass_lost_at_boundary",), lost.explain()
    inside = check(**sde, density=q, axes=(t, x), boundary="reflecting")
    assert inside.diagnosis.names == ("not_reflecting",), inside.explain()
    around = check(**sde, density=p + 0.3 * x * (x - 0.4), axes=(t, x), boundary="periodic")
    assert around.verdict == "refuted"
    with pytest.raises(ArgumentError, match="boundary must be one of truncated, reflecting"):
        check(**sde, density=p, axes=(t, x), boundary="open")


# -- wrong ones ------------------------------------------------------------------------------------

MISTAKES = {
    "half_missing": {"D": 2.0},
    "half_twice": {"D": 0.5},
    "rho_not_squared": {"D": 2**0.5 / 2},
    "rho_for_half_rho_squared": {"D": 2**0.5},
    "drift_sign": {"f": lambda x: x, "T": 0.5, "L": 8.0},
    "drift_left_out": {"f": lambda x: 0 * x},
    "noise_factor": {"D": 1.2},
    "drift_factor": {"f": lambda x: -0.9 * x},
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_solver_of_another_equation(name):
    p, t, x = solved(**MISTAKES[name])
    evidence = check(**OU, density=p, axes=(t, x))
    assert evidence.verdict == "refuted" and name in evidence.diagnosis.names, evidence.explain()
    assert "the solution does not change in time as drift and diffusion say" in evidence.sentence


def test_what_is_wrong_with_the_axes():
    p, t, x = solved()
    h = x[1] - x[0]
    for axes, name, said in (
        ((t / 2, x), "clock_factor", "where one state of 2 is saved"),
        ((t * 3, x), "clock_factor", "t is to be divided by 3"),
        ((t * 1.3, x), "clock_factor", "the times are to be multiplied by 0.7"),
        ((t, x + h / 2), "cell_offset", "the axis x is half a step (0.03"),
        ((t, x - h), "cell_offset", "one step"),
        ((t, x + 0.1), "cell_offset", "steps"),
    ):
        wrong = check(**OU, density=p, axes=axes)
        assert wrong.verdict == "refuted", wrong.explain()
        assert wrong.diagnosis.names == (name,) and said in wrong.explain(), wrong.explain()
    reversed_ = check(**OU, density=p[::-1], axes=(t, x))
    assert reversed_.diagnosis.names == ("reversed_clock",)
    same = check(**OU, density=np.repeat(p[-2:-1], len(t), 0), axes=(t, x), tolerance=1e-3)
    assert same.diagnosis.names == ("same_state_saved",) and "p.copy()" in same.explain()


def test_half_a_step_that_is_accepted_is_told():
    p, t, x = solved(401, 400, 4)
    near = check(**OU, density=p, axes=(t, x + (x[1] - x[0]) / 2), tolerance=0.015)
    assert near and "What is left is accepted, and has a form: the axis x is half a step" in (
        near.explain()
    )


def test_coefficients_of_time_show_where_the_clock_begins():
    x, t = np.linspace(-6, 6, 161), np.linspace(0, 1, 81)
    v = 0.2 + t + t**2  # of ρ² = 1 + 2 t
    p = np.exp(-(x**2) / (2 * v[:, None])) / np.sqrt(2 * np.pi * v[:, None])
    sde = {"drift": lambda x, t: 0 * x, "diffusion": lambda t: np.sqrt(1 + 2 * t)}
    assert check(**sde, density=p, axes=(t, x))
    late = check(**sde, density=p, axes=(t + 0.2, x))
    assert late.diagnosis.names == ("time_offset",), late.explain()
    assert "pass t + (-0.2" in late.explain()


def test_mass():
    p, t, x = solved()
    h = x[1] - x[0]
    for q, name in (
        (p * h, "sums_to_one"),
        (2 * p, "not_normalised"),
        (p * np.exp(-0.1 * t)[:, None], "mass_not_conserved"),
        (p * np.exp(0.1 * t)[:, None], "mass_not_conserved"),
    ):
        wrong = check(**OU, density=q, axes=(t, x))
        assert wrong.verdict == "refuted" and name in wrong.explain(), wrong.explain()
    assert check(**OU, density=2 * p, axes=(t, x), normalized=False)
    slipped = check(**OU, density=3 * p, axes=(t / 2, x))
    assert slipped.diagnosis.names == ("clock_factor",) and "not_normalised" in slipped.explain()
    part = np.linspace(-1, 1, 101)
    open_ = check(**OU, density=exact(part, t[:, None]), axes=(t, part))
    assert open_.verdict == "undecided" and "a part of it may lie beyond them" in open_.sentence


def test_negative_values():
    p, t, x = solved()
    wrong = check(**OU, density=p - 0.02 * np.sin(20 * x), axes=(t, x))
    assert wrong.verdict == "refuted" and "is negative in places" in wrong.explain()
    assert "negative_values" in wrong.diagnosis.names and "Péclet" in wrong.explain()
    slightly = check(**OU, density=p - 1e-6, axes=(t, x))
    assert slightly and "Some values are negative" in slightly.explain()
    both = check(drift=pull, diffusion=lambda t: 1.0, density=p - 0.02 * (x > 5), axes=(t, x))
    assert both.verdict == "refuted" and "is negative in places" in both.explain()


def test_a_noise_that_depends_on_x():
    x, t = np.geomspace(0.05, 12, 200), np.linspace(0.2, 1, 41)[:, None]

    def law(mean):
        v = 0.16 * t + 0.05
        return np.exp(-((np.log(x) - mean * t) ** 2) / (2 * v)) / x / np.sqrt(2 * np.pi * v)

    sde = {"drift": lambda x, t: 0.1 * x, "diffusion": lambda x, t: 0.4 * x, "axes": (t[:, 0], x)}
    ito = {**sde, "interpretation": "ito"}
    assert "read as Itô" in check(**ito, density=law(0.02)).sentence
    assert check(**{**sde, "interpretation": "stratonovich"}, density=law(0.1))
    for mean, name in ((0.1, "stratonovich_read_as_ito"), (0.18, "fick_read_as_ito")):
        wrong = check(**ito, density=law(mean))
        assert wrong.diagnosis.names == (name,), wrong.explain()
    with pytest.raises(ArgumentError, match="interpretation"):
        check(**sde, density=law(0.02))


def plane(t, x, y, A, D):
    """Of dX = A X dt + g dW with g gᵀ = D, from N((1, -½), 0.2)."""
    from scipy.linalg import expm, solve_continuous_lyapunov

    S = solve_continuous_lyapunov(A, -D)
    out = []
    X = np.stack(np.meshgrid(x, y, indexing="ij"))
    for s in t:
        e = expm(A * s)
        C = S + e @ (0.2 * np.eye(2) - S) @ e.T
        r = X - (e @ [1.0, -0.5])[:, None, None]
        q = np.einsum("ijk,il,ljk->jk", r, np.linalg.inv(C), r)
        out.append(np.exp(-q / 2) / (2 * np.pi * np.sqrt(np.linalg.det(C))))
    return np.array(out)


A = np.array([[-1.0, 0.6], [-0.6, -0.5]])
G = np.array([[1.0, 0.0], [0.5, 0.6]])


def test_two_coordinates():
    t, x = np.linspace(0, 1, 17), np.linspace(-4, 4, 61)
    sde = {"drift": lambda z, t: z @ A.T, "interpretation": "ito", "axes": (t, x, x)}
    full, flat = {"diffusion": lambda z, t: G, **sde}, {"diffusion": lambda z, t: [[1, 0.6]], **sde}
    flat["diffusion"] = lambda z, t: np.array([1.0, 0.6]) + 0 * z
    D, N = G @ G.T, np.diag([1.0, 0.36])
    right = plane(t, x, x, A, D)
    assert check(**full, density=right), check(**full, density=right).explain()
    assert check(**flat, density=plane(t, x, x, A, N))
    named = {**full, "axes": {"y": x, "t": t, "x": x}}
    assert check(**named, density=np.transpose(right, (2, 0, 1)))
    half = D.copy()
    half[0, 1] = half[1, 0] = D[0, 1] / 2
    for given, q, name in (
        (full, np.swapaxes(right, 1, 2), "axes_exchanged"),
        (full, plane(t, x, x, A, np.diag(np.diag(D))), "cross_noise_left_out"),
        (full, plane(t, x, x, A, half), "cross_noise_once"),
        (flat, plane(t, x, x, A, np.diag([0.36, 1.0])), "noises_exchanged"),
        (flat, plane(t, x, x, A, np.diag([1.0, 1e-9])), "noise_of_y_left_out"),
        (flat, plane(t, x, x, A, np.diag([2.0, 0.36])), "half_missing_of_x"),
        (flat, plane(t, x, x, A * [[1], [1.4]], N), "drift_factor"),
    ):
        wrong = check(**given, density=q)
        assert name in wrong.diagnosis.names, wrong.explain()


def test_one_coordinates_drift():
    t, x = np.linspace(0, 0.8, 13), np.linspace(-4, 4, 49)
    N = np.diag([1.0, 0.36])
    sde = {
        "drift": lambda z, t: z @ A.T,
        "diffusion": lambda z, t: np.array([1.0, 0.6]) + 0 * z,
        "interpretation": "ito",
        "axes": (t, x, x),
        "tolerance": 0.05,
    }
    for row, name in (
        ([[-1.0], [1.0]], "drift_sign_of_x"),
        ([[1.0], [1e-3]], "drift_of_y_left_out"),
    ):
        wrong = check(**sde, density=plane(t, x, x, A * row, N))
        assert wrong.diagnosis.names == (name,), wrong.explain()


def test_an_axis_in_another_unit():
    x, t = np.linspace(-3, 9, 201), np.linspace(0, 1, 81)[:, None]
    v = 1 - 0.9 * np.exp(-2 * t)
    p = np.exp(-((x - 3 + 2 * np.exp(-t)) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)
    sde = {"drift": lambda x, t: 3 - x, "diffusion": root2}
    assert check(**sde, density=p, axes=(t[:, 0], x))
    wrong = check(**sde, density=p / 1.1, axes=(t[:, 0], 1.1 * x))
    assert wrong.diagnosis.names == ("axis_scaled",), wrong.explain()
    assert "multiply its steps by 0.909" in wrong.explain()


def test_ends_that_are_no_circle():
    t, x = np.linspace(0, 1, 41), np.linspace(0, 1, 81)
    p = modes(x, t[:, None], np.cos, 1.0)
    sde = {"drift": lambda x, t: 0 * x, "diffusion": lambda t: np.sqrt(0.2)}
    torn = check(**sde, density=p, axes=(t, x), boundary="periodic", normalized=False)
    assert torn.verdict == "undecided" and "8 intervals (t = 0 to 0.1" in torn.explain()


def test_what_would_have_to_be_finer():
    x, t = np.linspace(-6, 6, 101), np.linspace(0, 1, 31)
    p = exact(x, t[:, None], start=0.5)
    strict = check(**OU, density=p, axes=(t, x), tolerance=1e-6)
    assert strict.verdict == "undecided" and "save more times" in strict.sentence, strict.explain()
    grids = [np.linspace(-6, 6, n) for n in (31, 46)]
    few = check(**OU, density=[exact(y, t[:, None], start=0.5) for y in grids],
                axes=[(t, y) for y in grids], tolerance=1e-9)  # fmt: skip
    assert few.verdict == "undecided", few.explain()
    wide = [np.linspace(-40, 40, n) for n in (41, 321)]
    none = check(**OU, density=[exact(y, t[:, None], start=1.0) for y in wide],
                 axes=[(t, y) for y in wide])  # fmt: skip
    assert none.verdict == "undecided" and "of the coarsest solution lies in fewer" in none.sentence


# -- what is not resolved, and bad input -----------------------------------------------------------


def test_too_few_times_or_cells_decide_nothing():
    x, t = np.linspace(-6, 6, 201), np.linspace(0, 1, 6)
    seldom = check(**OU, density=exact(x, t[:, None]), axes=(t, x))
    assert seldom.verdict == "undecided", seldom.explain()
    assert "changes too fast for the saved times" in seldom.explain()
    x, t = np.linspace(-30, 30, 121), np.linspace(0, 1, 41)
    coarse = check(**OU, density=exact(x, t[:, None], start=1.0), axes=(t, x))
    assert coarse.verdict == "undecided", coarse.explain()
    few = np.linspace(-40, 40, 41)
    none = check(**OU, density=exact(few, t[:, None], start=1.0), axes=(t, few))
    assert none.verdict == "undecided" and "fewer than 12 cells" in none.sentence
    narrow = exact(np.linspace(-6, 6, 61), t[:, None], start=1e-3)
    assert check(**OU, density=narrow, axes=(t, np.linspace(-6, 6, 61))).verdict == "undecided"


def test_bad_input():
    p, t, x = solved(N=61, steps=20)
    bad = p.copy()
    bad[3, 5] = np.nan
    for given, said in (
        ({"density": p, "axes": (x, t)}, "the array has them in another order"),
        ({"density": p.T, "axes": (x, t)}, r"axes \(t\) must be times >= 0"),
        ({"density": p, "axes": (t[1:], x)}, "pass the times that were saved"),
        ({"density": p, "axes": (t,)}, r"\(t, x\) or \(t, x, y\)"),
        ({"density": p, "axes": (t, np.tile(x, (3, 1)))}, "of a meshgrid"),
        ({"density": p, "axes": {"s": t, "x": x}}, "one that is called t or time"),
        ({"density": p, "axes": (t, np.abs(x))}, "increasing"),
        ({"density": p[:3], "axes": (t[:3], x)}, "at 4 times and 12 points"),
        ({"density": np.log(p + 1e-300), "axes": (t, x)}, "pass log_density= for a log"),
        ({"density": bad, "axes": (t, x)}, r"nan at density\[3, 5\].*the solver blew up"),
        ({"density": p[0], "axes": (t, x)}, "an array of 2 axes"),
        ({"density": p, "axes": (t, x), "points": [[0.0]]}, "the points of an array are its axes"),
    ):
        with pytest.raises(ArgumentError, match=said):
            check(**OU, **given)


def test_torch_and_jax_arrays_and_functions():
    torch = pytest.importorskip("torch")
    p, t, x = solved()
    evidence = check(
        lambda x, t: -x,
        lambda t: torch.sqrt(torch.as_tensor(2.0)),
        torch.tensor(p),
        axes=(torch.tensor(t), torch.tensor(x)),
        framework="torch",
    )
    assert evidence, evidence.explain()
    jax = pytest.importorskip("jax")
    assert check(
        pull, lambda t: jax.numpy.sqrt(2.0), jax.numpy.asarray(p), axes=(t, x), framework="jax"
    )


# -- how it is computed ----------------------------------------------------------------------------


def test_stencils_are_exact_for_polynomials():
    r = np.random.default_rng(0)
    x, at = np.sort(r.uniform(-1, 1, 12)), r.uniform(-1, 1, 20)
    assert np.allclose(between(x, at)(x**5 - x, 0), at**5 - at, atol=1e-6)
    assert np.allclose(of_averages(x, at)(np.diff(x**6) / np.diff(x), 0), 6 * at**5, atol=1e-4)
    w = integrals(x, np.array([0, 4, 11]))
    assert np.allclose(w @ x**5, [(x[4] ** 6 - x[0] ** 6) / 6, (x[11] ** 6 - x[4] ** 6) / 6])


@pytest.mark.parametrize(("points", "times"), [(101, 31), (201, 31), (101, 121), (71, 16)])
def test_exact_values_are_within_the_bound_of_the_quadrature(points, times):
    x, t = np.linspace(-6, 6, points), np.linspace(0, 1, times)
    uneven = np.sinh(np.linspace(-2.5, 2.5, points))
    for axis in (x, uneven):
        evidence = check(**OU, density=exact(axis, t[:, None], start=0.5), axes=(t, axis),
                         tolerance=1e-12)  # fmt: skip
        assert evidence.verdict == "undecided" and "would not have been seen" in evidence.sentence


def test_halved_grids_keep_masses():
    p, t, x = solved(N=61, steps=20)
    (one,) = solutions(p, (t, x), (False, None, True), "density")
    half = one.halved()
    heaps = (half.p * np.diff(half.edges[0])).sum(axis=1)
    assert np.allclose(heaps, (p * np.diff(one.edges[0])).sum(axis=1))
    assert half.p.shape[1] == 31


def crank_nicolson(points, times):
    """A right solver of second order in both steps: dX = -X dt + dW from N(1, 0.3)."""
    x, t = np.linspace(-6, 6, points), np.linspace(0.0, 1.0, times)
    h, dt, i = x[1] - x[0], t[1] - t[0], np.arange(points - 1)
    f = -(x[1:] + x[:-1]) / 2
    A = np.zeros((points, points))
    A[i, i] -= (f / 2 + 0.5 / h) / h
    A[i, i + 1] -= (f / 2 - 0.5 / h) / h
    A[i + 1, i] += (f / 2 + 0.5 / h) / h
    A[i + 1, i + 1] += (f / 2 - 0.5 / h) / h
    step = np.linalg.solve(np.eye(points) - dt / 2 * A, np.eye(points) + dt / 2 * A)
    p = [np.exp(-((x - 1) ** 2) / 0.6) / np.sqrt(0.6 * np.pi)]
    for _ in range(times - 1):
        p.append(step @ p[-1])
    return t, x, np.array(p)


def on_grids(sizes, pull=1.0):
    solved = [crank_nicolson(*size) for size in sizes]
    return sp.check_fokker_planck(
        lambda x, t: -pull * x,
        1.0,
        density=[p for _, _, p in solved],
        axes=[(t, x) for t, x, _ in solved],
    )


@pytest.mark.parametrize(
    "sizes",
    [[(41, 9), (81, 17), (161, 33)], [(61, 11), (91, 16), (121, 21)]],
    ids=["halved", "by a third"],
)
def test_a_coarse_grid_more_is_no_less_evidence(sizes):
    """All three do not decide, and the two finest do: so they are judged, and that is said."""
    assert on_grids(sizes[1:]).verdict == "holds"
    evidence = on_grids(sizes)
    assert evidence, evidence.explain()
    assert "The 2 finest grids are judged: the coarsest do not resolve" in evidence.explain()
    assert on_grids(sizes, pull=1.1).verdict == "refuted"


def test_grids_that_share_a_step_are_judged_by_the_finest():
    sizes = [(101, 21), (201, 21), (401, 21)]
    evidence = on_grids(sizes)
    assert evidence, evidence.explain()
    assert "The finest solution is judged alone: the grids have a step in common" in (
        evidence.explain()
    )
    assert on_grids(sizes, pull=1.1).verdict == "refuted"
