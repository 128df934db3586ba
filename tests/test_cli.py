"""The command line as its user sees it: a subprocess, its text and its exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import scoreproof as package
from scoreproof.check_examples import EXAMPLES
from scoreproof.claims import NAMES

GOOD = """
from math import exp, sqrt
import numpy as np

class VP:
    def drift(self, x, t): return -0.5 * x
    def diffusion(self, t): return 1.0
    def marginal(self, x0, t): return x0 * exp(-t / 2), sqrt(1 - exp(-t))

class Doubled(VP):
    def marginal(self, x0, t): return x0 * exp(-t / 2), 1 - exp(-t)   # the variance, not a std

class Raises(VP):
    def drift(self, x, t): raise RuntimeError("no GPU")

good, bad, raises = VP(), Doubled(), Raises()
"""


@pytest.fixture
def user(tmp_path):
    (tmp_path / "mysde.py").write_text(GOOD, "utf-8")
    return tmp_path


def test_verify_is_brief_and_ends_with_its_verdict(scoreproof):
    done = scoreproof("verify", "gaussian_kl", "--profile", "quick", "--workers", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) < 10
    assert max(map(len, lines[:4])) <= 100
    assert lines[0].startswith("claim") and "faults refuted" in lines[0]
    assert lines[2].startswith("gaussian_kl")
    assert "Lean:" in done.stdout
    assert lines[-2].startswith("Lean: not checked here") or "verified here" in lines[-2]
    assert lines[-1] == "The claim holds; 33 of 33 planted faults are refuted."
    assert "\x1b[" not in done.stdout, "no terminal, no control characters"


def test_verbose_has_a_line_a_task_and_all_columns(scoreproof):
    done = scoreproof("verify", "gaussian_kl", "--profile", "quick", "--workers", "1", "--verbose")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("[  1/")
    assert "smallest ε refuted" in done.stdout
    assert "the other bounds are derived from conditioning" in done.stdout


def test_quiet_prints_nothing(scoreproof):
    done = scoreproof("verify", "gaussian_kl", "--profile", "quick", "--workers", "1", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "twedie"),
        ("explain", "nothing"),
        ("check", "nothing", "a:b"),
        ("check", "marginals", "nocolon"),
        ("check", "marginals", "no_such_module:x"),
        ("verify", "--workers", "0"),
        ("verify", "--profile", "slow"),
        ("verify", "--json", "no/such/folder/x.json"),
        ("verify", "--json", "tests"),
        ("verify", "--seed", "-1"),
        ("check", "marginals", "a:b", "--seed", "-1"),
        ("check", "marginals", "a:b", "--seed", "one"),
        ("check", "marginals", "a:b", "--json", "no/such/folder/x.json"),
        ("check", "marginals", "a:b", "--json", "tests"),
        ("check", "marginals", ".a:b"),
        ("check", "marginals", "tests/mysde.py:sde"),
        ("check", "marginals", "os:path..sep"),
        ("check", "marginals", "a:b", "--html", "-"),
        ("check", "marginals", "a:b", "--html", "f", "--json", "./f"),
        ("check", "marginals", "a:b", "--wrap", "--json", "f"),
        ("check", "marginals", "--html", "f"),
        ("check", "marginals", "help", "--seed", "0"),
        ("check", "marginals", "--wrap"),
        ("check", "--json", "f"),
        ("check", "marginals", "a:b", "--html", "x" * 300),
        ("verify", "--html", "-"),
        ("verify", "--html", "f", "--json", "./f"),
        ("verify", "--workers", "two"),
        ("frobnicate",),
        (),
    ],
)
def test_usage_errors_exit_2_in_one_clear_line(in_process, arguments):
    done = in_process(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "must be" in done.stderr or "usage:" in done.stderr


def test_the_process_ends_with_the_status(scoreproof):
    done = scoreproof("verify", "twedie")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "must be" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("marginals", "a:b", "--seed", "one"), "must be a whole number >= 0 (got one)"),
        (("kl", "odd.py:right"), "without .py: odd:right"),
        (("kl", "raising:kl"), "ZeroDivisionError: division by zero, line 3 of raising.py)"),
        (("kl", "lacking:kl"), "No module named 'no_such_package', line 1 of lacking.py"),
        (("marginals", "theirs:SDE"), "`scoreproof check marginals theirs:SDE --wrap` writes one"),
        (("kl", "--html", "f"), "kl module:object must be named with --html"),
    ],
)
def test_a_usage_error_says_what_to_do(in_process, odd, theirs, arguments, said):
    (odd / "raising.py").write_text("import math\n\nkl = 1 / 0\n", "utf-8")
    (odd / "lacking.py").write_text("import no_such_package\n", "utf-8")
    done = in_process("check", *arguments, cwd=odd)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (odd / "f").exists()


def test_check_marginals_of_an_object(scoreproof, in_process, user):
    good = in_process("check", "marginals", "mysde:good", cwd=user)
    assert (good.returncode, good.stdout[:5]) == (0, "Holds"), good.stdout + good.stderr
    bad = scoreproof("check", "marginals", "mysde:bad", cwd=user)
    assert (bad.returncode, bad.stdout[:7]) == (1, "Refuted"), bad.stdout + bad.stderr
    from_class = in_process("check", "marginals", "mysde:VP", cwd=user)
    assert from_class.returncode == 0, from_class.stderr


def test_a_callable_that_raises_is_named(in_process, user):
    done = in_process("check", "marginals", "mysde:raises", cwd=user)
    assert done.returncode == 2
    assert "drift must" in done.stderr
    assert "no GPU" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_explain_says_it_all(in_process, name):
    done = in_process("explain", name)
    assert done.returncode == 0, done.stderr
    for heading in (
        "Holds when",
        "Where a naive check sees nothing",
        "Checks, strongest first",
        "Planted faults",
        "Lean",
    ):
        assert heading in done.stdout


def test_list_names_every_claim(in_process):
    done = in_process("list")
    assert done.returncode == 0
    assert all(f"{name}:" in done.stdout for name in NAMES)


def interruptible():
    """In a child that is to be interrupted: under ``nohup … &`` SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("signals", [1, 2])
