"""``scoreproof lean`` as its user meets it, with and without a ``lake``: a script stands in for it
and fails as Lake does.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from scoreproof.lean import command, exit_status, main, status
from scoreproof.lean.failures import explain_failure
from scoreproof.lean.receipt import CHANGED, ELSEWHERE, HERE, NOT, STAMP

ENDS = {HERE: 0, ELSEWHERE: 0, NOT: 3, CHANGED: 4}
REVISION = "a3a10db0e9d66acbebf76c5e6a135066525ac900"
VERSION = (
    'if [ "$1" = --version ]; then echo "Lake version 5.0.0-src (Lean version 4.27.0)"; exit 0;'
    " fi\n"
)
COMPILE = """if [ "$1" = build ]; then
  mkdir -p .lake/build/lib/lean/ScoreProof
  for m in Backprop Audit; do
    echo "✔ [1/2] Built ScoreProof.$m"; : > .lake/build/lib/lean/ScoreProof/$m.olean
  done
  echo "Build completed successfully."
fi
"""

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="the stand-in for lake is a shell script"
)


@pytest.fixture
def project(root, tmp_path):
    """A copy of the Lake project with Mathlib's compiled files already there."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("lakefile.lean", "lean-toolchain", "lake-manifest.json"):
        shutil.copy(root / name, folder / name)
    shutil.copytree(root / "lean", folder / "lean")
    compiled(folder / ".lake" / "packages")
    return folder


@pytest.fixture
def lean(project, tmp_path, monkeypatch, capsys):
    """Run ``scoreproof lean`` with a ``lake`` of the given script (None: no lake); returns status
    and lines, and checks the end.
    """
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("ELAN_HOME", raising=False)
    monkeypatch.delenv("SCOREPROOF_LAKE_PACKAGES", raising=False)

    def run(*arguments, lake=None, where="bin"):
        folder = tmp_path / where
        if lake is not None:
            script(folder / "lake", lake)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
        code = main([*arguments, "--root", str(project)])
        lines = capsys.readouterr().out.splitlines()
        assert code == ENDS[lines[-1]]
        assert sum(line in ENDS for line in lines) == 1, "exactly one verdict"
        return code, lines

    return run


def compiled(packages):
    """What Mathlib's cache leaves behind of the modules that are imported."""
    for module in ("Algebra/BigOperators/Group/List/Basic", "Data/Matrix/Mul"):
        path = (
            packages
            / "mathlib"
            / ".lake"
            / "build"
            / "lib"
            / "lean"
            / "Mathlib"
            / f"{module}.olean"
        )
        path.parent.mkdir(parents=True)
        path.touch()


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text, "utf-8")
    path.chmod(0o755)


def said(lines, what):
    return any(what in line for line in lines)


# --- without lake
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [(), ("--audit",), ("--receipt",)])
def test_as_it_is_the_receipt_matches(lean, option):
    code, lines = lean(*option)
    assert (code, lines[-1]) == (0, ELSEWHERE)
    assert said(lines, "not checked: lake itself") is (option == ("--receipt",))


def test_no_lake(lean):
    code, lines = lean("--build")
    assert (code, lines[-1]) == (3, NOT)
    assert said(lines, "no lake on PATH, in ELAN_HOME or in ~/.elan/bin; install elan")
    assert said(lines, "without it, the files are: verified elsewhere")


def test_an_edited_file_is_4_whatever_is_asked(lean, project):
    path = project / "lean" / "ScoreProof" / "Backprop.lean"
    path.write_text(
        path.read_text("utf-8").replace("theorem homework", "theorem homeworc"), "utf-8"
    )
    for arguments, lake in (
        (("--audit",), None),
        ((), None),
        (("--receipt",), None),
        (("--build",), None),
        (("--build",), VERSION + COMPILE),
    ):
        code, lines = lean(*arguments, lake=lake)
        assert (code, lines[-1]) == (4, CHANGED)
        assert said(lines, "lean/ScoreProof/Backprop.lean")
    assert said(lines, "it compiles, but it is not the text of the receipt")
    assert exit_status(status(project)) == 4


def test_another_revision_is_3_even_when_it_compiles(lean, project):
    path = project / "lean" / "receipt.json"
    path.write_text(path.read_text("utf-8").replace(REVISION, "b" * 40), "utf-8")
    for arguments in (("--audit",), ("--build",)):
        code, lines = lean(*arguments, lake=VERSION + COMPILE)
        assert (code, lines[-1]) == (3, NOT)
        assert said(lines, "the receipt is for another revision")
    assert said(lines, "it compiles, but the receipt is for another revision")
    (project / "lean" / "ScoreProof" / "Audit.lean").write_text("", "utf-8")
    assert lean()[1][-1] == CHANGED, "a changed Lean file weighs more than the revision"


