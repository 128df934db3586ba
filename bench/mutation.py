"""Do the tests notice a mistake? A seeded sample of mutants, each against the tests of its module.

    python bench/mutation.py run                      # all packages, appends to build/mutation/
    python bench/mutation.py run --package numerics   # one of them
    python bench/mutation.py run --again              # those that survived, on new tests
    python bench/mutation.py report                   # writes bench/MUTATION.md

The operators are cosmic-ray's (`pip install '.[mutation]'`). Its own sessions mutate every
place of every module against one test command, and know no sample: a week for this package. So the
sample, the choice of tests and the record are here, the mutants are its own. Left out are those
that nearly every test notices and that would flatter the score (shifts, bits and `is` in place of
arithmetic and comparison), and the flags `strict=`, `frozen=`, `eq=` and `slots=`, which assert
what no test brings about.

Mutants are made in a copy of the committed tree in a temporary directory, never here. A place
(file, line, operator) has a number from the seed and its own text, and the places with the lowest
numbers are the sample: an edit elsewhere does not change it, and a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = ROOT / "build" / "mutation"
EQUIVALENT = HERE / "mutation_equivalent.toml"
SOURCE = "py/scoreproof/"

#: Mutants of each package, and its files (prefixes of paths below py/scoreproof).
PACKAGES: dict[str, tuple[int, tuple[str, ...]]] = {
    "claims": (50, ("claims/",)),
    "numerics": (40, ("numerics/",)),
    "objects": (40, ("objects/",)),
    "verdicts": (30, ("evidence.py", "judge.py", "coverage.py", "public/rule.py")),
    "public": (30, ("public/",)),
}

#: The tests of a source file: the first prefix that fits. Quick ones first; a failure ends it.
TESTS: tuple[tuple[str, str], ...] = (
    ("evidence.py", "test_evidence.py test_judge.py test_rule.py"),
    ("coverage.py", "test_coverage.py test_rule.py"),
    ("judge.py", "test_judge.py"),
    ("public/rule.py", "test_rule.py"),
    ("public/jax_keys.py", "test_check_loss_one_time.py test_check_variational_bound.py"),
    ("public/sweep.py", "test_sweep.py"),
    ("public/arguments.py", "test_arguments.py"),
    *(
        (
            f"claims/{claim}/",
            f"test_faults.py:{claim} test_every_claim.py:{claim} test_limits.py:{claim}"
            f" test_enclosures.py {own}",
        )
        for claim, own in (
            ("backprop", "test_backprop.py"),
            ("ffjord", "test_ffjord.py"),
            ("fokker_planck", "test_fokker_planck.py"),
            ("gaussian_kl", "test_gaussian_kl.py"),
            ("reverse_family", "test_reverse_family.py"),
            ("tweedie", "test_tweedie.py"),
            ("variance_exploding", "test_variance_exploding.py"),
        )
    ),
    ("claims/__init__.py", "test_every_claim.py"),
    ("numerics/adjoint.py", "test_adjoint.py test_every_claim.py:ffjord"),
    ("numerics/affine_", "test_affine_moments.py"),
    ("numerics/breaks.py", "test_black_box_numerics.py"),
    ("numerics/collocation.py", "test_collocation.py test_linear_sde.py"),
    ("numerics/differences.py", "test_black_box_numerics.py"),
    ("numerics/functions.py", "test_jets.py"),
    ("numerics/gauss_grid.py", "test_numerics.py"),
    ("numerics/jets.py", "test_jets.py"),
    ("numerics/legendre.py", "test_numerics.py test_collocation.py"),
    ("numerics/local_series.py", "test_black_box_numerics.py"),
    ("numerics/pieces.py", "test_black_box_numerics.py"),
    ("numerics/", "test_numerics.py"),
    ("objects/empirical.py", "test_objects.py test_tweedie.py"),
    ("objects/exact_linear.py", "test_linear_sde.py test_every_claim.py:fokker"),
    ("objects/fields.py", "test_fields.py test_every_claim.py:ffjord"),
    ("objects/graphs.py", "test_graphs.py test_every_claim.py:backprop test_backprop.py"),
    ("objects/h_transform.py", "test_h_transform.py test_every_claim.py:fokker"),
    ("objects/latents.py", "test_objects.py"),
    ("objects/linear_sde.py", "test_linear_sde.py"),
    ("objects/logistic_field.py", "test_fields.py test_every_claim.py:ffjord"),
    ("objects/mixtures.py", "test_objects.py"),
    ("objects/parameterizations.py", "test_parameterizations.py"),
    ("objects/preserving_schedules.py", "test_objects.py test_schedules.py"),
    ("objects/schedule", "test_schedules.py"),
    ("objects/tanh_network.py", "test_fields.py test_every_claim.py:ffjord"),
    (
        "public/backward/",
        "test_check_backward.py test_check_backward_torch.py test_check_backward_jax.py"
        " test_check_backward_objects.py",
    ),
    ("public/denoiser/", "test_check_denoiser.py"),
    (
        "public/loss/",
        "test_check_loss.py test_check_loss_one_time.py test_check_loss_couplings.py"
        " test_check_loss_calls.py test_vocabulary_loss_factors.py",
    ),
    ("public/fokker_planck/general/affine_scores.py", "test_fokker_planck_masses.py"),
    ("public/fokker_planck/flows.py", "test_fokker_planck_masses.py"),
    ("public/fokker_planck/grid/lacking.py", "test_fokker_planck_masses.py"),
    ("public/fokker_planck/grid/mass_causes.py", "test_fokker_planck_masses.py"),
    (
        "public/fokker_planck/general/",
        "test_check_fokker_planck_noises.py test_check_fokker_planck_scores.py",
    ),
    ("public/fokker_planck/grid/", "test_check_fokker_planck_grid.py"),
    ("public/fokker_planck/single.py", "test_fokker_planck_single.py"),
    ("public/fokker_planck/stepped.py", "test_fokker_planck_stepped.py"),
    ("public/fokker_planck/whereabouts.py", "test_vocabulary_fokker_planck.py"),
    ("public/fokker_planck/calls.py", "test_check_fokker_planck_networks.py"),
    ("public/fokker_planck/learned.py", "test_check_fokker_planck_networks.py"),
    ("public/fokker_planck/networks.py", "test_check_fokker_planck_networks.py"),
    ("interop/widened.py", "test_check_fokker_planck_networks.py"),
    ("interop/copies.py", "test_widened_flows.py"),
    ("public/fokker_planck/", "test_check_fokker_planck.py"),
    (
        "public/log_likelihood_gradient/",
        "test_check_log_likelihood_gradient.py test_check_log_likelihood_gradient_trees.py"
        " test_check_log_likelihood_gradient_modules.py test_ffjord.py",
    ),
    ("public/kl/", "test_check_kl.py test_check_kl_kinds.py test_vocabulary_kl_kinds.py"),
    ("public/log_likelihood/", "test_check_log_likelihood.py test_check_log_likelihood_tails.py"),
    ("public/marginals/", "test_check_marginals.py test_variance_exploding.py"),
    ("public/posterior/", "test_check_denoiser.py test_check_score.py"),
    (
        "public/normalizing_flow/",
        "test_check_normalizing_flow.py test_check_normalizing_flow_torch.py"
        " test_vocabulary_normalizing_flow.py test_check_normalizing_flow_layers.py",
    ),
    ("public/corrector/", "test_check_corrector.py test_vocabulary_corrector.py"),
    ("public/path_kl/", "test_check_path_kl.py test_vocabulary_path_kl.py"),
    (
        "public/variational_bound/",
        "test_check_variational_bound.py test_vocabulary_variational_bound.py"
        " test_vocabulary_variational_bound_more.py",
    ),
    ("public/reverse_sampler/", "test_check_reverse_sampler.py"),
    ("public/score/", "test_check_score.py"),
    ("public/trace_estimator/", "test_check_trace_estimator.py test_ffjord.py"),
    ("public/black_box_field.py", "test_check_trace_estimator.py test_ffjord.py"),
)

#: No test file takes so long, unless the mutant never ends.
SECONDS = 900
NOTHING_LEFT = 5  # pytest's exit status where no test is selected

_SILLY = re.compile(r"(Binary.*(Shift|Bit|Mod|FloorDiv))|_(Is|IsNot)(_|$)|Invert|Variable")


@dataclass(frozen=True)
class Mutant:
    """One change to one file: ``key`` names it for good (seed, file, place, replacement)."""

    key: str
    package: str
    path: str
    operator: str
    occurrence: int
    line: int
    before: str
    after: str


def copy(into: Path) -> str:
    """The committed tree in ``into``; returns the commit."""
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    packed = subprocess.run(
        ["git", "archive", head], cwd=ROOT, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "-x", "-C", str(into)], input=packed, check=True)
    # pyc files that are checked by content: a mutant of the same length and second is recompiled
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "py"],
        cwd=into,
        check=True,
    )
    return head


def places(source: str) -> Iterator[tuple[str, list[tuple[str, int]], int, int]]:
    """Each place of a file: ``(family, [(operator, occurrence)], line, column)``."""
    import cosmic_ray.plugins as plugins
    from cosmic_ray.ast import ast_nodes, get_ast

    tree = get_ast(source)
    nodes = list(ast_nodes(tree))
    found: dict[tuple[str, int, int], list[tuple[str, int]]] = {}
    for name in plugins.operator_names():
        if _SILLY.search(name):
            continue
        operator = plugins.get_operator(name)()
        family = name.split("_")[0].split("/")[1]
        occurrence = 0
        for node in nodes:
            for start, _ in operator.mutation_positions(node):
                if start[0] not in _passed_over(source):
                    found.setdefault((family, *start), []).append((name, occurrence))
                occurrence += 1
    for (family, line, column), changes in found.items():
        yield family, changes, line, column


_PASSED: dict[int, set[int]] = {}


def _passed_over(source: str) -> set[int]:
    """Lines that no test can judge: annotations alone, `if TYPE_CHECKING`, `__slots__`."""
    if hash(source) not in _PASSED:
        lines: set[int] = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                lines |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        _PASSED[hash(source)] = lines
    return _PASSED[hash(source)]


def sample(tree: Path, package: str, seed: int) -> list[Mutant]:
    """The mutants of a package that this seed picks."""
    import cosmic_ray.plugins as plugins
    from cosmic_ray.mutating import mutate_code

    count, prefixes = PACKAGES[package]
    base = tree / SOURCE
    numbered = []
    for path in sorted(base.rglob("*.py")):
        name = path.relative_to(base).as_posix()
        if not name.startswith(prefixes) or (package == "public" and name == "public/rule.py"):
            continue
        source = path.read_text("utf-8")
        text = source.splitlines()
        seen: dict[str, int] = {}
        for family, changes, line, column in places(source):
            stem = f"{name}|{family}|{text[line - 1].strip()}|{column}"
            seen[stem] = seen.get(stem, -1) + 1
            number = hashlib.sha256(f"{seed}|{stem}|{seen[stem]}".encode()).hexdigest()
            operator, occurrence = changes[int(number[-8:], 16) % len(changes)]
            numbered.append((number, name, operator, occurrence, line, source))
    out: list[Mutant] = []
    for number, name, operator, occurrence, line, source in sorted(numbered, key=lambda r: r[0]):
        if len(out) == count:
            break
        mutated = mutate_code(source, plugins.get_operator(operator)(), occurrence)
        if mutated is None or _same(source, mutated) or _signatures(source) != _signatures(mutated):
            continue
        before, after = _changed(source, mutated)
        out.append(
            Mutant(number[:16], package, name, operator[5:], occurrence, line, before, after)
        )
    return out


def _same(source: str, mutated: str) -> bool:
    """No change to what runs (an annotation, say), or no program any more."""
    try:
        return ast.dump(_Bare().visit(ast.parse(source))) == ast.dump(
            _Bare().visit(ast.parse(mutated))
        )
    except SyntaxError:
        return True


def _signatures(source: str) -> list[str]:
    """Parameters by name and kind: a bare ``*`` of a signature is no product."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arguments):
            kinds = (node.posonlyargs, node.args, node.kwonlyargs, [node.vararg, node.kwarg])
            found.append(repr([[a and a.arg for a in kind] for kind in kinds]))
    return found