def test_interrupt_prints_what_is_done_and_exits_130(root, signals):
    """At once, whatever the workers are at; they end as well, or the pipe would stay open."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scoreproof", "verify", "--verbose", "--workers", "2"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=interruptible,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith("[  1/")
    for _ in range(signals):
        time.sleep(0.2)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
    try:
        out, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    # the second one may come as this is printed, or as the interpreter ends: a shell's 130 as well
    assert process.returncode in ((130,) if signals == 1 else (130, -signal.SIGINT)), err
    assert signals == 2 or "interrupted, not everything ran" in out
    assert "Traceback" not in err


def test_an_edited_lean_file_fails_the_verification(tmp_path, monkeypatch, capsys):
    import json

    from scoreproof import cli, lean

    monkeypatch.setattr(
        lean,
        "status",
        lambda: {"status": "changed since it was verified", "reason": "a test", "claims": {}},
    )
    file = tmp_path / "out.json"
    assert (
        cli.main(
            [
                "verify",
                "gaussian_kl",
                "--profile",
                "quick",
                "--workers",
                "1",
                "-q",
                "--json",
                str(file),
            ]
        )
        == 4
    )
    assert json.loads(file.read_text("utf-8"))["status"] == 4


def test_check_lists_what_it_judges(in_process):
    done = in_process("check")
    assert done.returncode == 0, done.stderr
    for name, example in EXAMPLES.items():
        assert f"\n  {name}\n      {example.judges}\n" in done.stdout
    assert set(EXAMPLES) == {
        n.removeprefix("check_") for n in package.__all__ if n.startswith("check_")
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_every_check_holds(in_process, name, tmp_path):
    (tmp_path / "example.py").write_text(textwrap.dedent(EXAMPLES[name].module), "utf-8")
    done = in_process("check", name, "example:mine", cwd=tmp_path)
    assert (done.returncode, done.stdout[:5]) == (0, "Holds"), done.stdout + done.stderr


@pytest.mark.parametrize("words", [("marginals",), ("marginals", "help"), ("check_marginals",)])
def test_a_check_without_an_object_prints_what_it_takes(in_process, words):
    done = in_process("check", *words)
    assert done.returncode == 0
    assert "drift" in done.stdout
    assert "Parameters" in done.stdout
    assert "scoreproof check marginals example:mine" in done.stdout


def test_tables_schedulers_and_coefficients_go_in_from_the_shell(in_process, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "class Scheduler:\n"
        "    betas = np.linspace(1e-4, 0.02, 100)\n"
        "    alphas_cumprod = np.cumprod(1 - betas)\n"
        "made = Scheduler()\n"
        "def tables(): return dict(betas=made.betas, alphas_cumprod=made.alphas_cumprod * 1.01)\n"
        "def scalings(sigma):\n"
        "    s = sigma**2 + 0.25\n"
        "    return 0.25 / s, 0.5 * sigma / s**0.5, s**-0.5\n",
        "utf-8",
    )
    for what, target, status in (
        ("schedule", "made", 0),
        ("schedule", "Scheduler", 0),
        ("schedule", "tables", 1),
        ("preconditioning", "scalings", 0),
    ):
        done = in_process("check", what, f"mine:{target}", cwd=tmp_path)
        assert done.returncode == status, done.stdout + done.stderr
    seeded = in_process("check", "schedule", "mine:made", "--seed", "1", cwd=tmp_path)
    assert seeded.returncode == 2
    assert "check_schedule draws nothing" in seeded.stderr


def test_check_writes_a_page(in_process, user):
    page = user / "found.html"
    done = in_process("check", "marginals", "mysde:bad", "--html", str(page), cwd=user)
    assert done.returncode == 1, done.stderr
    text = page.read_text("utf-8")
    assert "Cause: the marginal returns a variance" in text
    assert "<code>scoreproof check marginals mysde:bad</code>" in text
    refused = in_process("check", "marginals", "mysde:bad", "--html", "no/such/x.html", cwd=user)
    assert (refused.returncode, refused.stdout) == (2, "")


THEIRS = """
import numpy as np

