"""Wrong estimators of a divergence: other products with J, a ν that does not vary."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._traces import exact_jacobian, jvp
from scoreproof import Evidence, check_trace_estimator


def vjp(f, z, nu):
    return np.einsum("nk,nkj->nj", nu, exact_jacobian(f, z))


@wrong("νᵀJ multiplied by itself", says=r"squared length of νᵀJ")
def left_product_squared() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: (vjp(f, z, nu) ** 2).sum(axis=1), dimension=5)


@wrong("νᵀJ multiplied by f", says=r"νᵀJ is multiplied by f\(z\), not by ν")
def left_product_with_the_field() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: (vjp(f, z, nu) * f(z)).sum(axis=1))


@wrong("Jν multiplied by z", says=r"Jν is multiplied by z, not by ν")
def right_product_with_the_point() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: (z * jvp(f, z, nu)).sum(axis=1))


@wrong("no derivative is taken", says=r"ν·f\(z\): no derivative")
def no_derivative() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: (nu * f(z)).sum(axis=1))


@wrong("J is applied twice", says=r"νᵀJ²ν")
def applied_twice() -> Evidence:
    return check_trace_estimator(
        lambda f, z, nu: (vjp(f, z, nu) * jvp(f, z, nu)).sum(axis=1), dimension=4
    )


@wrong("the squared norm of J", says=r"squares of all entries of J")
def frobenius() -> Evidence:
    return check_trace_estimator(lambda f, z: (exact_jacobian(f, z) ** 2).sum(axis=(1, 2)))


@wrong("signs of bits that are always 0", says=r"ν does not vary: it is \(1, …, 1\).*exclusive")
def signs_that_do_not_vary() -> Evidence:
    rng = np.random.default_rng(4)

    def estimator(f, z):
        nu = 2.0 * rng.integers(0, 1, z.shape) - 1
        return (nu * jvp(f, z, nu)).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong("one ν that is drawn at the start", says=r"same for all rows and at every call")
def drawn_once() -> Evidence:
    def estimator(f, z):
        nu = np.broadcast_to(np.random.default_rng(4).standard_normal(z.shape[1]), z.shape)
        return (nu * jvp(f, z, nu)).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong("four draws are summed", says=r"4 times tr J.*Divide by 4")
def four_draws_summed() -> Evidence:
    rng = np.random.default_rng(4)

    def estimator(f, z):
        nus = rng.choice([-1.0, 1.0], (4, *z.shape))
        return sum((nu * jvp(f, z, nu)).sum(axis=1) for nu in nus)

    return check_trace_estimator(estimator)


@wrong("rand for randn", says=r"uniform on \[0, 1\).*randn")
def rand_for_randn() -> Evidence:
    rng = np.random.default_rng(4)

    def estimator(f, z):
        nu = rng.random(z.shape)
        return (nu * jvp(f, z, nu)).sum(axis=1)

    return check_trace_estimator(estimator, dimension=4)


@wrong(
    "every entry of the Jacobian is summed for the exact divergence",
    says=r"where tr J = .*sum of all entries of J.*For the exact divergence sum the diagonal alone",
)
def every_entry_summed() -> Evidence:
    return check_trace_estimator(lambda f, z: exact_jacobian(f, z).sum(axis=(1, 2)), dimension=4)


@wrong(
    "one output is differentiated for all in the exact divergence",
    says=r"where tr J = .*sum of the last row of J.*Sum the diagonal of J",
)
def one_output_for_all() -> Evidence:
    def divergence(f, z, nu):
        j = exact_jacobian(f, z)
        rows = []
        for i in range(z.shape[1]):
            rows.append(lambda k: j[:, i, k])  # noqa: B023
        return sum(row(k) for k, row in enumerate(rows))

    return check_trace_estimator(divergence)


def sketched(columns: int, vectors: int, weight: float):
    """Hutch++ with QR of a random sketch, and ``weight`` times the sum over the rest's vectors."""
    rng = np.random.default_rng(8)

    def estimator(f, z):
        n, d = z.shape
        sketch = [jvp(f, z, rng.standard_normal((n, d))) for _ in range(columns)]
        q = np.linalg.qr(np.stack(sketch, axis=2))[0]
        total = sum((q[:, :, k] * jvp(f, z, q[:, :, k])).sum(axis=1) for k in range(columns))
        for _ in range(vectors):
            g = rng.choice([-1.0, 1.0], (n, d))
            g = g - np.einsum("nik,njk,nj->ni", q, q, g)
            total = total + weight * (g * jvp(f, z, g)).sum(axis=1)
        return total

    return estimator


@wrong(
    "Hutch++ without its 1/m before the sum over the rest",
    says=r"sketch of 1 column, and what the sketch leaves is summed over 2 random vectors",
)
def rest_is_not_averaged() -> Evidence:
    return check_trace_estimator(sketched(1, 2, 1.0), dimension=4)


@wrong("Hutch++ without the rest", says=r"sketch of 2 columns, and what the sketch leaves is miss")
def rest_is_missing() -> Evidence:
    return check_trace_estimator(sketched(2, 0, 1.0), dimension=4)
