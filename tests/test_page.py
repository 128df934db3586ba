"""The HTML page of a run: complete, self-contained, its figures those of the JSON, its formulas
those of the statements. A browser looks at it as at the site's pages.
"""

from __future__ import annotations

import json
import re
import sys
from html import unescape
from html.parser import HTMLParser

import pytest

from scoreproof.claims import NAMES, load
from scoreproof.evidence import strength
from scoreproof.lean.receipt import CITED, COVERED

for package in ("jinja2", "latex2mathml", "matplotlib"):
    pytest.importorskip(package, reason="pip install '.[report]'")

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def run(scoreproof, root):
    """The page and the document of one run for each state of the package, for all processes."""

    def verified(folder):
        to = ("--html", str(folder / "run.html"), "--json", str(folder / "run.json"))
        done = scoreproof("verify", "--profile", "quick", "-q", *to)
        assert done.returncode == 0, done.stderr

    sys.path.insert(0, str(root / "docs"))
    from pages.kept import built

    folder = built("report", ("py", "lean"), verified)
    page, document = (folder / name for name in ("run.html", "run.json"))
    return page.read_text("utf-8"), json.loads(document.read_text("utf-8"))


def test_it_is_well_formed_and_asks_for_nothing(run):
    text, _ = run
    open_tags = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in {"meta", "link", "br", "img", "input"}:
                open_tags.append(tag)

        def handle_startendtag(self, tag, attrs):
            """Of a drawing or a formula: opened and closed at once."""

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    Balance().feed(text)
    assert open_tags == []
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)|url\((?!data:)|@import|fetch\(""", text)
    assert text.count("<script") == 1
    assert text.count("<math") == len(NAMES)
    for name in NAMES:
        assert f'<section id="{name}">' in text
    assert len(text.encode("utf-8")) < 3 * MEGABYTE


def test_every_link_leads_to_a_place_on_the_page(run):
    text, _ = run
    places = re.findall(r'id="([^"]+)"', text)
    assert len(places) == len(set(places))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(places)


def test_its_figures_are_those_of_the_json(run):
    text, document = run
    for claim in document["claims"]:
        for check in claim["checks"]:
            place = f'id="{claim["name"]}-{check["name"]}"'
            row = text[text.index(place) :].split("</tr>")[0]
            assert f">{check['verdict']}</td>" in row
            if check["kind"] not in ("exact", "statistical"):
                assert f"{check['bound']:.1e}" in row
                assert check["value"] == 0 or f"{check['value']:.1e}" in row
        section = text[text.index(f'<section id="{claim["name"]}"') :].split("</section>")[0]
        matrix = section[section.index('class="matrix"') :].split("</table>")[0]
        assert matrix.count("✓") == sum(len(fault["by"]) for fault in claim["faults"])
        assert matrix.count(">blind<") == len(claim["blind_spots"])
        for check in claim["checks"]:
            for instance in check["instances"]:
                assert instance["sentence"] in unescape(section)


def test_the_index_has_a_cell_for_every_tier(run):
    text, document = run
    table = text[text.index('class="trust"') :].split("</table>")[0]
    for claim in document["claims"]:
        row = table[table.index(f'href="#{claim["name"]}"') :].split("</tr>")[0]
        kinds = {check["kind"] for check in claim["checks"]}
        assert row.count(">·</td>") == 5 - len(kinds)
        assert document["lean"]["claims"][claim["name"]]["status"] in row


def test_a_cell_of_the_index_has_the_worst_of_all_instances(run):
    """The largest radius of an enclosure, the largest error relative to its bound elsewhere."""
    text, document = run
    table = text[text.index('class="trust"') :].split("</table>")[0]
    for claim in document["claims"]:
        row = table[table.index(f'href="#{claim["name"]}"') :].split("</tr>")[0]
        for kind, sign in (("certified", "0 ±"), ("convergent", "≤"), ("float", "≤")):
            instances = [
                instance
                for check in claim["checks"]
                if check["kind"] == kind
                for instance in check["instances"]
            ]
            if not instances:
                continue
            if kind == "certified":
                told = f"{sign} {max(i['bound'] for i in instances):.1e}"
            else:
                most = max(instances, key=lambda i: i["value"] / i["bound"])
                told = f"{most['value']:.1e} {sign} {most['bound']:.1e}"
            assert f">{told}</a>" in row, (claim["name"], kind, told)


def test_checks_stand_from_the_strongest_to_the_weakest(run):
    text, document = run
    for claim in document["claims"]:
        kinds = {check["name"]: check["kind"] for check in claim["checks"]}
        rows = re.findall(rf'<tr id="{claim["name"]}-(\w+)"', text)
        assert sorted(rows) == sorted(kinds)
        ranks = [strength(kinds[row]) for row in rows]
        assert ranks == sorted(ranks, reverse=True), claim["name"]


def test_an_enclosure_of_zero_has_no_dot_and_a_statistical_figure_says_what_it_is(run):
    text, document = run
    for claim in document["claims"]:
        for check in claim["checks"]:
            row = text[text.index(f'<tr id="{claim["name"]}-{check["name"]}"') :].split("</tr>")[0]
            drawn = check["kind"] in ("convergent", "float")
            assert ("<circle" in row) is drawn
            assert ("<svg" in row) is (drawn or check["kind"] == "certified")
    assert text.count("(rate of false alarms over p: ") == sum(
        len(check["instances"])
        for claim in document["claims"]
        for check in claim["checks"]
        if check["kind"] == "statistical"
    )


def test_it_says_how_much_of_a_claim_lean_proves(run):
    text, document = run
    table = text[text.index('class="trust"') :].split("</table>")[0]
    for name, covered in COVERED.items():
        row = table[table.index(f'href="#{name}"') :].split("</tr>")[0]
        assert f"covers {covered}" in row
    assert table.count("covers ") == len(COVERED)
    assert set(COVERED) == set(CITED)


def test_both_passes_end_alike(run):
    text, _ = run
    steps = re.findall(r'aria-label="(the seed|at \w): gradients ([^"]+)"', text)
    assert len(steps) == 10
    assert steps[0] == steps[5] == ("the seed", "a 0, b 0, c 0, d 1")
    assert steps[4] == steps[9] == ("at a", "a 225, b 15, c 25, d 1")


#: What each command of LaTeX in the statements is on paper, in the order in which it is read.
PRINTED = {
    "Sigma": "Σ", "nabla": "∇", "mid": "∣", "mu": "μ", "sigma": "σ", "nu": "ν", "theta": "θ",
    "lambda": "λ", "rho": "ρ", "pi": "π", "partial": "∂", "top": "⊤", "sum": "∑", "prod": "∏",
    "to": "→", "Longrightarrow": "⟹", "Delta": "Δ", "cdot": "⋅", "sim": "∼", "le": "≤", "|": "‖",
    "log": "log", "exp": "exp",
}  # fmt: skip
ACCENTS = {"dot": "˙", "hat": "^", "bar": "¯"}
FORMS = (
    "mathbb", "mathcal", "mathrm", "mathrel", "text", "left", "right", "bigl", "bigr", "Bigl",
    "Bigr", "frac", "tfrac", "sqrt", "quad", "qquad", "begin", "end", ",", ";", "!", " ", "\\",
)  # fmt: skip
DOUBLE = {"𝔼": "E", "𝒩": "N", "ℕ": "N", "‖": "‖", "∥": "‖", "|": "∣", "~": "∼", "−": "-", "·": "⋅"}


def read(latex):
    """The signs that the formula prints, without spaces, accents and layout."""
    latex = re.sub(r"\\(begin|end)\{[a-z*]+\}", "", latex).replace("&", "")
    signs = ""
    for command, letter in re.findall(r"\\([a-zA-Z]+|.)|(.)", latex, re.S):
        if command in PRINTED:
            signs += PRINTED[command]
        elif command:
            assert command in FORMS or command in ACCENTS, command
        elif letter not in "{}^_ \n":
            signs += letter
    return "".join(DOUBLE.get(c, c) for c in signs)


def shown(mathml):
    """The signs that a browser shows."""
    text = unescape(re.sub(r"<[^>]+>", "", mathml))
    letters = "".join(DOUBLE.get(c, c) for c in text if not c.isspace() and ord(c) != 0xA0)
    return re.sub(r"[˙^¯ˉ‾\u0302\u0304\u0307⏞⏟]", "", letters)


@pytest.mark.parametrize("name", NAMES)
def test_the_formula_shows_every_sign_of_the_statement(name):
    from scoreproof.report.formulas import mathml

    latex = load(name).statement.latex
    assert shown(mathml(latex, block=True)) == read(latex)


def test_a_command_that_would_be_shown_as_text_is_refused():
    from scoreproof.report.formulas import mathml

    with pytest.raises(ValueError, match=r"no MathML for \\quada"):
        mathml(r"b = 0,\quada = 1")


@pytest.mark.parametrize("name", NAMES)
def test_the_pictures_of_a_claim_are_drawn(run, name):
    pytest.importorskip("sklearn", reason="pip install '.[data]'")  # one shows its digits
    from scoreproof.report.pictures import PICTURES

    text, _ = run
    section = text[text.index(f'<section id="{name}"') :].split("</section>")[0]
    assert section.count("<figure") == len(PICTURES.get(name, ()))


def test_the_digits_are_shown_where_more_than_one_has_weight():
    """Elsewhere the formula says only that the nearest datum is the nearest."""
    pytest.importorskip("sklearn", reason="pip install '.[data]'")
    from scoreproof.report.pictures import digits

    found = re.search(r"average of all (\d+) digits.*perplexity, (\d+) to (\d+)", digits().said)
    count, low, high = map(int, found.groups())
    assert 2 <= low <= high <= count / 2


def test_a_browser_finds_nothing_wrong(run, look, tmp_path):
    for name in ("light.html", "dark.html"):  # looked at in these schemes, one after the other
        (tmp_path / name).write_text(run[0], "utf-8")
    look(tmp_path, ["light.html", "dark.html"])


def test_the_whole_index_of_trust_is_seen_on_a_desk(run, browser_page):
    tab = browser_page(run[0], viewport={"width": 1440, "height": 900})
    assert (
        tab.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('.wide'))") == 0
    )


def test_the_slider_shows_one_step_by_keyboard_too(run, browser_page):
    tab = browser_page(run[0])
    visible = "[...document.querySelectorAll('.frame')].filter(f => !f.hidden).length"
    assert tab.evaluate(visible) == 2
    tab.focus(".slider input")
    tab.keyboard.press("ArrowLeft")
    assert tab.inner_text("output") == "3 of 4"
    assert tab.evaluate(visible) == 2
    assert tab.is_visible('.frame[data-step="3"]')


def test_without_scripts_and_on_paper_all_steps_are_there(run, browser_page):
    tab = browser_page(run[0], java_script_enabled=False)
    assert tab.locator(".frame:visible").count() == 10
    assert not tab.is_visible(".slider")
    printed = browser_page(run[0])
    printed.emulate_media(media="print")
    assert printed.locator(".frame:visible").count() == 10
    assert not printed.is_visible(".slider")
