"""Coverage: what was looked at, what forbids a verdict, and how it reads."""

from __future__ import annotations

import pytest

from scoreproof.coverage import NEVER_SMALL, SMALL_PART, Coverage, Omission


def points(count, **more):
    return Omission("points", count, "where p underflows", **more)


def test_what_was_looked_at_is_what_is_left():
    c = Coverage({"points": 64, "times": 32}, (points(3), points(4, wished=True)))
    assert c.looked_at == {"points": 57, "times": 32}
    assert Coverage({"points": 2}, (points(5),)).looked_at == {"points": 0}


@pytest.mark.parametrize(
    ("count", "gap"), [(0, False), (1, False), (5, False), (6, True), (100, True)]
)
def test_a_scattered_part_is_small_up_to_a_twentieth(count, gap):
    assert SMALL_PART == 0.05
    c = Coverage({"points": 100}, (points(count, scattered=True),))
    assert bool(c.gaps) is gap


def test_small_parts_add_up():
    c = Coverage({"points": 100, "draws": 100}, (points(3, scattered=True),) * 2)
    assert len(c.gaps) == 2
    other = Omission("draws", 3, "were not finite", scattered=True)
    assert Coverage({"points": 100, "draws": 100}, (points(3, scattered=True), other)).gaps == ()


def test_what_the_caller_excluded_is_no_gap_and_does_not_make_room():
    wished = points(90, wished=True)
    assert Coverage({"points": 100}, (wished,)).gaps == ()
    c = Coverage({"points": 100}, (wished, points(1, scattered=True)))
    assert [o.count for o in c.gaps] == [1], "one of the ten that are left is a tenth"
    c = Coverage({"points": 100}, (points(80, wished=True), points(1, scattered=True)))
    assert c.gaps == ()


def test_what_is_not_scattered_is_a_gap_however_small():
    assert Coverage({"points": 10**6}, (points(1),)).gaps == (points(1),)


@pytest.mark.parametrize("what", NEVER_SMALL)
def test_some_things_are_never_a_small_part(what):
    assert Coverage({what: 1000}, (Omission(what, 1, "was dropped", scattered=True),)).gaps


def test_a_verdict_about_nothing():
    assert Coverage({"points": 3}).nothing is None
    assert Coverage({"times": 2, "points": 3}, (points(3, wished=True),)).nothing == "points"
    assert Coverage({"points": 1}).nothing is None
    assert Coverage({}).nothing == "places"


def test_an_omission_names_what_was_asked():
    with pytest.raises(
        ValueError, match=r"left_out must name what was asked for \(got \['draws'\]"
    ):
        Coverage({"points": 3}, (Omission("draws", 1, "is missing"),))


def test_it_reads_as_a_sentence():
    c = Coverage({"times": 1}, span="t = 0.5, as asked")
    assert c.describe() == "Looked at 1 time (t = 0.5, as asked); nothing was left out."
    c = Coverage(
        {"times": 32, "points": 64, "class": 1},
        (Omission("times", 2, "where it is singular", "t = 0.9, 1"), points(1, scattered=True)),
    )
    assert c.describe() == (
        "Looked at 30 of 32 times, 63 of 64 points and 1 class; left out: 2 times (t = 0.9, 1), "
        "where it is singular; 1 point, where p underflows."
    )


@pytest.mark.parametrize(
    ("what", "one"),
    [("points", "point"), ("entries", "entry"), ("mass", "mass"), ("noise", "noise")],
)
def test_one_of_many(what, one):
    assert Coverage({what: 1}).describe().startswith(f"Looked at 1 {one};")
    for many in (0, 2):
        assert Coverage({what: many}).describe().startswith(f"Looked at {many} {what};")


def test_json_holds_all_of_it():
    c = Coverage({"points": 4}, (points(1, wished=True, where="x > 1"),), "a clause")
    assert c.to_dict() == {
        "asked": {"points": 4},
        "looked_at": {"points": 3},
        "left_out": [
            {
                "what": "points",
                "count": 1,
                "reason": "where p underflows",
                "where": "x > 1",
                "wished": True,
            }
        ],
        "span": "a clause",
    }


def test_several_looks_as_one_lose_nothing():
    parts = [
        Coverage({"points": 8, "nodes": 3}, (points(2),), "in d = 1"),
        Coverage({"points": 4, "nodes": 3}, (points(1),), "in d = 2"),
    ]
    both = Coverage.together(parts, "in d = 1 and 2", shared=("nodes",))
    assert both.asked == {"points": 12, "nodes": 3}
    assert both.looked_at == {"points": 9, "nodes": 3}
    assert both.span == "in d = 1 and 2"
    assert len(both.gaps) == 2


def test_what_every_look_left_out_of_the_same_counts_once():
    lost = Omission("nodes", 1, "which is not differentiable")
    parts = [Coverage({"points": n, "nodes": 3}, (lost,)) for n in (8, 4)]
    both = Coverage.together(parts, "", shared=("nodes",))
    assert both.looked_at == {"points": 12, "nodes": 2}
    assert both.left_out == (lost,)
    assert Coverage.together([*parts, Coverage({"rows": 5})], "").asked["rows"] == 5


def test_a_stretch_of_times_is_small_by_its_part_of_the_span():
    early = Omission("times", 9, "which float32 cannot resolve", "t < 0.01", part=0.01)
    assert not Coverage({"times": 60}, (early,)).gaps
    wide = Omission("times", 1, "which bfloat16 cannot resolve", "t < 0.2", part=0.2)
    assert Coverage({"times": 60}, (wide,)).gaps == (wide,)
