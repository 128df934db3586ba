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
            yield node.module


def test_dependencies_point_one_way(root):
    package = root / "py" / "scoreproof"
    low = {"core", "evidence", "errors", "streams", "diagnosis"}
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
