"""check_fokker_planck: a mass that is to be 1 and what is known of it; hints beside a verdict."""

import numpy as np
import pytest

from scoreproof import check_fokker_planck as check


def half(times):
    """A density on x[0] > 0, of mass ``times``/2, of a Brownian motion that starts at 0."""

    def density(x, t):
        d = x.shape[1]
        value = times * np.exp(-(x**2).sum(axis=1) / 2 / t) / (2 * np.pi * t) ** (d / 2)
        return np.where(x[:, 0].real > 0, value, 0.0)

    return density


def still(x, t):
    return 0 * x


def test_a_density_that_is_largest_at_its_end_is_integrated():
    right = check(still, 1.0, half(2), domain=(0.1, 3))
    assert right and "its mass is 1 to" in right.sentence
    short = check(still, 1.0, half(1), domain=(0.1, 3))
    assert short.verdict == "undecided" and "it lacks a normaliser of 2" in short.sentence
    meant = check(still, 1.0, half(1), domain=(0.1, 3), normalized=False)
    assert meant and "its mass is not judged (normalized=False)" in meant.sentence


def test_a_mass_that_cannot_be_had_is_undecided_unless_it_does_not_matter():
    for times in (1, 2):
        unseen = check(still, 1.0, half(times), domain=(0.1, 3), dimension=3)
        assert unseen.verdict == "undecided", unseen.explain()
        assert "whether its mass is 1 is not known (it could not be integrated)" in unseen.sentence
        assert "or normalized=False" in unseen.sentence
    assert check(still, 1.0, half(2), domain=(0.1, 3), dimension=3, normalized=False)


def test_a_log_density_is_not_asked_for_where_it_was_passed():
    evidence = check(
        still,
        1.0,
        log_density=lambda x, t: np.log(9 - np.abs(x[:, 0] + x[:, 1] - 0.2)),
        normalized=False,
        dimension=3,
    )
    assert evidence.verdict == "undecided"
    assert "; pass points= of yours" in evidence.sentence
    assert "log_density=" not in evidence.sentence


def test_code_of_a_library_that_is_asked_as_numpy_says_so():
    jnp = pytest.importorskip("jax.numpy")

    def log_p(x, t):
        gap = (x[:, 0] - jnp.exp(-t)) ** 2 / (1 - jnp.exp(-2 * t))
        return -gap - 0.5 * jnp.log(jnp.pi * (1 - jnp.exp(-2 * t)))

    evidence = check(lambda x, t: -x, 1.0, log_density=log_p, times=(0.5, 0.6))
    assert evidence.verdict != "refuted"
    assert 'framework="jax" takes derivatives by jax' in evidence.explain()
    named = check(lambda x, t: -x, 1.0, log_density=log_p, times=(0.5, 0.6), framework="jax")
    assert named and "framework=" not in named.explain()


X, T = np.linspace(-4, 4, 61), np.linspace(0, 1, 31)
A = np.array([[-1.0, 0.8], [-0.3, -1.2]])


def plane():
    """Of dX = A X dt + dW, started from a Gaussian."""
    values, vectors = np.linalg.eig(A)
    both = np.kron(A, np.eye(2)) + np.kron(np.eye(2), A)
    limit = np.linalg.solve(both, -np.eye(2).ravel()).reshape(2, 2)
    x = np.stack(np.meshgrid(X, X, indexing="ij"), axis=-1)
    out = []
    for t in T:
        turn = (vectors * np.exp(values * t) @ np.linalg.inv(vectors)).real
        cov = limit + turn @ (0.3 * np.eye(2) - limit) @ turn.T
        r = x - turn @ np.array([1.0, -0.5])
        square = np.einsum("abi,ij,abj->ab", r, np.linalg.inv(cov), r)
        out.append(np.exp(-square / 2) / (2 * np.pi * np.sqrt(np.linalg.det(cov))))
    return np.array(out)


