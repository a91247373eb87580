"""What counts as new between two runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.database.comparing import Seen, compare, slower

PASS = Seen(("NMI-01", "", "debian-12", "hv-2019"), "pass", "counted", 60.0)
FAIL = replace(PASS, outcome="fail", because="lost", expected=False)
EXPECTED = replace(FAIL, expected=True)
KNOWN = replace(FAIL, known="bug 7")
ERROR = replace(PASS, outcome="error", because="lost the host", expected=False)
FLAKY = replace(PASS, flaky=True)
SURPRISE = replace(PASS, expected=False)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (PASS, FAIL, "new failure"),
        (ERROR, FAIL, "new failure"),
        (EXPECTED, SURPRISE, "new failure"),
        (FAIL, FAIL, "still failing"),
        (FAIL, PASS, "fixed"),
        (ERROR, PASS, "fixed"),
        (PASS, ERROR, "new error"),
        (FAIL, ERROR, "new error"),
        (PASS, FLAKY, "newly flaky"),
        (FAIL, KNOWN, "fixed"),
    ],
)
def test_a_change_has_one_name(before: Seen, after: Seen, kind: str) -> None:
    assert [difference.kind for difference in compare([before], [after])] == [kind]


@pytest.mark.parametrize(
    ("before", "after"),
    [(PASS, PASS), (EXPECTED, EXPECTED), (PASS, KNOWN), (PASS, EXPECTED), (ERROR, ERROR)],
)
def test_what_is_no_news_is_not_told(before: Seen, after: Seen) -> None:
    assert compare([before], [after]) == []


def test_cases_that_come_and_go_are_told_and_one_that_comes_failing_is_a_new_failure() -> None:
    assert [d.kind for d in compare([PASS], [])] == ["gone"]
    assert [d.kind for d in compare([], [PASS])] == ["appeared"]
    assert [d.kind for d in compare([], [FAIL])] == ["new failure"]


def test_what_needs_a_look_comes_first() -> None:
    other = replace(PASS, key=("AAA-01", "", "debian-12", "hv-2019"))
    found = compare([PASS], [other, FAIL])
    assert [d.kind for d in found] == ["new failure", "appeared"]


TIMES = (58.0, 61.0, 60.0, 59.0, 62.0)


@pytest.mark.parametrize(("seconds", "slow"), [(64.0, 0), (65.0, 1)])
def test_slower_is_more_than_three_standard_deviations_above_the_median(
    seconds: float, slow: int
) -> None:
    """The median is 60 s, the median deviation 1 s: the bound is 64.4 s."""
    now = replace(PASS, seconds=seconds)
    assert len(slower([PASS], [now], {PASS.key: TIMES})) == slow


def test_too_few_earlier_passes_call_nothing_slower() -> None:
    now = replace(PASS, seconds=600.0)
    assert slower([PASS], [now], {PASS.key: TIMES[:4]}) == []
