"""Solvers of the Fokker–Planck equation with one mistake, and what they saved."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._fokker_planck_grid import DX, SIGMA, START, T, X, d2dx2, ddx, judged, lines
from scoreproof import Evidence


@wrong("method of lines: the ½ in front of σ² is missing", says=r"½ of Itô's formula left out")
def solver_without_the_half() -> Evidence:
    return judged(lines(lambda p: -ddx(-X * p) + SIGMA**2 * d2dx2(p)))


@wrong("σ/2 for σ²/2", says=r"rho_not_squared")
def sigma_not_squared() -> Evidence:
    return judged(lines(lambda p: -ddx(-X * p) + SIGMA / 2 * d2dx2(p)))


@wrong("the drift is differenced outside: -f ∂p", says=r"gradient_outside")
def not_conservative() -> Evidence:
    return judged(lines(lambda p: X * ddx(p) + SIGMA**2 / 2 * d2dx2(p)), normalized=False)


@wrong("the sign of the drift: ∂_t p = +∂(f p)", says=r"drift_sign")
def solver_with_the_drift_turned() -> Evidence:
    x, t = np.linspace(-9, 9, 361), T / 2
    h = x[1] - x[0]
    p = np.exp(-((x - 1) ** 2) / 0.3) / np.sqrt(0.3 * np.pi)
    return judged(lines(lambda p: ddx(-x * p, h) + SIGMA**2 / 2 * d2dx2(p, h), p, t), axes=(t, x))


def _crank_nicolson(steps: int, dt: float) -> list[np.ndarray]:
    n = len(X)
    i, f = np.arange(n - 1), -(X[1:] + X[:-1]) / 2
    a, b = f / 2 + SIGMA**2 / 2 / DX, f / 2 - SIGMA**2 / 2 / DX
    A = np.zeros((n, n))
    A[i, i] -= a / DX
    A[i, i + 1] -= b / DX
    A[i + 1, i] += a / DX
    A[i + 1, i + 1] += b / DX
    M = np.linalg.solve(np.eye(n) - dt / 2 * A, np.eye(n) + dt / 2 * A)
    p, saved = START.copy(), [START.copy()]
    for _ in range(steps):
        p = M @ p
        saved.append(p)
    return saved


@wrong("every tenth step is saved, and the times count one", says=r"one state of 10 is saved")
def saved_every_tenth_step() -> Evidence:
    dt = 0.002
    p = np.array(_crank_nicolson(500, dt)[::10])
    return judged(p, axes=(dt * np.arange(len(p)), X))


@wrong("the list holds one array, written into in place", says=r"append a copy")
def one_array_many_times() -> Evidence:
    saved, p = [], START.copy()
    for step in _crank_nicolson(100, 0.005):
        p[:] = step
        saved.append(p)
    return judged(np.array(saved), axes=(0.005 * np.arange(len(saved)), X))


@wrong("the latest state comes first", says=r"reversed_clock|counted downward")
def latest_first() -> Evidence:
    return judged(lines(lambda p: -ddx(-X * p) + SIGMA**2 / 2 * d2dx2(p))[::-1])


@wrong("left edges of the cells are passed for their middles", says=r"half a step .*too small")
def left_edges() -> Evidence:
    p = lines(lambda p: -ddx(-X * p) + SIGMA**2 / 2 * d2dx2(p))
    return judged(p, axes=(T, X - DX / 2))


@wrong("p / p.sum(): probabilities of cells", says=r"divide by dx")
def probabilities() -> Evidence:
    p = lines(lambda p: -ddx(-X * p) + SIGMA**2 / 2 * d2dx2(p))
    return judged(p / p.sum(axis=1, keepdims=True))


@wrong("p = 0 is held at ends that the mass reaches", says=r"leaves through the ends")
def dirichlet() -> Evidence:
    x = np.linspace(-1.5, 1.5, 121)
    h = x[1] - x[0]
    start = np.exp(-(x**2) / 0.3) / np.sqrt(0.3 * np.pi)

    def rate(p):
        out = -ddx(-x * p, h) + SIGMA**2 / 2 * d2dx2(p, h)
        out[[0, -1]] = 0.0
        return out

    start[[0, -1]] = 0.0
    return judged(lines(rate, start), axes=(T, x))


@wrong("Fick's law for Itô: ∂(D ∂p) where ∂∂(D p) is due", says=r"fick_read_as_ito")
def fick() -> Evidence:
    D = (1 + 0.3 * np.sin(X)) ** 2
    p = lines(lambda p: -ddx(-X * p) + ddx(D / 2 * ddx(p)))
    return judged(p, diffusion=lambda x, t: 1 + 0.3 * np.sin(x), interpretation="ito")


@wrong("D(x) in front: ½ D ∂∂p", says=r"D in front of the derivatives")
def noise_in_front() -> Evidence:
    D = (1 + 0.3 * np.sin(X)) ** 2
    p = lines(lambda p: -ddx(-X * p) + D / 2 * d2dx2(p))
    return judged(
        p, diffusion=lambda x, t: 1 + 0.3 * np.sin(x), interpretation="ito", normalized=False
    )


@wrong("central differences at a cell Péclet number above 2", says=r"Péclet")
def oscillates() -> Evidence:
    x = np.linspace(-8, 6, 141)
    h = x[1] - x[0]
    start = np.where((x > -1.01) & (x < 0.01), 1 / (11 * h), 0.0)
    p = lines(lambda p: -ddx(2 * p, h) + 0.01 * d2dx2(p, h), start)
    return judged(p, axes=(T, x), drift=lambda x, t: 2.0 + 0 * x, diffusion=lambda t: 0.02**0.5)


@wrong("a ring of n points with both its ends", says=r"endpoint=False")
def closed_ring() -> Evidence:
    n = 96
    x = np.linspace(0, 2 * np.pi, n)  # the solver's np.roll wants endpoint=False
    h = 2 * np.pi / n
    start = np.exp(2 * np.cos(np.arange(n) * h))
    start /= start.sum() * h

    def rate(p):
        flux = 0.8 * (p + np.roll(p, -1)) / 2 - 0.2 * (np.roll(p, -1) - p) / h
        return -(flux - np.roll(flux, 1)) / h

    return judged(
        lines(rate, start),
        axes=(T, x),
        drift=lambda x, t: 0.8 + 0 * x,
        diffusion=lambda t: 0.4**0.5,
        boundary="periodic",
    )


PLANE = np.linspace(-4, 4, 65)
H = PLANE[1] - PLANE[0]
Q, V = np.meshgrid(PLANE, PLANE, indexing="ij")
BOX = np.exp(-((Q - 0.8) ** 2 + (V + 0.4) ** 2) / 0.5) / (0.5 * np.pi)
TP = np.linspace(0, 0.8, 21)


def _kinetic(z, t):
    return np.stack([z[:, 1], -z[:, 0] - 0.5 * z[:, 1]], axis=1)


def _plane(rate) -> np.ndarray:
    t, saved, p = 0.0, [BOX], BOX
    dt = 0.004
    for k in range(1, 201):
        a = rate(p)
        b = rate(p + dt / 2 * a)
        c = rate(p + dt / 2 * b)
        p = p + dt / 6 * (a + 2 * b + 2 * c + rate(p + dt * c))
        if k % 10 == 0:
            saved.append(p)
        t += dt
    return np.array(saved)


def _kramers(p, gamma=0.5, D=(0.3, 0.3)):
    out = -ddx(V * p, H, 0) - ddx((-Q - gamma * V) * p, H, 1)
    return out + D[0] * d2dx2(p, H, 0) + D[1] * d2dx2(p, H, 1)


def _in_the_plane(p, **more) -> Evidence:
    given = {
        "drift": _kinetic,
        "diffusion": lambda z, t: 0.6**0.5 + 0 * z,
        "interpretation": "ito",
        "axes": (TP, PLANE, PLANE),
        "tolerance": 0.05,
    }
    return judged(p, **{**given, **more})


@wrong("meshgrid's default order: p[t, v, x]", says=r"axes_exchanged")
def meshgrid_order() -> Evidence:
    return _in_the_plane(np.swapaxes(_plane(_kramers), 1, 2))


@wrong("the Laplacian of a plane has one of its two parts", says=r"no noise in y")
def one_coordinates_noise() -> Evidence:
    return _in_the_plane(_plane(lambda p: _kramers(p, D=(0.3, 0.0))))


@wrong("Kramers: noise in x and v, as if the other's", says=r"noise of each coordinate is used")
def noises_exchanged() -> Evidence:
    return _in_the_plane(
        _plane(lambda p: _kramers(p, D=(0.3, 0.1))),
        diffusion=lambda z, t: np.array([0.2**0.5, 0.6**0.5]) + 0 * z,
    )


@wrong("three grids of a solver with σ for σ²/2", says=r"rho_for_half_rho_squared")
def wrong_on_every_grid() -> Evidence:
    densities, axes = [], []
    for n in (81, 161, 321):
        x = np.linspace(-6, 6, n)
        h = x[1] - x[0]
        start = np.exp(-((x - 1) ** 2) / 0.3) / np.sqrt(0.3 * np.pi)
        densities.append(lines(lambda p, x=x, h=h: -ddx(-x * p, h) + SIGMA * d2dx2(p, h), start))
        axes.append((T, x))
    return judged(densities, axes=axes)


@wrong("one saved state is that of another time", says=r"another time's.*state_out_of_line")
def state_of_another_time() -> Evidence:
    p = _crank_nicolson(200, T[1] / 4)[::4]
    return judged(np.array([*p[:25], p[27], *p[26:]]))
