"""The pytest plugin of scoreproof; imports nothing but pytest until it is used."""

from __future__ import annotations
