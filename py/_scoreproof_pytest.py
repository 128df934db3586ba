"""The pytest plugin of scoreproof: imports nothing but pytest until it is used.

``assert check_…(…)`` and ``assert check_…(…).verdict == "holds"`` show the explanation when they
fail; ``--scoreproof-seed`` and
``--scoreproof-profile`` set the fixtures ``scoreproof_seed`` and ``scoreproof_profile``; a summary
line counts the verdicts that tests asked for, with pytest-xdist those of all workers.
"""

from __future__ import annotations

import sys

import pytest

# Evidence reports here whenever a test asks for its verdict, by its truth (see Evidence.__bool__)
# or by a comparison: the evidence of `assert check_…(…)` is a temporary, which no traceback holds.
_current: list = []
_explained: list = []
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

    def _asked(self) -> None:
        caller = sys._getframe(2).f_globals.get("__name__", "")
        if caller.split(".")[0] != "scoreproof":  # the library compares verdicts too
            observe(self.evidence)

    def __eq__(self, other):
        self._asked()
        return str.__eq__(self, other)

    def __ne__(self, other):
        self._asked()
        return str.__ne__(self, other)

    __hash__ = str.__hash__


def observe(evidence) -> None:
    """Called with the evidence whose verdict is asked for."""
    if not any(evidence is seen for seen in _current):
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
    _explained.clear()


def pytest_assertrepr_compare(op, left, right):
    for side in (left, right):
        if isinstance(side, Told):
            _explained.append(side.evidence)
            return [f"{left!r} {op} {right!r}", side.evidence.explain()]
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        for evidence in _current:
            _add({str(evidence.verdict): 1})
        failing = [e for e in _current if str(e.verdict) != "holds"]
        # of the many that a test may ask for, Hypothesis' examples say, the last is why it failed
        if report.failed and failing and not any(failing[-1] is e for e in _explained):
            report.sections.append(("scoreproof", failing[-1].explain()))
        _current.clear()
    return report


def _add(counts) -> None:
    for verdict, n in counts.items():
        _counts[verdict] = _counts.get(verdict, 0) + n


def pytest_sessionfinish(session):
    output = getattr(session.config, "workeroutput", None)
    if output is not None:  # a worker of pytest-xdist, whose terminal nobody sees
        output["scoreproof"] = dict(_counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    _add(getattr(node, "workeroutput", {}).get("scoreproof", {}))


def pytest_terminal_summary(terminalreporter):
    if _counts:
        terminalreporter.write_line(
            "scoreproof, verdicts that tests asked for: "
            + ", ".join(f"{n} {verdict}" for verdict, n in sorted(_counts.items()))
        )
