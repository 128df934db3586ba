"""The pytest plugin of scoreproof: imports nothing but pytest until it is used.

``assert check_…(…)`` and ``assert check_…(…).verdict == "holds"`` show the explanation when they
fail; ``--scoreproof-seed`` and
``--scoreproof-profile`` set the fixtures ``scoreproof_seed`` and ``scoreproof_profile``; a summary
line counts the verdicts that tests asked for.
"""

from __future__ import annotations

import pytest

# Evidence reports here whenever it is tested for truth (see Evidence.__bool__): the evidence of
# `assert check_…(…)` is a temporary, which no traceback holds.
_current: list = []
_counts: dict = {}


class Told(str):
    """A verdict that knows its evidence: a comparison that fails explains."""

    __slots__ = ("evidence",)

    def __new__(cls, verdict, evidence):
        told = super().__new__(cls, verdict)
        told.evidence = evidence
        return told

    def __reduce__(self):
        return (str, (str(self),))


def observe(evidence) -> None:
    """Called by ``Evidence.__bool__`` with the evidence."""
    _current.append(evidence)


def pytest_addoption(parser):
    group = parser.getgroup("scoreproof")
    group.addoption(
        "--scoreproof-seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of scoreproof's random streams (default: 0)",
    )
    group.addoption(
        "--scoreproof-profile",
        choices=("quick", "default", "deep"),
        default="quick",
        help="profile for scoreproof's own checks (default: quick)",
    )


@pytest.fixture(scope="session")
def scoreproof_seed(request):
    """The seed given with --scoreproof-seed: pass it on, ``check_…(…, seed=scoreproof_seed)``."""
    return request.config.getoption("--scoreproof-seed")


@pytest.fixture(scope="session")
def scoreproof_profile(request):
    """The profile given with --scoreproof-profile: pass it on, ``verify(…,
    profile=scoreproof_profile)``.
    """
    return request.config.getoption("--scoreproof-profile")


def pytest_runtest_setup(item):
    _current.clear()


def pytest_assertrepr_compare(op, left, right):
    for side in (left, right):
        if isinstance(side, Told):
            return [f"{left!r} {op} {right!r}", side.evidence.explain()]
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        for evidence in _current:
            _counts[evidence.verdict] = _counts.get(evidence.verdict, 0) + 1
            if report.failed and evidence.verdict != "holds":
                report.sections.append(("scoreproof", evidence.explain()))
        _current.clear()
    return report


def pytest_terminal_summary(terminalreporter):
    if _counts:
        terminalreporter.write_line(
            "scoreproof, verdicts that tests asked for: "
            + ", ".join(f"{n} {verdict}" for verdict, n in sorted(_counts.items()))
        )
