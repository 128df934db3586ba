"""The package as a thing that is installed: its wheel, what importing it costs, its docstrings, its
layers.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import pkgutil
import subprocess
import sys
import zipfile

import pytest

import scoreproof

MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(scoreproof.__path__, "scoreproof.")
    if not m.name.endswith("__main__")
)


def test_import_stays_light():
    heavy = ("scipy", "flint", "hypothesis", "matplotlib", "rich", "torch", "jax", "sklearn")
    code = f"import sys, scoreproof; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_exported_name_resolves():
    for name in scoreproof.__all__:
        assert getattr(scoreproof, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        scoreproof.nothing  # noqa: B018


@pytest.mark.parametrize("module", MODULES)
def test_docstring_examples_run(module):
    pytest.importorskip("numpy")
    try:
        loaded = importlib.import_module(module)
    except scoreproof.MissingExtraError as error:
        pytest.skip(str(error))
    result = doctest.testmod(loaded, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_facade_docstring_runs():
    assert doctest.testmod(scoreproof).failed == 0


def test_public_checks_have_examples():
    for name in scoreproof.__all__:
        if name.startswith("check_"):
            text = getattr(scoreproof, name).__doc__
            assert ">>>" in text, f"{name} shows no example"
            assert "Raises" in text or "raises" in text, f"{name} does not say what it raises"


def imports(path):
    """Absolute names of the scoreproof modules that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module in ("scoreproof", "scoreproof.claims", "scoreproof.public"):
                yield from (f"{node.module}.{a.name}" for a in node.names)
            else:
                yield node.module


#: Which folder of public/ may look into which other, and why.
PUBLIC_NEIGHBOURS = {
    "denoiser": {"posterior", "network"},  # what the checks of denoisers and of scores share
    "score": {"posterior"},
    "network": {"posterior"},
    "preconditioning": {"network"},
    "loss": {"sampler"},  # its levels
    # how losses are asked: draws, arguments, libraries
    "variational_bound": {"loss"},
    "inversion": {"sampler"},  # up with its forms, down with it
    # arrays of a framework, the names of generators; the library of a function
    "log_likelihood": {"sampler", "loss"},
    "corrector": {"sampler"},  # how functions take their random numbers, and levels
    "path_kl": {"loss", "sampler"},  # the library; how functions take their random numbers
    "kl": {"loss"},  # the library that a function uses
}


def test_dependencies_point_one_way(root):
    package = root / "py" / "scoreproof"
    low = {"core", "coverage", "evidence", "errors", "streams", "diagnosis", "tabular", "words"}
    low.add("causes")
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).parts
        for name in imports(path):
            if not name.startswith("scoreproof."):
                continue
            target = name.split(".")[1:]
            where = f"{'/'.join(parts)} imports {name}"
            if parts[0] == "numerics":
                assert target[0] in {"numerics", *low}, where
            if parts[0] == "objects":
                assert target[0] in {"numerics", "objects", "interop", *low}, where
            if parts[0] == "interop":
                assert target[0] in {"interop", "objects", "numerics", *low}, where
            if parts[0] == "claims" and len(parts) > 2:
                assert target[0] in {"numerics", "objects", "interop", "claims", *low}, where
                assert target[0] != "claims" or target[1] == parts[1], (
                    where + ": a claim knows no other claim"
                )
            if parts[0] == "public":
                assert target[0] in {"numerics", "objects", "interop", "claims", "public", *low}, (
                    where
                )
                below = target[1] if target[0] == "public" and len(target) > 1 else ""
                if (package / "public" / below).is_dir() and below and below != parts[1]:
                    assert len(parts) > 2, where + ": what is shared looks into no check's folder"
                    assert below in PUBLIC_NEIGHBOURS.get(parts[1], ()), (
                        where + ": what two checks share stands in public/ itself, or is declared"
                    )


ROOMS = ("check", "arguments", "asking", "verdict", "words")


def public_folders(root):
    """The folders of the public checks by what they hold: a ``check.py``."""
    return sorted(p.parent for p in (root / "py/scoreproof/public").glob("*/check.py"))


def test_every_public_check_has_the_same_rooms(root):
    folders = public_folders(root)
    assert len(folders) == 19
    for folder in folders:
        missing = [room for room in ROOMS if not (folder / f"{room}.py").exists()]
        assert not missing, f"{folder.name} has no {', '.join(missing)}"


def test_rooms_are_small_and_say_in_one_sentence_what_they_are_for(root):
    for path in (root / "py/scoreproof/public").rglob("*.py"):
        text = path.read_text("utf-8")
        where = path.relative_to(root).as_posix()
        assert len(text.splitlines()) <= 250, f"{where} is too long"
        first = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].replace("\n", " ")
        assert first.endswith((".", "…", "?")), f"{where}: what is it for?"
        assert ". " not in first.replace("i.e. ", "").replace("e.g. ", ""), (
            f"{where} needs more than one sentence: {first}"
        )


def test_no_package_marker_among_the_tests(root):
    for folder in ("py", "py/tests", "tests"):
        assert not (root / folder / "__init__.py").exists()


def test_wheel_is_built_and_works_elsewhere(root, tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(root)],
        check=True,
        capture_output=True,
        text=True,
    )
    (wheel,) = tmp_path.glob("scoreproof-*.whl")
    inside = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "scoreproof/py.typed",
        "scoreproof/report/schema.json",
        "scoreproof/report/page.html.j2",
        "_scoreproof_pytest.py",
    ):
        assert needed in inside
    assert not [n for n in inside if "tests" in n]
    site = tmp_path / "site"
    subprocess.run(
        [*pip, "install", "--no-deps", "--target", str(site), str(wheel)],
        check=True,
        capture_output=True,
        text=True,
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = subprocess.run(
        [sys.executable, "-c", "import scoreproof; print(scoreproof.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(site))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "scoreproof",
            "verify",
            "backprop",
            "--profile",
            "quick",
            "--workers",
            "1",
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Lean:" in done.stdout
