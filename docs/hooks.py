"""The build of the site: formulas become MathML, and the pages of checks and claims get the parts
that come from the package itself.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "py"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from pages import checks, claims, docstrings, formulas, links, sections, tables  # noqa: E402


def on_files(files: Any, config: Any) -> Any:
    """The pictures of the checks and of the guides, and the font of the formulas."""
    for file in [*checks.pictures(config), *sections.pictures(config), *formulas.assets(config)]:
        if kept := files.get_file_from_path(file.src_uri):
            files.remove(kept)
        files.append(file)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """What a hand-written page leaves to the package, and links out of the site's folder."""
    source = page.file.src_uri
    if source.startswith("checks/") and source != "checks/index.md":
        markdown += checks.appendix(Path(source).stem)
    if source == "checks/index.md":
        markdown += checks.index()
    if source.startswith("theory/") and source != "theory/index.md":
        markdown = claims.statement(Path(source).stem, markdown)
    markdown = links.outward(markdown, source)
    return docstrings.expanded(markdown)


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Formulas, and tables that a keyboard can scroll."""
    return tables.reachable(formulas.with_mathml(html))


#: The theme's search dialogue has no name for those who do not see it.
SEARCH = 'data-md-component="search" role="dialog"'


def on_post_page(output: str, page: Any, config: Any) -> str:
    """The theme's markup, named."""
    return output.replace(SEARCH, f'{SEARCH} aria-label="Search"')


def on_post_template(output: str, template_name: str, config: Any) -> str:
    """The same of pages that have no source, such as that of a missing one."""
    return output.replace(SEARCH, f'{SEARCH} aria-label="Search"')
