"""The repository as a stranger finds it: README true, nothing of a machine in it, links that lead
somewhere.
"""

from __future__ import annotations

import doctest
import re
import subprocess

import pytest


def tracked(root):
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    except OSError:
        pytest.skip("no git on this machine")
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [root / name for name in listed.stdout.split("\n") if name]


def test_readme_examples_run(root):
    result = doctest.testfile(
        str(root / "README.md"),
        module_relative=False,
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert result.attempted > 0
    assert result.failed == 0


def test_readme_says_in_one_screen_what_it_finds_and_how_to_have_it(root):
    text = (root / "README.md").read_text("utf-8")
    first = "\n".join(text.splitlines()[:62])
    wanted = ("Refuted (", "Cause: ", "<img ", "pip install .", "make verify", "make test")
    places = [first.index(part) for part in wanted]
    assert places == sorted(places)
    assert max(map(len, first.splitlines())) < 200
    makefile = (root / "Makefile").read_text("utf-8")
    for target in {
        a or b for a, b in re.findall(r"`make ([a-z]+)`|^    make ([a-z]+)", text, re.M)
    }:
        assert re.search(rf"^{target}:", makefile, re.M), f"README names make {target}"


def test_readme_commands_are_known_to_the_command_line(root, in_process):
    text = (root / "README.md").read_text("utf-8")
    commands = set(re.findall(r"^ {4}(?:\$ )?(?:\.venv/bin/)?scoreproof ([a-z]+)", text, re.M))
    assert commands
    for command in commands:
        assert in_process(command, "--help").returncode == 0


def test_contributing_says_what_every_module_is_for(root):
    """The tables of modules name all of them, by their files or by their folder."""
    text = (root / "CONTRIBUTING.md").read_text("utf-8")
    named = set()
    for cell in re.findall(r"^\| (`[^|]*`) \|", text, re.M):
        folder = ""
        for name in re.findall(r"`([\w./]+)`", cell):
            if name.endswith((".py", "/")):
                path = name if "/" in name.rstrip("/") or not folder else folder + name
                folder = path[: path.rfind("/") + 1] if "/" in name.rstrip("/") else folder
                named.add(path)
    package = root / "py" / "scoreproof"
    due = {p.name for p in package.glob("*.py") if not p.name.startswith("__")}
    due |= {f"{p.parent.name}/" for p in package.glob("*/__init__.py")} - {"claims/", "public/"}
    due |= {p.relative_to(root).as_posix() for p in (root / "docs").glob("*.py")}
    pages = (root / "docs" / "pages").glob("*.py")
    due |= {p.relative_to(root).as_posix() for p in pages if p.name != "__init__.py"}
    assert not due - named
    assert all((root / name).exists() for name in named if name.startswith("docs/"))


def test_links_lead_somewhere(root):
    for page in [
        root / "README.md",
        root / "CONTRIBUTING.md",
        *sorted((root / "docs").glob("*.md")),
    ]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "://" not in target and not target.startswith(
                "../../actions"
            ):  # the badge: a page of the host, not of the tree
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_no_path_of_a_machine_and_no_build_output(root):
    home = re.compile(rb"/(?:home|Users|root)/[a-z]|/work/")
    for path in tracked(root):
        assert not {"__pycache__", ".venv", "dist", ".lake"} & set(path.parts[len(root.parts) :]), (
            path
        )
        if (
            path.suffix
            in {
                ".py",
                ".md",
                ".toml",
                ".yml",
                ".yaml",
                ".cff",
                ".lean",
                ".json",
                ".j2",
                ".svg",
                "",
            }
            and path != root / "tests" / "test_repository.py"
        ):
            assert not home.search(path.read_bytes()), path


def test_citation_and_versions_agree(root):
    import tomllib

    import scoreproof as package

    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert package.__version__ == version
    assert f"version: {version}" in (root / "CITATION.cff").read_text("utf-8")
    assert f"## {version}" in (root / "CHANGELOG.md").read_text("utf-8")


def test_readme_shows_the_table_that_verify_prints(root):
    from scoreproof.claims import NAMES, load

    text = (root / "README.md").read_text("utf-8")
    for name in NAMES:
        row = re.search(rf"^{name} +│ holds +│ exact: (\w+) .*│ (\d+) of (\d+) ", text, re.M)
        assert row, f"README's table has no row for {name}"
        faults = len(load(name).faults)
        assert (row[2], row[3]) == (
            str(faults),
            str(faults),
        ), f"README's row for {name} is out of date: paste the table of `make verify` anew"
        assert row[1] in {c.name for c in load(name).checks}