def test_a_drift_that_an_array_lacks_is_told():
    p = plane()

    def judged(matrix):
        return check(lambda x, t: x @ matrix.T, 1.0, density=p, axes=(T, X, X))

    assert judged(A)
    turned = judged(A.T)
    assert turned.diagnosis.names == ("matrix_transposed",), turned.explain()
    # no more than what a solver of first order may leave on that grid
    added = judged(A + [[0, 0.4], [0, 0]])
    assert added.verdict == "undecided"
    assert "none of a solver's: the drift in the solver is yours -0.4 x[:, 1]" in added.explain()
    assert "(linear_part_missing)" in added.explain()


def test_a_score_that_is_no_gaussians_gets_no_cause_of_one():
    def score(x, t):
        return -x - 0.3 * x**3 * t

    evidence = check(lambda x, t: -x, 1.0, score=score)
    assert evidence.verdict == "refuted" and "score of a Gaussian" not in evidence.explain()
    both = check(lambda x, t: -x, 1.0, score=lambda x, t: -2 * x + 0 * t)
    assert both, both.explain()


def test_a_flow_with_its_half_holds_and_a_variance_is_told_before_a_flow():
    def flow(x, t):
        v = (1 - np.exp(-2 * t)) / 2
        return -x + (x - np.exp(-t)) / (2 * v)

    def log_p(v):
        return lambda x, t: -((x[:, 0] - np.exp(-t)) ** 2) / 2 / v(t) - np.log(2 * np.pi * v(t)) / 2

    assert check(flow, 0.0, log_density=log_p(lambda t: (1 - np.exp(-2 * t)) / 2))
    still_wide = check(lambda x, t: -x, 0.0, log_density=log_p(lambda t: 0.5 + 0 * t))
    assert still_wide.diagnosis.names == ("variance_constant",), still_wide.explain()


def test_a_score_of_a_gaussian_is_read():
    def v(t):
        return (1 - np.exp(-2 * t)) / 2

    for power, name in ((0.5, "std_for_variance"), (2.0, "variance_for_std")):
        evidence = check(
            lambda x, t: -x, 1.0, score=lambda x, t, p=power: -(x - np.exp(-t)) / v(t) ** p
        )
        assert evidence.diagnosis.names == (name,), evidence.explain()
    assert check(lambda x, t: -x, 1.0, score=lambda x, t: -(x - np.exp(-t)) / v(t))


def test_flows_with_another_part_of_the_score_are_told():
    def judged(part):
        def v(t):
            return (1 - np.exp(-2 * t)) / 2

        return check(
            lambda x, t: -x + part * (x - np.exp(-t)) / v(t),
            0.0,
            log_density=lambda x, t: (
                -((x[:, 0] - np.exp(-t)) ** 2) / 2 / v(t) - np.log(2 * np.pi * v(t)) / 2
            ),
        )

    assert judged(0.5)
    assert judged(1.0).diagnosis.names == ("flow_without_half",)
    assert judged(0.0).diagnosis.names == ("flow_without_score",)


def bell(x):
    v = (1 - 0.8 * np.exp(-2 * T[:, None])) / 2
    return np.exp(-((x - np.exp(-T[:, None])) ** 2) / 2 / v) / np.sqrt(2 * np.pi * v)


def test_a_mass_that_is_not_one_has_its_reason():
    x = np.linspace(-5, 5, 201)

    def judged(p, x):
        return check(lambda x, t: -x, 1.0, density=p, axes=(T, x))

    assert judged(bell(x), x)
    twice = judged(bell(x), 2 * x)
    assert twice.diagnosis.names == ("axis_scaled",) and not twice.notes, twice.explain()
    plain = judged(2 * bell(x), x)
    assert plain.diagnosis.names == ("not_normalised",), plain.explain()
    later = bell(x)
    later[15:] *= 1.03
    jump = judged(later, x)
    assert jump.diagnosis.names == ("mass_jumps",) and "from t = 0.5 on" in jump.explain()
    uneven = judged(bell(5 * np.sinh(x / 2.5) / np.sinh(2)), x)
    assert uneven.diagnosis.names == ("axis_uneven", "mass_not_conserved"), uneven.explain()