class SDE:
    def __init__(self, beta, steps=1000): self.beta = beta
    def f(self, t, x): return -x
    def g(self, t): return np.sqrt(2.0)
    def mean_std(self, x_start, t): return x_start * np.exp(-t), np.sqrt(1 - np.exp(-2 * t))

class ScoreSDE:
    def sde(self, x, t): return -x, np.sqrt(2.0)
    def marginal_prob(self, x, t):
        t = np.asarray(t).reshape(-1, 1)
        return x * np.exp(-t), np.sqrt(1 - np.exp(-2 * t))

class Nothing: pass

def step(x, t, t_next, noise, model): return x
"""


@pytest.fixture
def theirs(tmp_path):
    (tmp_path / "theirs.py").write_text(THEIRS, "utf-8")
    return tmp_path


@pytest.mark.parametrize("target", ["SDE", "ScoreSDE"])
def test_a_wrapper_is_written_that_the_check_takes(in_process, theirs, target):
    done = in_process("check", "marginals", f"theirs:{target}", "--wrap", cwd=theirs)
    assert done.returncode == 0, done.stderr
    text = done.stdout.replace("beta=...", "beta=1.0")
    if target == "SDE":
        assert "o = SDE(beta=...)" in done.stdout
        assert "drift=lambda x, t: o.f(t=t, x=x)," in done.stdout
    (theirs / "wrapped.py").write_text(text, "utf-8")
    judged = in_process("check", "marginals", "wrapped:mine", cwd=theirs)
    assert (judged.returncode, judged.stdout[:5]) == (0, "Holds"), judged.stdout + judged.stderr


ODD_ORDERS = """
import numpy as np

class Odd:
    def __init__(self, *, scale): self.scale = scale
    def drift(self, t, y0): return -y0
    def diffusion(self, time, extra): return 1.0
    @staticmethod
    def marginal_prob(t, x_start): return x_start, t
    def kl_loss(self, logvar, mu): return mu
    def sde(self, t, x): return -x, 1.0
    def forward(self, x, t): return x

class Both:
    def sde(self, t, x): return -x, 1.0
    def marginal_prob(self, x, t): return x, t