def test_a_renewed_receipt_for_a_cheat_is_not_verified_though_it_compiles(lean, project):
    path, receipt = (
        project / "lean" / "ScoreProof" / "Backprop.lean",
        project / "lean" / "receipt.json",
    )
    old = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(path.read_text("utf-8") + "\ntheorem extra : 1 = 2 := sorry\n", "utf-8")
    receipt.write_text(
        receipt.read_text("utf-8").replace(old, hashlib.sha256(path.read_bytes()).hexdigest()),
        "utf-8",
    )
    for arguments in ((), ("--build",)):
        code, lines = lean(*arguments, lake=VERSION + COMPILE)
        assert (code, lines[-1]) == (3, NOT)
        assert said(lines, "sorry proves without a proof")


def test_a_broken_receipt_and_a_broken_manifest_are_3(lean, project):
    (project / "lake-manifest.json").write_text("{", "utf-8")
    for arguments in ((), ("--build",)):
        code, lines = lean(
            *arguments,
            lake=VERSION
            + 'echo "error: lake-manifest.json: manifest is not valid JSON: offset 1"; exit 1\n',
        )
        assert (code, lines[-1]) == (3, NOT)
        assert said(lines, "lake-manifest.json cannot be read")
    (project / "lean" / "receipt.json").write_text("{", "utf-8")
    for arguments in ((), ("--receipt",), ("--build",)):
        code, lines = lean(*arguments)
        assert (code, lines[-1]) == (3, NOT)
        assert said(lines, "restore it with `git checkout lean/receipt.json`")


def test_usage_is_2(capsys):
    for arguments in (
        ["--build", "--audit"],
        ["--silence", "0"],
        ["--silence", "soon"],
        ["--nothing"],
    ):
        with pytest.raises(SystemExit) as error:
            main(arguments)
        assert error.value.code == 2
    capsys.readouterr()
    assert main(["--root", "/no/such/folder"]) == 3
    assert capsys.readouterr().out.endswith(NOT + "\n")


def test_it_is_a_command_of_scoreproof(scoreproof):
    done = scoreproof("lean", "--audit")
    assert done.returncode == ENDS[done.stdout.splitlines()[-1]] == 0
    assert scoreproof("lean", "--build", "--receipt").returncode == 2
    assert "verified elsewhere (receipt matches)" in scoreproof("lean", "--help").stdout


# --- with a lake that works
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["bin", "home/.elan/bin"])
def test_a_build_that_succeeds_is_verified_here(lean, project, where):
    code, lines = lean("--build", lake=VERSION + COMPILE, where=where)
    assert (code, lines[-1]) == (0, HERE)
    assert said(lines, f"Mathlib v4.27.0 ({REVISION[:12]})")
    assert said(lines, "✔ [1/2] Built ScoreProof.Backprop")
    assert status(project)["status"] == status(project)["claims"]["backprop"]["status"] == HERE
    assert lean()[1][-1] == HERE, "the build is remembered"
    path = project / "lean" / "ScoreProof" / "Audit.lean"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    assert lean()[1][-1] == CHANGED, "for these files only"


def test_elan_home_is_looked_into(lean, tmp_path, monkeypatch):
    monkeypatch.setenv("ELAN_HOME", str(tmp_path / "elan"))
    (tmp_path / "elan" / "toolchains" / "leanprover--lean4---v4.27.0").mkdir(parents=True)
    code, lines = lean("--build", lake=VERSION + COMPILE, where="elan/bin")
    assert code == 0
    assert said(lines, "nothing to fetch")
    assert not said(lines, "cache get")


def test_what_would_be_fetched_is_said_first(lean, project, tmp_path, monkeypatch):
    monkeypatch.setattr(
        command.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, 10**12)
    )
    shutil.rmtree(project / ".lake")
    (tmp_path / "home" / ".elan").mkdir()
    code, lines = lean("--build", lake='echo "ran lake $*"\n' + VERSION + COMPILE)
    assert code == 0
    announced = next(
        i
        for i, line in enumerate(lines)
        if "to fetch: the toolchain and Mathlib" in line and "GB" in line
    )
    ran = [line for line in lines if line.startswith("ran lake")]
    assert announced < lines.index(ran[0])
    assert ran == ["ran lake --version", "ran lake exe cache get", "ran lake build"]


def test_half_a_cache_is_fetched_again(lean, project, monkeypatch):
    monkeypatch.setattr(
        command.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, 10**12)
    )
    next((project / ".lake" / "packages").rglob("Mul.olean")).unlink()
    code, lines = lean("--build", lake=VERSION + COMPILE)
    assert code == 0
    assert said(lines, "lake exe cache get")


