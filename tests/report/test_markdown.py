"""The table of a run says what ran, what was seen, and where the time went."""

from __future__ import annotations

from harness.report.markdown import SAID, render_markdown
from harness.report.step import Spent
from harness.verdict import Outcome
from tests.report.test_junit import row

RUN = {"run": "20261126-1", "started": "2026-11-26T10:00:00+00:00", "hvcert": "0", "commit": "abc1"}


def test_every_verdict_has_a_line_and_every_function_its_time() -> None:
    rows = (
        row(Outcome.PASS, recording="a.jsonl"),
        row(Outcome.FAIL, "1 | 2\nNMIs", case="NMI-02", parameter="Off", recording="a.jsonl"),
        row(Outcome.ERROR, "x" * (SAID + 1), case="IC-01", recording="b.jsonl"),
    )
    times = {"a.jsonl": Spent(10, 7, 2), "b.jsonl": Spent(30, 20, 9), "other.jsonl": Spent(9, 9, 0)}
    lines = render_markdown(RUN, rows, times).splitlines()
    assert lines[0] == "# Run 20261126-1"
    assert lines[2].startswith("**STAND-IN**: proves the harness, certifies no distribution")
    assert "3 verdicts: 1 error, 1 fail, 1 pass." in lines
    assert "(commit abc1)." in lines[4]
    assert "- debian-12@hv: kernel 6.1.0, host build 17763, platform stand-in" in lines
    assert "| NMI-02[Off] | debian-12 | fail | 1 \\| 2 NMIs |" in lines
    assert f"| IC-01 | debian-12 | error | {'x' * SAID} … |" in lines
    assert lines[-3:] == [
        "| IC-01 | 30.0 s | 20.0 s | 9.0 s | 1.0 s | 3.3 % |",
        "| NMI-01, NMI-02 | 10.0 s | 7.0 s | 2.0 s | 1.0 s | 10.0 % |",
        "| **all** | 40.0 s | 27.0 s | 11.0 s | 2.0 s | 5.0 % |",
    ]


def test_a_run_on_a_real_host_has_no_banner() -> None:
    text = render_markdown({"run": "x"}, (row(Outcome.PASS, facts={"kernel": "6"}),), {})
    assert "STAND-IN" not in text
    assert "commit unknown" in text
