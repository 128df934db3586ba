"""``python -m scoreproof`` is the command line."""

from scoreproof.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
