"""Links from the pages to files of the repository, which the site does not have."""

from __future__ import annotations

import posixpath
import re

__all__ = ["outward"]

LINK = re.compile(r"\[([^]]*)\]\((\.\./[^)\s]+)\)")
#: In a checkout the files lie beside the pages; on the site a reader is told the path.
FOLDER = "docs"


def outward(markdown: str, source: str) -> str:
    """Links that leave ``docs/`` become the path in code, which a reader finds in the repository.

    >>> outward("see [the audit](../audits/findings.md#diffusers)", "faq.md")
    'see the audit (`audits/findings.md`)'
    >>> outward("see [the guide](../guides.md)", "checks/kl.md")
    'see [the guide](../guides.md)'
    """

    def told(match: re.Match[str]) -> str:
        place = posixpath.dirname(posixpath.join(FOLDER, source))
        target = posixpath.normpath(posixpath.join(place, match[2].partition("#")[0]))
        if target == FOLDER or target.startswith(FOLDER + "/"):
            return match[0]
        return match[1] if match[1].strip("`") == target else f"{match[1]} (`{target}`)"

    return LINK.sub(told, markdown)
