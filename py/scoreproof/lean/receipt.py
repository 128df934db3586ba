"""The receipt: which Lean files were compiled, at which revision, and whether the files at hand are
still those.

The files are those of the checkout this package runs from; an installed package carries a copy as
package data. The comparison takes milliseconds and runs nothing, so ``scoreproof verify`` makes it
every time.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "CHANGED",
    "CITED",
    "COVERED",
    "ELSEWHERE",
    "HERE",
    "INSTALLED",
    "NO_PROOF",
    "NOT",
    "STAMP",
    "Comparison",
    "Receipt",
    "ReceiptError",
    "compare",
    "project_root",
    "read_receipt",
]

#: The four ends of ``scoreproof lean``.
HERE, ELSEWHERE, CHANGED, NOT = (
    "verified here",
    "verified elsewhere (receipt matches)",
    "changed since it was verified",
    "not verified",
)
NO_PROOF = "no Lean proof yet"

#: The main theorem each claim cites. A claim that is not here has no Lean proof.
CITED = {"backprop": "ScoreProof.Backprop.homework"}
#: What the proof of a claim covers.
COVERED = {"backprop": "the two loops and the chain rule; not the sum over paths"}

#: Written by a build that succeeded; `lake clean` removes it.
STAMP = Path(".lake", "build", "scoreproof-verified.json")
#: Where an installed package carries its copy.
INSTALLED = Path(__file__).resolve().parent / "data"
RECEIPT = Path("lean", "receipt.json")
_HASH_LENGTH = 64


class ReceiptError(Exception):
    """The receipt is missing or cannot be read; the message is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A parsed ``receipt.json``."""

    data: dict[str, Any]

    @property
    def toolchain(self) -> str:
        return str(self.data["toolchain"])

    @property
    def mathlib(self) -> str:
        return str(self.data["mathlib"]["rev"])

    @property
    def hashes(self) -> dict[str, str]:
        """Path to SHA-256 of every file, Lake's own included."""
        return {
            entry["path"]: entry["sha256"]
            for entry in [*self.data["files"], *self.data["other_files"]]
        }

    @property
    def claims(self) -> dict[str, dict[str, Any]]:
        """The entry of each claim that has a file."""
        return {entry["claim"]: entry for entry in self.data["files"]}

    @property
    def mathlib_imports(self) -> list[str]:
        """The modules of Mathlib that the claims' files import."""
        return sorted(
            {
                m
                for entry in self.data["files"]
                for m in entry.get("imports", ())
                if m.startswith("Mathlib.")
            }
        )

    def declaration(self, name: str) -> dict[str, Any] | None:
        """The recorded declaration called ``name``."""
        for entry in self.data["files"]:
            for found in entry["declarations"]:
                if found["name"] == name:
                    return dict(found)
        return None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the files at hand are worth: one of the four ends, and the sentence that says why."""

    status: str
    reason: str
    changed: tuple[str, ...] = ()


def project_root() -> Path:
    """The Lake project: the checkout, else the copy in the installed package."""
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / RECEIPT).is_file() and (checkout / "py" / "scoreproof").is_dir():
        return checkout
    return INSTALLED


def read_receipt(root: Path) -> Receipt:
    """The receipt of the project at ``root``; raises ``ReceiptError`` if it is missing or
    malformed.
    """
    path = root / RECEIPT
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ReceiptError(
            f"{RECEIPT.as_posix()} is missing; restore it with `git checkout {RECEIPT.as_posix()}`"
        ) from error
    except (ValueError, OSError) as error:
        raise ReceiptError(
            f"{RECEIPT.as_posix()} cannot be read ({error}); restore it with `git checkout"
            f" {RECEIPT.as_posix()}`"
        ) from error
    receipt = Receipt(data)
    try:
        ok = (
            receipt.toolchain
            and receipt.mathlib
            and receipt.claims
            and all(len(h) == _HASH_LENGTH for h in receipt.hashes.values())
        )
        ok = ok and all(
            d["name"] and d["statement_sha256"] for e in data["files"] for d in e["declarations"]
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ReceiptError(
            f"{RECEIPT.as_posix()} lacks {error}; restore it with `git checkout"
            f" {RECEIPT.as_posix()}`"
        ) from error
    if not ok:
        raise ReceiptError(
            f"{RECEIPT.as_posix()} is incomplete; restore it with `git checkout"
            f" {RECEIPT.as_posix()}`"
        )
    return receipt


def sha256(path: Path) -> str | None:
    """Hash of a file's bytes, or None if there is no such file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def lean_files(root: Path) -> list[str]:
    """Every Lean file under ``lean/``, relative to the root, sorted."""
    return sorted(p.relative_to(root).as_posix() for p in (root / "lean").rglob("*.lean"))


