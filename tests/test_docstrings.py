"""The reference of the site: a docstring with all that this package's have, as Markdown."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path


@dataclass
class Thing:
    """A thing with ``code``, in two
    lines.

    Attributes
    ----------
    size, weight: two numbers,
        both finite
    parts: what it is made of. colour: how it looks

    Notes
    -----
    - a list
      that goes on
    - and ends

    >>> Thing(1, 2).double()
    2
    """

    size: int
    weight: int = 3
    parts: dict = field(default_factory=dict)
    colour: str = "red"

    @classmethod
    def of(cls, size):
        """One of that size."""

    def double(self, *, times=2):
        """Twice the size.

        Parameters
        ----------
        times: how often
        """

    @cached_property
    def area(self):
        """What it covers."""

    def _hidden(self):
        """Not shown."""

    def silent(self):
        pass


EXPECTED = """\
### `Thing` { #golden.Thing }

```python
Thing(size, weight=3, parts={}, colour='red')
```

A thing with `code`, in two lines.

**Attributes**

- **`size, weight`**: two numbers, both finite
- **`parts`**: what it is made of.
- **`colour`**: how it looks

**Notes**

- a list that goes on
- and ends

```pycon
>>> Thing(1, 2).double()
2
```

```python
Thing.of(size)
```

One of that size.

```python
Thing.double(*, times=2)
```

Twice the size.

**Parameters**

- **`times`**: how often

**`Thing.area`**

What it covers."""


def test_a_class_with_everything(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "docs"))
    from pages.docstrings import expanded, reference

    golden = types.ModuleType("golden")
    golden.Thing = Thing
    monkeypatch.setitem(sys.modules, "golden", golden)
    assert reference("golden.Thing") == EXPECTED
    assert expanded("before\n\n::: golden.Thing\n\nafter") == f"before\n\n{EXPECTED}\n\nafter"
