"""Write the pictures of the guides and of the first page into ``docs``, for those who read them
there and for the README: ``python docs/pictures.py``. The build of the site makes its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from pages import sections  # noqa: E402


def main() -> None:
    for path, picture in sections.drawn().items():
        (HERE / path).write_text(picture, "utf-8")


if __name__ == "__main__":
    main()
