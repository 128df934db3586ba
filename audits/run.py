"""Run every audit in a virtual environment of its own and write audits/findings.md: ``python
audits/run.py [name …]``.

Only the standard library is needed here. Each audit is ``audits/audit_<name>.py``; what it needs is
pinned in ``audits/requirements/<name>.txt``. An audit that is not named keeps the rows it has in
findings.json.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
NAMES = ("diffusers", "torchdiffeq", "diffrax", "torchsde")
HEAD = """# What scoreproof finds in public code

Written by `make audits` (`python audits/run.py`), each project in a virtual environment of its
own at the version of `audits/requirements/`. Every row comes from the script named above its
table, and says no more than the script measured. **refuted** means: not what the column "checked"
says, by more than the bound: rounding at the precision of the computation, or the solver's own
convergence; for an order of convergence what a measured order may fall short of it, and where a
tolerance was chosen the row names it. It does not always mean a bug: where there is a reading
under which the code is right, the row gives it. Errors are relative unless the row says
otherwise.
"""


def environment(name: str) -> Path:
    """The interpreter of ``.venv-audit-<name>``, made (or made anew) when the pins change."""
    folder, pins = ROOT / f".venv-audit-{name}", HERE / "requirements" / f"{name}.txt"
    python, made = folder / "bin" / "python", folder / ".made"
    if not (made.exists() and made.read_text() == pins.read_text()):
        venv.create(folder, clear=True, symlinks=True, with_pip=True)
        subprocess.run(
            [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-e",
                str(ROOT),
                "-r",
                str(pins),
            ],
            check=True,
        )
        made.write_text(pins.read_text())
    return python


def run(name: str) -> list[dict[str, object]]:
    """The findings of one audit; a script that fails ends the run."""
    single = {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
        "HF_HUB_OFFLINE": "1",
        "JAX_PLATFORMS": "cpu",
    }
    result = subprocess.run(
        [environment(name), HERE / f"audit_{name}.py"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **single},
        check=True,
    )
    return [
        json.loads(line.removeprefix("FINDING "))
        for line in result.stdout.splitlines()
        if line.startswith("FINDING ")
    ]


def number(x: object) -> str:
    return "–" if x is None else f"{x:.2g}"


def table(found: dict[str, list[dict[str, object]]]) -> str:
    """findings.md."""
    parts = [HEAD]
    for name in NAMES:
        rows = found.get(name, [])
        if not rows:
            continue
        counts = {
            v: sum(r["verdict"] == v for r in rows) for v in ("holds", "refuted", "undecided")
        }
        parts.append(
            f"\n## {name} {rows[0]['version']}\n\n`audits/audit_{name}.py`:"
            f" {', '.join(f'{n} {v}' for v, n in counts.items() if n)}.\n"
        )
        parts.append(
            "| project | version | object | checked | verdict | error | bound | what was found |"
            " the reading under which it is right |"
        )
        parts.append("|---|---|---|---|---|---|---|---|---|")
        for r in rows:
            cells = [
                r["project"],
                r["version"],
                f"`{r['object']}`",
                r["checked"],
                f"**{r['verdict']}**" if r["verdict"] != "holds" else "holds",
                number(r["error"]),
                number(r["bound"]),
                r["sentence"],
                r["reading"],
            ]
            parts.append(
                "| "
                + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in cells)
                + " |"
            )
    return "\n".join(parts) + "\n"


def main(names: list[str]) -> int:
    store = HERE / "findings.json"
    found = json.loads(store.read_text()) if store.exists() else {}
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no audit is called {unknown[0]}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in names or NAMES:
        # NaN (nothing was measured) is not JSON
        found[name] = [
            {
                k: None if isinstance(v, float) and not math.isfinite(v) else v
                for k, v in row.items()
            }
            for row in run(name)
        ]
        print(f"{name}: {len(found[name])} findings", flush=True)
        found = {n: found[n] for n in NAMES if n in found}
        store.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        (HERE / "findings.md").write_text(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
