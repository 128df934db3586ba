"""Run the audits and write findings.json and findings.md: ``python audits/run.py [name …]``.

Only the standard library is needed here. All audited packages are in one environment,
``.venv-audits``, made from ``audits/requirements.txt``: every package at its version, each
installed without what it asks for, so that nothing brings another torch. An audit that is not named
keeps the rows it has.

PyPI's torch for Linux is the CUDA build: ``TORCH='--index-url https://download.pytorch.org/whl/cpu'``
takes the small one.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import venv
from pathlib import Path

from table import table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LOCK = HERE / "requirements.txt"
STORE = HERE / "findings.json"
#: audit_<name>.py and the package that it is about
PROJECTS = {
    "diffusers": "diffusers",
    "k_diffusion": "k-diffusion",
    "denoising_diffusion_pytorch": "denoising-diffusion-pytorch",
    "sbi": "sbi",
    "deepinv": "deepinv",
    "flow_matching": "flow-matching",
    "torchcfm": "torchcfm",
    "zuko": "zuko",
    "flowjax": "flowjax",
    "torch": "torch",
    "pyro": "pyro-ppl",
    "numpyro": "numpyro",
    "torchdiffeq": "torchdiffeq",
    "diffrax": "diffrax",
    "torchsde": "torchsde",
}
SINGLE = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
    "HF_HUB_OFFLINE": "1",
    "JAX_PLATFORMS": "cpu",
}


def environment() -> Path:
    """The interpreter of ``.venv-audits``, made (or made anew) when the lock changes."""
    folder = ROOT / ".venv-audits"
    python, made = folder / "bin" / "python", folder / ".made"
    if not (made.exists() and made.read_text() == LOCK.read_text()):
        venv.create(folder, clear=True, symlinks=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        torch = next(pin for pin in LOCK.read_text().split() if pin.startswith("torch=="))
        subprocess.run(
            [*pip, "--no-deps", torch, *shlex.split(os.environ.get("TORCH", ""))], check=True
        )
        subprocess.run([*pip, "--no-deps", "-r", str(LOCK)], check=True)
        subprocess.run([*pip, "--no-deps", "-e", str(ROOT)], check=True)
        made.write_text(LOCK.read_text())
    return python


def rows_of(name: str, python: Path) -> list[dict[str, object]]:
    """The rows of one audit; a script that fails ends the run."""
    result = subprocess.run(
        [python, HERE / f"audit_{name}.py"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **SINGLE},
        check=True,
    )
    lines = (line for line in result.stdout.splitlines() if line.startswith("ROW "))
    return [json.loads(line.removeprefix("ROW ")) for line in lines]


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PROJECTS]
    if unknown:
        print(f"no audit is called {unknown[0]}; there are {', '.join(PROJECTS)}", file=sys.stderr)
        return 2
    found = json.loads(STORE.read_text()) if STORE.exists() else {}
    python = environment()
    for name in names or PROJECTS:
        found[name] = rows_of(name, python)
        print(f"{name}: {len(found[name])} rows", flush=True)
        found = {n: found[n] for n in PROJECTS if n in found}
        STORE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        (HERE / "findings.md").write_text(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