class _Bare(ast.NodeTransformer):
    """Without what never runs (annotations) and the flags that assert an invariant."""

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        self.generic_visit(node)
        if node.arg in ("strict", "frozen", "eq", "slots"):
            node.value = ast.Constant(None)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.annotation = ast.Constant(None)
        self.generic_visit(node)
        return node


def _changed(source: str, mutated: str) -> tuple[str, str]:
    lines = list(difflib.ndiff(source.splitlines(), mutated.splitlines()))
    picked = [[line[2:].strip() for line in lines if line.startswith(sign)] for sign in "-+"]
    return " ".join(picked[0]), " ".join(picked[1])


def tests_of(tree: Path, path: str) -> list[list[str]]:
    """The pytest arguments for a source file, one list a run."""
    for prefix, given in TESTS:
        if path.startswith(prefix):
            runs = []
            for item in given.split():
                file, _, chosen = item.partition(":")
                if (tree / "py" / "tests" / file).exists():
                    runs.append([f"py/tests/{file}", *(["-k", chosen] if chosen else [])])
            return runs
    raise SystemExit(f"no tests are named for {path}: add them to TESTS")


def test(tree: Path, arguments: list[str]) -> tuple[int | None, str]:
    """pytest's exit status (``None``: out of time) and the test that failed first."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree / "py"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    with subprocess.Popen(
        [*command, *arguments],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            printed, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None, "out of time"
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", printed, re.MULTILINE)
    return process.returncode, failed.group(1) if failed else printed.strip()[-200:]


def judge(tree: Path, mutant: Mutant, passing: dict[str, bool]) -> dict[str, Any]:
    """Killed by which test, or survived. A test that fails without the mutant says nothing:
    ``passing`` remembers which those are, and is asked for each test that fails.
    """
    import cosmic_ray.plugins as plugins
    from cosmic_ray.mutating import mutate_code

    file = tree / SOURCE / mutant.path
    source = file.read_text("utf-8")
    operator = plugins.get_operator("core/" + mutant.operator)()
    mutated = mutate_code(source, operator, mutant.occurrence)
    start = time.perf_counter()
    killer = None
    for arguments in tests_of(tree, mutant.path):
        while killer is None:
            broken = [f"--deselect={name}" for name, passes in passing.items() if not passes]
            file.write_text(mutated, "utf-8")
            try:
                status, which = test(tree, [*arguments, *broken])
            finally:
                file.write_text(source, "utf-8")
            if status in (0, NOTHING_LEFT):
                break
            if status is not None and which not in passing:
                alone = [which] if "::" in which else [which, "--collect-only"]
                passing[which] = test(tree, alone)[0] == 0
                if not passing[which]:
                    print(f"fails without any mutant: {which}", flush=True)
            if passing.get(which, True):
                killer = which
            elif "::" not in which:
                break  # the file cannot even be read
        if killer is not None:
            break
    seconds = round(time.perf_counter() - start, 1)
    return {**asdict(mutant), "killed": killer is not None, "by": killer, "seconds": seconds}


def rows() -> list[dict[str, Any]]:
    """All lines of build/mutation; of the same mutant the last one counts."""
    last: dict[str, dict[str, Any]] = {}
    for path in sorted(OUT.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            last[row["key"] + row["after"]] = row
    return list(last.values())


def run(packages: list[str], seed: int, again: bool, only: str = "") -> None:
    """Judge the mutants of the sample that the record does not have yet."""
    OUT.mkdir(parents=True, exist_ok=True)
    excused = equivalents()
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        tree = Path(name)
        head = copy(tree)
        passing: dict[str, bool] = {}
        for package in packages:
            known = {row["key"] + row["after"]: row["killed"] for row in rows()}
            for mutant in sample(tree, package, seed):
                verdict = known.get(mutant.key + mutant.after)
                excuse = (mutant.path, mutant.before, mutant.after) in excused
                if verdict is not None and not (again and not verdict and not excuse):
                    continue
                if not mutant.path.startswith(only):
                    continue
                row = {**judge(tree, mutant, passing), "seed": seed, "commit": head[:9]}
                with (OUT / f"{package}.jsonl").open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
                if not row["killed"]:
                    text = f"{row['path']}:{row['line']}: {row['before']}  ->  {row['after']}"
                    print(f"survives: {text} ({row['seconds']} s)", flush=True)


def equivalents() -> dict[tuple[str, str, str], str]:
    """Mutants that no test can tell from the original, with the reason."""
    if not EQUIVALENT.exists():
        return {}
    found = tomllib.loads(EQUIVALENT.read_text("utf-8")).get("mutant", [])
    return {(m["path"], m["before"], m["after"]): m["why"] for m in found}


def interval(k: int, n: int) -> str:
    """``k of n`` with its 95 % Clopper-Pearson interval, in percent."""
    from scipy.stats import beta

    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    return f"{k} of {n} = {100 * k / n:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)"


def report(seed: int) -> str:
    """The scores by package, what survived, and what was argued away."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        tree = Path(name)
        copy(tree)
        wanted = {m.key + m.after for package in PACKAGES for m in sample(tree, package, seed)}
    found = [row for row in rows() if row["key"] + row["after"] in wanted]
    excused = equivalents()

    def same(row: dict[str, Any]) -> str | None:
        return excused.get((row["path"], row["before"], row["after"]))

    lines = [
        "# Do the tests notice a mistake?",
        "",
        "Written by `python bench/mutation.py report` from the runs of `bench/mutation.py run`: a",
        f"sample of mutants (seed {seed}, operators of cosmic-ray) in the code as it stands, each",
        "against the tests of its module. In brackets: 95 % Clopper-Pearson intervals.",
        "",
        "Tests were written for mutants of this sample that survived at first. So the score says",
        "that these are seen now; another `--seed` gives a sample that no test was written for.",
        "",
        "| package | mutants | equivalent | killed, of those that are not |",
        "|---|---|---|---|",
    ]
    total = [0, 0, 0]
    for package in PACKAGES:
        part = [row for row in found if row["package"] == package]
        alike = [row for row in part if not row["killed"] and same(row)]
        killed = sum(row["killed"] for row in part)
        total = [a + b for a, b in zip(total, (len(part), len(alike), killed), strict=True)]
        if part:
            score = interval(killed, len(part) - len(alike))
            lines.append(f"| {package} | {len(part)} | {len(alike)} | {score} |")
    if total[0]:
        score = interval(total[2], total[0] - total[1])
        lines.append(f"| all | {total[0]} | {total[1]} | {score} |")
    survivors = [row for row in found if not row["killed"] and not same(row)]
    lines += ["", "## Survivors", ""]
    lines += [_shown(row) for row in survivors] or ["None."]
    lines += [
        "",
        "## Equivalent",
        "",
        "No test tells these from the original, and why. Where it says *instance*, the number is",
        "an arbitrary one of a check's input: the same statement is judged at another input, as",
        "good as the one before (that inputs are not degenerate is tested).",
        "",
    ]
    lines += [
        f"{_shown(row)}\n  {same(row)}" for row in found if not row["killed"] and same(row)
    ] or ["None."]
    return "\n".join(lines) + "\n"


def _shown(row: dict[str, Any]) -> str:
    return f"- `{row['path']}`, line {row['line']}: `{row['before']}` became `{row['after']}`"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("command", choices=("run", "report"))
    parser.add_argument("--package", choices=PACKAGES, action="append", help="default: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="files whose path starts so, e.g. public/kl")
    parser.add_argument("--again", action="store_true", help="judge survivors anew")
    given = parser.parse_args()
    if given.command == "run":
        run(given.package or list(PACKAGES), given.seed, given.again, given.only)
    else:
        text = report(given.seed)
        (HERE / "MUTATION.md").write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
