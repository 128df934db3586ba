"""The pages of the checks: what a right and a wrong example are told, with the pictures, every
message, and the reference.

What the examples are told is found by running them, once for each state of the package.
"""

from __future__ import annotations

import textwrap
from functools import partial
from typing import Any

from mkdocs.structure.files import File

from pages.docstrings import reference
from pages.kept import kept
from pages.plain import plain
from pages.wrong_examples import MISTAKES, wrong
from scoreproof.check_examples import EXAMPLES

__all__ = ["appendix", "found", "index", "pictures"]

#: Where else the sentences of a check are listed.
ALSO = {"denoiser": ("network", "posterior"), "score": ("posterior",)}


def appendix(name: str) -> str:
    """What follows the hand-written part of a check's page."""
    right = textwrap.dedent(EXAMPLES[name].module).strip("\n")
    before, after = MISTAKES[name]
    parts = [
        "\n\n## Right, and with one mistake\n",
        _told(name, "right", right),
        f"\nThe same with `{after}` where `{before}` is due:\n",
        _told(name, "wrong", None),
        "\n## Every message\n",
        _messages(name),
        "\n## Reference\n",
        reference(_home(name)),
    ]
    return "\n".join(parts)


def index() -> str:
    """A row for each check."""
    rows = "\n".join(
        f"| [`check_{name}`]({name}.md) | {example.judges} |" for name, example in EXAMPLES.items()
    )
    return f"\n\n| check | judges |\n|---|---|\n{rows}\n"


def pictures(config: Any) -> list[File]:
    """The plots of the examples' evidence."""
    return [
        File.generated(
            config, f"checks/pictures/{name}-{which}.svg", content=found(name, which)["picture"]
        )
        for name in EXAMPLES
        for which in ("right", "wrong")
    ]


def _told(name: str, which: str, code: str | None) -> str:
    told = found(name, which)
    parts = [f"```python\n{code}\n```\n"] if code else []
    parts.append(f"> {plain(told['explanation'])}\n")
    parts.append(f"![{name}: {told['verdict']}](pictures/{name}-{which}.svg)\n")
    return "\n".join(parts)


def _home(name: str) -> str:
    """Where the check is defined: the package loads it only when it is asked for."""
    import scoreproof

    return f"{getattr(scoreproof, f'check_{name}').__module__}.check_{name}"


def _messages(name: str) -> str:
    pages = [name, *ALSO.get(name, ())]
    listed = " and ".join(f"[{p}](../sentences/{p}.md)" for p in pages)
    causes = f"[what is said of wrong code](../causes/{name}.md)"
    return f"All sentences, each with an example: {listed}. Their causes by mistake: {causes}.\n"


def found(name: str, which: str) -> dict[str, str]:
    """What the example is told."""
    text = wrong(name) if which == "wrong" else textwrap.dedent(EXAMPLES[name].module).strip("\n")
    return kept(f"{name}-{which}", text, partial(_run, name))


def _run(name: str, text: str) -> dict[str, str]:
    import scoreproof
    from scoreproof.plotting import as_svg, own_style

    namespace: dict[str, Any] = {}
    exec(compile(text, f"{name} example", "exec"), namespace)
    mine, check = namespace["mine"], getattr(scoreproof, f"check_{name}")
    evidence = check(**mine) if isinstance(mine, dict) else check(mine)
    with own_style():
        picture = as_svg(evidence.plot().figure)
    return {
        "verdict": str(evidence.verdict),
        "explanation": evidence.explain(),
        "picture": picture,
    }