"""


@pytest.mark.parametrize("what", EXAMPLES)
@pytest.mark.parametrize("name", ["Odd", "Both"])
def test_every_wrapper_is_a_program_and_guesses_nothing(what, name, monkeypatch):
    from types import ModuleType

    from scoreproof.wrapping import wrapper

    module = ModuleType("odd")
    monkeypatch.setitem(sys.modules, "odd", module)
    exec(ODD_ORDERS, vars(module))
    text = wrapper(what, f"odd:{name}", getattr(module, name))
    compile(text, "wrapped.py", "exec")
    assert f"o = {name}(" in text
    if name == "Odd":
        assert "o = Odd(scale=...)" in text
    if (what, name) == ("marginals", "Odd"):
        assert "drift=lambda x, t: o.drift(t=t, y0=x)," in text
        assert "diffusion=...,  # lambda t: o.diffusion(time=t, extra=?)" in text
        assert "marginal=lambda x0, t: o.marginal_prob(t=t, x_start=x0)," in text
    if (what, name) == ("marginals", "Both"):
        assert "drift=lambda x, t: o.sde(t, x)[0]," in text
        assert "diffusion=lambda t: o.sde(t, np.zeros((1, 2)))[1]," in text
        assert "import numpy as np" in text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("scoreproof ver", {"verify"}),
        ("scoreproof check ma", {"marginals"}),
        ("scoreproof explain g", {"gaussian_kl"}),
    ],
)
def test_a_shell_can_complete(tmp_path, line, words):
    pytest.importorskip("argcomplete", reason="pip install argcomplete")
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "words"),
        "_ARGCOMPLETE_IFS": "\n",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    program = "import sys; from scoreproof.cli import main; sys.argv[0] = 'scoreproof'; main()"
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **asked}, timeout=60)
    found = (tmp_path / "words").read_text("utf-8").split()
    assert {word.strip() for word in found} == words


DDPM = """
import numpy as np

class Diffusion:
    def __init__(self, model):
        self.model, self.betas = model, np.linspace(1e-3, 0.3, 16)
    def p_sample(self, x, t):
        return {"sample": x - 0 * self.model(x, t)}

class Held(Diffusion):
    def __init__(self):
        super().__init__(None)

class Guided:
    betas = np.linspace(1e-3, 0.3, 16)
    def p_sample(self, model, x, t):
        return x - 0 * model(x, t)
"""


@pytest.mark.parametrize("name", ["Diffusion", "Held", "Guided"])
def test_a_class_that_samples_by_itself_is_wrapped_and_judged(name, tmp_path, monkeypatch):
    import numpy as np

    from scoreproof.wrapping import wrapper

    (tmp_path / "ddpm_of_theirs.py").write_text(DDPM, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import ddpm_of_theirs

    text = wrapper("sampler", f"ddpm_of_theirs:{name}", getattr(ddpm_of_theirs, name))
    assert "..." not in text.partition('"""\n\n')[2]
    made: dict = {}
    exec(text, made)
    asked = []
    x = made["mine"]["sampler"](lambda x, t: asked.append(t) or x, np.ones((2, 3)), [2, 1, 0])
    assert asked == [2, 1, 0] and x.shape == (2, 3)
    assert made["mine"]["times"].tolist() == list(range(15, -1, -1))


LOSSES = """
import numpy as np

class Around:
    def __init__(self, model, steps=40):
        self.model, self.betas = model, np.linspace(1e-3, 0.1, steps)
    def __call__(self, x, t, noise):
        bar = np.cumprod(1 - self.betas)[t][:, None]
        return np.mean((self.model(np.sqrt(bar) * x + np.sqrt(1 - bar) * noise, t) - noise) ** 2)

class Method(Around):
    def __init__(self, net):
        Around.__init__(self, net)
        self.betas = self.betas
    __call__ = None
    def p_losses(self, x_start, t, noise):
        return Around.__call__(self, x_start, t, noise)

class Handed:
    def __init__(self):
        self.betas = np.linspace(1e-3, 0.1, 40)
    def training_losses(self, model, x_start, t, noise):
        return Around(model)(x_start, t, noise)
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Around", "    return Around(model=model)(x0, t=t, noise=noise)"),
        ("Method", "    return Method(net=model).p_losses(x0, t=t, noise=noise)"),
        ("Handed", "    return o.training_losses(model, x0, t=t, noise=noise)"),
    ],
)
def test_a_loss_around_a_network_is_wrapped_and_judged(name, line, tmp_path, monkeypatch):
    import scoreproof as sp
    from scoreproof.wrapping import wrapper

    (tmp_path / "losses_of_theirs.py").write_text(LOSSES, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import losses_of_theirs

    text = wrapper("loss", f"losses_of_theirs:{name}", getattr(losses_of_theirs, name))
    assert line in text and "..." not in text.partition('"""\n\n')[2], text
    made: dict = {}
    exec(text, made)
    mine = made["mine"] | {"shape": (3,)}
    evidence = sp.check_loss(mine.pop("loss"), **mine)
    assert evidence.verdict == "holds", evidence.explain()