def pinned(root: Path) -> tuple[str | None, str | None]:
    """Toolchain and Mathlib revision that the project pins; None where the file does not say."""
    toolchain = mathlib = None
    with suppress(OSError):
        toolchain = (root / "lean-toolchain").read_text("utf-8").strip() or None
    with suppress(OSError, ValueError, KeyError, TypeError):
        packages = json.loads((root / "lake-manifest.json").read_text("utf-8"))["packages"]
        mathlib = next((str(p["rev"]) for p in packages if p["name"] == "mathlib"), None)
    return toolchain, mathlib


def compare(root: Path) -> Comparison:
    """Compare the files with the receipt, and with the stamp of the last build here."""
    if not root.is_dir():
        return Comparison(
            NOT, "this installation has no Lean files; clone the repository to have them"
        )
    try:
        receipt = read_receipt(root)
    except ReceiptError as error:
        return Comparison(NOT, str(error))
    if not lean_files(root):
        return Comparison(
            NOT, "the Lean files are not installed here; clone the repository to have them"
        )
    hashes = receipt.hashes
    changed = tuple(p for p in hashes if sha256(root / p) not in (None, hashes[p]))
    missing = tuple(p for p in hashes if sha256(root / p) is None)
    unknown = tuple(p for p in lean_files(root) if p not in hashes)
    lean = [p for p in (*changed, *missing, *unknown) if p.endswith(".lean")]
    toolchain, mathlib = pinned(root)
    if not lean and (toolchain != receipt.toolchain or mathlib != receipt.mathlib):
        return Comparison(NOT, _revision(receipt, toolchain, mathlib), (*changed, *missing))
    parts = [
        f"{_list(changed)} differ{'s' * (len(changed) == 1)} from the receipt" if changed else ""
    ]
    parts += [f"{_list(missing)} {'is' if len(missing) == 1 else 'are'} missing" if missing else ""]
    parts += [
        (
            f"{_list(unknown)} {'is' if len(unknown) == 1 else 'are'} not in the receipt"
            if unknown
            else ""
        )
    ]
    if any(parts):
        reason = "; ".join(p for p in parts if p)
        return Comparison(
            CHANGED,
            f"{reason}; restore with `git checkout`, or build again and renew the receipt",
            (*changed, *missing, *unknown),
        )
    if _built_here(root, hashes):
        return Comparison(
            HERE,
            f"built on this machine with {receipt.toolchain} and Mathlib {receipt.mathlib[:7]}",
        )
    return Comparison(
        ELSEWHERE,
        f"{len(hashes)} files equal the receipt of {receipt.data.get('date', 'unknown date')}, "
        f"compiled with {receipt.toolchain} against Mathlib {receipt.mathlib[:7]}; not checked"
        " here",
    )


def _revision(receipt: Receipt, toolchain: str | None, mathlib: str | None) -> str:
    broken = [
        name
        for name, value in (("lean-toolchain", toolchain), ("lake-manifest.json", mathlib))
        if value is None
    ]
    if broken:
        return (
            f"{_list(tuple(broken))} cannot be read, so its revision is unknown; restore with `git"
            f" checkout {' '.join(broken)}`"
        )
    return (
        f"the receipt is for another revision ({receipt.toolchain}, Mathlib {receipt.mathlib[:7]}; "
        f"this project pins {toolchain}, Mathlib {str(mathlib)[:7]}); build, then renew the receipt"
    )


def _built_here(root: Path, hashes: dict[str, str]) -> bool:
    try:
        return bool(json.loads((root / STAMP).read_text("utf-8"))["files"] == hashes)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _list(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
