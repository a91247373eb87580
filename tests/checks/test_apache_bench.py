"""What ab says is read right, also where the server fell silent, refused or died."""

from __future__ import annotations

import pytest

from harness.checks.apache_bench import Load, parse_load
from harness.errors import EvidenceError
from tests.checks.conftest import RECORDED


def recorded(name: str) -> str:
    return (RECORDED / "web" / f"ab-{name}.txt").read_text()


def test_rate_latency_and_errors_of_a_load_that_went_well() -> None:
    load = parse_load(recorded("fine"))
    assert load == Load(8, 3.0, 2666, 0, {50: 9, 95: 14, 99: 17})
    assert (round(load.rate, 1), load.errors) == (888.7, 0.0)


def test_answers_that_are_none_of_success_are_errors_though_ab_calls_them_complete() -> None:
    load = parse_load(recorded("refused"))
    assert (load.answered, load.failed, load.errors, load.rate) == (73, 73, 1.0, 0.0)


def test_a_request_that_ab_counts_as_wrong_three_times_is_wrong_once() -> None:
    load = parse_load(recorded("died"))
    assert (load.answered, load.errors, load.rate) == (10165, 1.0, 0.0)


def test_a_server_that_falls_silent_ends_the_load_which_is_all_errors() -> None:
    load = parse_load(recorded("silent"))
    silent = "apr_pollset_poll: The timeout specified has expired (70007)"
    assert load == Load(0, 0.0, 10, 0, {}, silent)
    assert parse_load(f"{silent}\n") == Load(0, 0.0, 0, 0, {}, silent)
    assert (load.answered, load.errors, load.rate, dict(load.within)) == (10, 1.0, 0.0, {})


def test_a_server_that_is_not_there_is_all_errors() -> None:
    assert parse_load(recorded("nobody")).gave_up == "apr_socket_recv: Connection refused (111)"
    assert parse_load(recorded("nobody")).errors == 1.0


def test_a_load_that_nobody_answered_in_its_time_is_all_errors() -> None:
    head = recorded("fine").partition("Percentage")[0]
    load = parse_load(head.replace("2666", "0"))
    assert (load.answered, load.errors, dict(load.within)) == (0, 1.0, {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ab: invalid URL\n",
        recorded("fine").partition("Complete requests")[0],
        recorded("fine").partition("Percentage")[0],
    ],
)
def test_anything_else_is_no_load(text: str) -> None:
    with pytest.raises(EvidenceError):
        parse_load(text)


def test_two_answers_have_percentiles() -> None:
    two = recorded("fine").replace("2666", "2")
    assert dict(parse_load(two).within) == {50: 9, 95: 14, 99: 17}
    with pytest.raises(EvidenceError, match="percentiles"):
        parse_load(two.partition("Percentage")[0])
    bare = "".join(f"  {share}% {ms}\n" for share, ms in ((50, 9), (95, 14), (99, 17)))
    assert parse_load(two.partition("Percentage")[0] + bare) == parse_load(two)


def test_one_answer_has_no_percentiles() -> None:
    assert parse_load(recorded("one")) == Load(1, 0.392, 1, 0, {})