def test_a_wrapped_loss_leaves_open_what_the_names_do_not_say():
    from types import ModuleType

    from scoreproof.wrapping import wrapper

    module = ModuleType("odd_losses")
    source = "class Odd:\n    def __init__(self, net, size): ...\n"
    exec(source + "    def get_loss(self, x, mask): ...", vars(module))
    text = wrapper("loss", "odd_losses:Odd", module.Odd)
    assert "return Odd(net=model, size=...).get_loss(x0, mask=...)" in text
    assert "process=...,  # its betas" in text


def test_a_module_without_forward_is_told_how_it_goes_in():
    torch = pytest.importorskip("torch")
    import scoreproof as sp
    from scoreproof.errors import ArgumentError

    class Diffusion(torch.nn.Module):
        def p_sample(self, x, t): ...

    with pytest.raises(ArgumentError, match=r"a module without forward.*--wrap` writes that"):
        sp.check_sampler(Diffusion())


def test_a_bare_array_is_told_to_be_named():
    import numpy as np

    import scoreproof as sp
    from scoreproof.errors import ArgumentError

    with pytest.raises(ArgumentError, match=r"a bare ndarray.*mine = dict\(sigmas=…\)"):
        sp.check_schedule(np.linspace(2, 1, 5))


def test_a_wrapper_leaves_open_what_the_names_do_not_say(in_process, theirs):
    done = in_process("check", "fokker_planck", "theirs:Nothing", "--wrap", cwd=theirs)
    assert "drift=...,  # called (x, t); the class has no drift, forward_drift, f" in done.stdout
    (theirs / "wrapped.py").write_text(done.stdout, "utf-8")
    judged = in_process("check", "fokker_planck", "wrapped:mine", cwd=theirs)
    assert judged.returncode == 2
    assert "drift must be" in judged.stderr
    whole = in_process("check", "sampler", "theirs:step", "--wrap", cwd=theirs)
    assert "mine = o  # called with (x, t, t_next, noise, model)" in whole.stdout


def test_a_class_with_marginal_prob_gets_its_adapter(in_process, tmp_path):
    (tmp_path / "theirs.py").write_text(
        "class VESDE:\n    def sde(self, x, t): ...\n    def marginal_prob(self, x, t): ...\n",
        "utf-8",
    )
    done = in_process("check", "marginals", "theirs:VESDE", cwd=tmp_path)
    assert done.returncode == 2
    assert "marginal=o.marginal_prob" in done.stderr


ODD = """
import os, sys
import numpy as np

def right(m0, s0, m1, s1):
    return ((m1 - m0) ** 2 / (2 * s1**2) + (s0**2 / s1**2 - 1) / 2 + np.log(s1 / s0)).sum(axis=1)

def twice(*a): return 2 * right(*a)
def leaves(*a): sys.exit(0)
def leaves_at_once(*a): os._exit(0)
def becomes_another(*a): os.execlp("true", "true")
def crashes(*a): os.abort()
def interrupts(*a): raise KeyboardInterrupt
def factory_that_leaves(): sys.exit(0)
def talks(*a):
    print("hello")
    return right(*a)

def waits(*a):
    import time
    print("waiting", flush=True)
    time.sleep(60)

class Leaves:
    @property
    def drift(self): sys.exit(0)
    diffusion = marginal = None

class LeavesAtOnce(Leaves):
    @property
    def drift(self): os._exit(0)

class NoMatch:
    def __getattr__(self, name): raise SystemExit

leaving, leaving_at_once, no_match = Leaves(), LeavesAtOnce(), NoMatch()
incomplete = dict(drift=lambda x, t: -x)
misspelt = dict(kl=right, from_="pair")
numbered = {1: right, "kl": right}
seeded = dict(kl=right, seed=7)
negative = dict(kl=right, seed=-1)
number = 3
"""