def test_a_full_disk_is_seen_before_anything_runs(lean, project, monkeypatch):
    monkeypatch.setattr(
        command.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12, 10**9)
    )
    shutil.rmtree(project / ".lake")
    code, lines = lean("--build", lake='echo "ran lake"\n' + VERSION)
    assert code == 3
    assert said(lines, "the disk has 1.0 GB free and about 7 GB are needed")
    assert not said(lines, "ran lake")


def test_progress_is_streamed(project, tmp_path):
    script(
        tmp_path / "bin" / "lake",
        VERSION + "printf 'first\\r50%%\\r'; while [ ! -e go ]; do sleep 0.05; done\n" + COMPILE,
    )
    process = start(project, tmp_path)
    seen = []
    for line in process.stdout:
        seen.append(line.strip())
        if line.strip() == "50%":
            (
                project / "go"
            ).touch()  # the build waits for this: the line came before the build ended
    assert process.wait(timeout=20) == 0
    assert seen[-1] == HERE
    assert "first" in seen


def start(project, tmp_path):
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path)}
    environment.pop("SCOREPROOF_LAKE_PACKAGES", None)
    command_line = [sys.executable, "-m", "scoreproof", "lean", "--build", "--root", str(project)]
    return subprocess.Popen(
        command_line,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # where the tests run under `nohup … &`, SIGINT is inherited as ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


# --- with a lake that does not
# ----------------------------------------------------------------------------------------------

FAILURES = {
    "fatal: unable to access 'https://github.com/leanprover-community/mathlib4/': "
    "Could not resolve host: github.com": ("the network could not be reached"),
    "curl: (7) Failed to connect to lakecache.blob.core.windows.net port 443": (
        "the network could not be reached"
    ),
    "error: error during download\ninfo: caused by: [6] Could not resolve hostname "
    "(Could not resolve host: github.com)": ("the network could not be reached"),
    "error: no such release: 'v4.27.00'": "the Lean toolchain is not the one",
    "error: toolchain 'leanprover/lean4:v4.27.0' is not installed": (
        "the Lean toolchain is not the one"
    ),
    "uncaught exception: failed to read file 'Init.olean', incompatible header": (
        "the Lean toolchain is not the one"
    ),
    "fatal: write error: No space left on device\n"
    "error: external command 'git' exited with code 128": ("the disk is full"),
    "✖ [504/2162] Building Mathlib.Data.Matrix.Mul\nerror: Lean exited with code 137": (
        "ran out of memory"
    ),
    "terminate called after throwing an instance of 'std::bad_alloc'": "ran out of memory",
    "error: lake-manifest.json: manifest is not valid JSON: offset 17: unexpected input": (
        "lake-manifest.json is broken"
    ),
    "error: dependency 'mathlib' not in manifest; use `lake update mathlib` to add it": (
        "lake-manifest.json is broken"
    ),
    "error: missing manifest; use `lake update` to generate one": "lake-manifest.json is broken",
    "fatal: Needed a single revision\nerror: external command `git` exited with code 128": (
        "delete that folder under .lake/packages"
    ),
    "error: lean/ScoreProof/Audit.lean:50:15: ScoreProof.Backprop.homework depends on "
    "non-standard axioms: [sorryAx]": ("rests on an axiom other than"),
    "error: lean/ScoreProof/Backprop.lean:12:3: unsolved goals": (
        "Lean rejects lean/ScoreProof/Backprop.lean:12:3: unsolved goals"
    ),
    "error: something quite new": "exit status 1: error: something quite new",
}


@pytest.mark.parametrize("printed", FAILURES)
def test_failures_of_lake_are_one_sentence(lean, tmp_path, printed):
    (tmp_path / "printed").write_text(printed + "\n", "utf-8")
    code, lines = lean("--build", lake=VERSION + f"cat {tmp_path / 'printed'} >&2\nexit 1\n")
    assert (code, lines[-1]) == (3, NOT)
    (sentence,) = [line for line in lines if line.startswith("build: lake build failed")]
    assert FAILURES[printed] in sentence
    assert printed.splitlines()[0] in lines, "what Lake said is shown too"


def test_a_killed_lean_and_a_silent_failure():
    assert "killed" in explain_failure("lake build", -9, [])
    assert explain_failure("lake build", 2, []).endswith("exit status 2: it printed nothing")


def test_another_version_of_lean(lean):
    code, lines = lean("--build", lake='echo "Lake version 5.0.0-77cfc4d (Lean version 4.20.0)"\n')
    assert code == 3
    assert said(lines, "runs Lean 4.20.0, and the project pins 4.27.0; use elan's lake")
    assert said(lean("--build", lake="echo hello\n")[1], "runs Lean of an unknown version")


def test_a_sorry_that_lake_only_warns_of(lean):
    warning = "echo \"warning: lean/ScoreProof/Backprop.lean:12:8: declaration uses 'sorry'\"\n"
    code, lines = lean("--build", lake=VERSION + warning + COMPILE)
    assert code == 3
    assert said(lines, "succeeded with a sorry")


def test_a_lake_that_compiles_nothing_verifies_nothing(lean):
    code, lines = lean("--build", lake=VERSION + "exit 0\n")
    assert code == 3
    assert said(lines, "did not compile ScoreProof.Audit")


def test_a_lake_that_cannot_be_run(lean, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "lake").write_bytes(b"\x7fELF not really")
    (tmp_path / "bin" / "lake").chmod(0o755)
    code, lines = lean("--build")
    assert code == 3
    assert said(lines, "cannot be run")


@pytest.mark.parametrize("trap", ["", "trap '' TERM\n"])
@pytest.mark.parametrize("at", ["--version", "build"])
def test_a_lake_that_hangs_is_ended_with_its_children(lean, tmp_path, at, trap):
    pid = tmp_path / "pid"
    hang = (
        f'if [ "$1" = {at} ]; then\n  {trap}  sleep 300 & echo $! > {pid}; wait\n  while true; do'
        " sleep 300; done\nfi\n"
    )
    begun = time.monotonic()
    code, lines = lean(
        "--build",
        "--silence",
        "0.5",
        lake=(hang + VERSION) if at == "--version" else VERSION + hang,
    )
    assert code == 3
    assert time.monotonic() - begun < 20
    assert said(lines, f"lake {at} printed nothing for 0.5 seconds and was ended")
    assert gone(int(pid.read_text()))


def gone(pid):
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            try:
                os.kill(pid, 0)  # no /proc here
            except ProcessLookupError:
                return True
        time.sleep(0.05)
    return False


def test_interrupted_is_130_and_ends_lake(project, tmp_path):
    pid = tmp_path / "pid"
    script(tmp_path / "bin" / "lake", VERSION + f"echo $$ > {pid}; echo started; sleep 300\n")
    process = start(project, tmp_path)
    for line in process.stdout:
        if line.strip() == "started":
            process.send_signal(signal.SIGINT)
            break
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 130, errors
    assert output.splitlines()[-1] == NOT
    assert ELSEWHERE not in output.splitlines() and HERE not in output.splitlines()
    assert gone(int(pid.read_text()))


# --- one Mathlib for several projects
# ---------------------------------------------------------------------------------------


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A packages folder with a Mathlib in it whose git says it is at ``revision``."""
    folder = tmp_path / "shared"
    compiled(folder)

    def at(revision):
        script(tmp_path / "bin" / "git", f"echo {revision}\n")
        monkeypatch.setenv("SCOREPROOF_LAKE_PACKAGES", str(folder))
        return folder

    return at


def test_shared_packages_are_used(lean, project, shared):
    folder = shared(REVISION)
    shutil.rmtree(project / ".lake")
    for _ in range(2):
        code, lines = lean("--build", lake=VERSION + COMPILE)
        assert code == 0
        assert said(lines, f"in {folder}")
        assert said(lines, "nothing to fetch")
        assert (project / ".lake" / "packages").resolve() == folder


def test_shared_packages_at_another_revision_are_left_alone(lean, project, shared):
    shared("c" * 40)
    shutil.rmtree(project / ".lake")
    code, lines = lean("--build", lake='echo "ran lake"\n' + VERSION + COMPILE)
    assert code == 3
    assert said(lines, "holds mathlib at cccccccccccc, and this project needs a3a10db0e9d6")
    assert not said(lines, "ran lake")


def test_shared_packages_beside_packages_of_its_own(lean, shared, monkeypatch):
    shared(REVISION)
    code, lines = lean("--build", lake=VERSION + COMPILE)
    assert code == 3
    assert said(
        lines, "has a .lake/packages of its own; delete it, or unset SCOREPROOF_LAKE_PACKAGES"
    )
    monkeypatch.setenv("SCOREPROOF_LAKE_PACKAGES", "/no/such/folder")
    assert said(
        lean("--build", lake=VERSION)[1], "must be an existing folder (got /no/such/folder)"
    )


def test_a_stamp_for_other_files_is_not_believed(lean, project):
    path = project / STAMP
    path.parent.mkdir(parents=True)
    for text in ("", "{}", "[]", json.dumps({"files": {}})):
        path.write_text(text, "utf-8")
        assert lean()[1][-1] == ELSEWHERE
