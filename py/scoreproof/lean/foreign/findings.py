"""One finding of the foreign audit, its kind with how much it weighs, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DOUBTFUL", "KINDS", "NOTE", "SERIOUS", "Finding"]

#: A proof is missing, or proves another statement than a reader takes it for.
SERIOUS = "serious"
#: May be right, and is worth a reader's minute.
DOUBTFUL = "doubtful"
NOTE = "note"

_KERNEL = "a proof that the kernel checks (decide, norm_num, simp)"

#: kind: (its weight, the remedy)
KINDS: dict[str, tuple[str, str]] = {
    "axiom made by code": (
        SERIOUS,
        "leave it out: only `#print axioms` shows it",
    ),
    "axiom": (SERIOUS, "prove it, or make it a hypothesis of the theorems that need it"),
    "sorry": (SERIOUS, "finish the proof"),
    "stop": (SERIOUS, "finish the proof; what follows `stop` is not read"),
    "native": (SERIOUS, f"write {_KERNEL}"),
    "no kernel": (SERIOUS, "leave it out, so that the kernel checks the declaration"),
    "false from an axiom": (SERIOUS, "everything follows from this; remove the axiom"),
    "says nothing": (SERIOUS, "state what is meant to be proved"),
    "repeats a hypothesis": (SERIOUS, "state what is meant to be proved, or drop the hypothesis"),
    "contradiction": (SERIOUS, "the theorem is vacuous; correct what it assumes"),
    "constant": (SERIOUS, "write the condition that the name promises"),
    "shadowed": (SERIOUS, "use a new symbol; a reader takes this one for Lean's own"),
    "assumes everything": (SERIOUS, "whatever assumes it proves nothing; remove it"),
    "exists only": (DOUBTFUL, "say what it satisfies: that there is one says little"),
    "trivial notation": (DOUBTFUL, "write the relation: what is stated by it says nothing"),
    "hypothesis applied": (DOUBTFUL, "fine for an accessor; otherwise it proves nothing new"),
    "restates a hypothesis": (DOUBTFUL, "fine to turn a relation round; proves nothing else"),
    "repeats a variable": (DOUBTFUL, "fine to give a variable's hypothesis a name; proves nothing"),
    "conjunct": (DOUBTFUL, "fine for an accessor; otherwise state what is meant to be proved"),
    "compiled": (
        DOUBTFUL,
        "the project also trusts compiled code: see that both definitions agree",
    ),
    "environment": (DOUBTFUL, "read this code; it can add declarations that nothing has checked"),
    "closes goals": (DOUBTFUL, "read this tactic; it can close a goal without a proof"),
    "hidden": (DOUBTFUL, "leave it out, so that Lean warns of a sorry"),
    "trivial instance": (DOUBTFUL, "write the relation, or say in a comment why it is trivial"),
    "constant value": (DOUBTFUL, "write the formula that the name promises"),
    "shadowed name": (DOUBTFUL, "give it a name of its own"),
    "shadowed operator": (DOUBTFUL, "use a new symbol, or say in a comment which one is meant"),
    "only evaluated": (DOUBTFUL, "an evaluation is no proof: state a theorem"),
    "assumed by a class": (
        DOUBTFUL,
        "it is assumed, as an axiom is: give an instance, or state it as a hypothesis",
    ),
    "an axiom's theorem": (DOUBTFUL, "it holds only if the axiom does: say so where it is stated"),
    "other code": (NOTE, "it concerns compiled code, not proofs, as long as no proof runs code"),
    "unsafe": (NOTE, "no theorem can use it; see that nothing is implemented_by it"),
    "opaque": (NOTE, "no proof can look into it: what is proved holds for any value of its type"),
    "partial": (NOTE, "no proof can look into it; give a termination_by if one should"),
    "autoImplicit": (NOTE, "set it to false: a misspelt name becomes a new variable"),
    "maxHeartbeats 0": (NOTE, "give a number, so that a build ends"),
    "search": (NOTE, "put what it found in its place"),
    "unused hypothesis": (NOTE, "drop it if the theorem holds without, or say what it is for"),
    "name": (NOTE, "rename it, or look whether the statement is the one meant"),
    "not guarded": (NOTE, "put `#print axioms NAME` into a file of the project and read it"),
    "trivial example": (NOTE, "an example that says nothing shows nothing"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: where, of which kind, and what is there."""

    path: str
    line: int
    kind: str
    message: str

    @property
    def weight(self) -> str:
        return KINDS[self.kind][0]

    @property
    def remedy(self) -> str:
        return KINDS[self.kind][1]

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path or "the project"
        return f"{place}: {self.weight}: {self.message}; {self.remedy}"