@pytest.fixture
def odd(tmp_path):
    (tmp_path / "odd.py").write_text(ODD, "utf-8")
    (tmp_path / "script.py").write_text("import sys\nkl = max\nsys.exit(0)\n", "utf-8")
    (tmp_path / "abrupt.py").write_text("import os\nkl = max\nos._exit(0)\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("what", "target", "said"),
    [
        ("kl", "odd:leaves_at_once", "it ended the process with exit status 0"),
        ("kl", "odd:becomes_another", "it ended the process with exit status 0"),
        ("kl", "script:kl", "keep a script's own part under"),
        ("kl", "abrupt:kl", "keep a script's own part under"),
        ("marginals", "odd:leaving_at_once", "it ended the process"),
    ],
)
def test_whatever_ends_the_process_exits_2_and_says_so(scoreproof, odd, what, target, said):
    done = scoreproof("check", what, target, cwd=odd)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    assert "must" in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("what", "target", "said"),
    [
        ("kl", "odd:leaves", "SystemExit"),
        ("kl", "script:kl", "keep a script's own part under"),
        ("marginals", "odd:factory_that_leaves", "SystemExit"),
        ("marginals", "odd:leaving", "sys.exit(0)"),
        ("marginals", "odd:no_match", "sys.exit"),
        ("marginals", "odd:incomplete", "a mapping with drift, diffusion, marginal"),
        ("kl", "odd:misspelt", "from_"),
        ("kl", "odd:numbered", "1"),
        ("kl", "odd:negative", "seed must be"),
        ("kl", "odd:number", "must be"),
    ],
)
def test_whatever_hides_the_check_exits_2_and_says_so(in_process, odd, what, target, said):
    """Without a process of its own: where forking is not safe, what can be caught is caught."""
    done = in_process("check", what, target, cwd=odd)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    assert "must" in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_crash_is_4_and_an_interrupt_130(scoreproof, odd):
    crash = scoreproof("check", "kl", "odd:crashes", cwd=odd)
    assert crash.returncode == 4
    assert "tool itself failed: the process was ended by signal 6" in crash.stderr
    interrupted = scoreproof("check", "kl", "odd:interrupts", cwd=odd)
    assert (interrupted.returncode, interrupted.stdout) == (130, "")


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_an_interrupted_check_is_130(odd, send):
    process = subprocess.Popen(
        [sys.executable, "-m", "scoreproof", "check", "kl", "odd:waits"],
        cwd=odd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=interruptible,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    send(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "scoreproof: interrupted\n")


def test_a_seed_of_the_object_or_of_the_command(in_process, odd):
    own = in_process("check", "kl", "odd:seeded", cwd=odd)
    assert own.returncode == 0, own.stderr
    assert in_process("check", "kl", "odd:seeded", "--seed", "3", cwd=odd).returncode == 0
    assert in_process("check", "kl", "odd:seeded", "--seed", "7", cwd=odd).stdout == own.stdout


def test_check_says_what_explain_says_and_writes_it_as_json(in_process, odd):
    import json

    import jsonschema

    from scoreproof.report.document import evidence_schema

    file = odd / "found.json"
    for target, status, verdict in (("talks", 0, "holds"), ("twice", 1, "refuted")):
        done = in_process("check", "kl", f"odd:{target}", "--json", str(file), cwd=odd)
        assert done.returncode == status, done.stderr
        found = json.loads(file.read_text("utf-8"))
        jsonschema.validate(found, evidence_schema())
        assert found["verdict"] == verdict
        assert done.stdout.splitlines()[-1] == found["explanation"]
        if verdict == "holds":
            assert found["resolution"] > 0
            assert found["coverage"]["looked_at"]["laws"] > 200
            assert "would have been seen" in done.stdout
            assert done.stdout.startswith("hello"), "what the object prints is let through"
        else:
            assert found["diagnosis"]["names"] == ["twice_everything"]
    to_stdout = in_process("check", "kl", "odd:twice", "--json", "-", cwd=odd)
    assert json.loads(to_stdout.stdout) == found
    file.unlink()
    assert in_process("check", "kl", "odd:leaves", "--json", str(file), cwd=odd).returncode == 2
    assert not file.exists()


def test_an_interrupt_in_one_process_with_the_caller_is_130(in_process, odd):
    assert in_process("check", "kl", "odd:interrupts", cwd=odd).returncode == 130
