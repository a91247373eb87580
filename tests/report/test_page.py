"""The report is one file that says all, needs nothing else, and is quick to make."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.report.curves import pictures
from harness.report.page import LISTED, TOLD, duration, render_report, short
from harness.report.result import EvidenceFile, Try
from harness.report.step import Spent
from harness.report.store import Store
from harness.series import Series
from harness.verdict import Outcome
from tests.report.rows import FACTS, GRID, PICTURE, RUN, TIMES, VM, curves, many, night, row


class Reader(HTMLParser):
    """Collects what a page refers to, and whether its tags are balanced."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "path"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.references: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "data"):
                self.references.append((tag, value or ""))
            if name == "id":
                self.ids.append(value or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def page() -> str:
    return render_report(RUN, night(), TIMES, {PICTURE: GRID}.get)


def test_the_page_needs_no_other_file_and_no_network() -> None:
    text = page()
    reader = Reader(text)
    assert reader.open == []
    for tag, reference in reader.references:
        assert tag == "a" or reference.startswith("data:"), (tag, reference)
        assert not re.match(r"\w+://|//|/", reference)
    assert "@import" not in text
    assert "url(" not in text


def test_every_link_within_the_page_leads_somewhere() -> None:
    reader = Reader(page())
    assert len(set(reader.ids)) == len(reader.ids)
    inner = {reference[1:] for _, reference in reader.references if reference.startswith("#")}
    assert inner <= set(reader.ids)


def test_a_stand_in_run_says_so_in_title_and_banner() -> None:
    text = page()
    assert re.search(r"<title>STAND-IN – hvcert", text)
    assert "it certifies no distribution on Hyper-V" in text
    real = [row("NMI-01", Outcome.PASS, "held", facts=FACTS | {"banner": ""})]
    text = render_report(RUN, real, {})
    assert "STAND-IN" not in text
    assert "certifies no distribution" not in text


def test_seeded_faults_are_said() -> None:
    broken = FACTS | {"host broken on purpose": "nmi-lost"}
    text = render_report(RUN, [row("NMI-01", Outcome.FAIL, "lost", facts=broken)], {})
    assert "Broken on purpose:</strong> nmi-lost" in text
    assert "Broken on purpose" not in page()


def test_what_a_guest_says_is_text_and_never_markup() -> None:
    assert "<script>," not in page()
    assert "not 5 &lt;script&gt;" in page()


def test_each_verdict_has_its_outcome_reason_preparation_and_evidence() -> None:
    text = page()
    for one in night():
        assert one.title in text
        for piece in one.evidence:
            assert f'href="{piece.path}"' in text
    assert "fail (expected)" in text
    assert "expected to fail: the distribution onlines nothing" in text
    assert "Debian leaves hot-added memory offline" in text
    assert "data:image/png;base64," in text


def test_only_surprises_need_a_look_and_their_story_is_open() -> None:
    text = page()
    look = text[text.index('class="look"') : text.index('id="verdicts"')]
    assert [w for w in ("BAK-04", "KD-01", "NMI-02[Saved]") if w not in look] == []
    assert "DM-01" not in look
    calm = render_report(RUN, [row("NMI-01", Outcome.PASS, "held")], {})
    assert "Everything is as expected" in calm
    assert not re.search(r"<details[^>]* open", calm)


def test_the_announcements_figures_stand_beside_ours() -> None:
    text = page()
    assert "103 transactions/s, 58 ms" in text
    assert "130 transactions/s, 370 ms" in text
    assert "30 to 40 %" not in text
    dense = render_report(RUN, [row("DM-08", Outcome.PASS, "6 guests, not 4")], {})
    assert "30 to 40 %" in dense
    assert "says nothing about Hyper-V" in " ".join(dense.split())


def test_series_of_one_unit_share_a_picture_and_are_told_in_words() -> None:
    memory, rate = pictures(curves())
    assert [c.name for c in memory.curves] == ["assigned by the host", "seen by the guest"]
    assert (memory.unit, rate.over) == ("MiB", "clients")
    assert "static: from 103 to 32 transactions/s, lowest 32, highest 103, 4 samples" in rate.told
    assert len({c.dashes for c in memory.curves}) == 2
    assert pictures((Series("empty", "MiB", ()),)) == ()
    (flat,) = pictures((Series("flat", "MiB", ((0.0, 5.0),)),))
    assert "NaN" not in flat.curves[0].path


def test_a_long_series_is_drawn_with_few_points() -> None:
    (drawn,) = pictures((Series("long", "MiB", tuple((float(n), 1.0) for n in range(90_000))),))
    assert drawn.curves[0].path.count("L") < 600


def test_the_time_of_each_case_is_split() -> None:
    text = page()
    assert "own work" in text.lower()
    assert re.search(r"<strong>0\.7 %</strong> of 31 min 47 s", text)


def test_a_function_that_proves_several_cases_is_told_once_under_all_their_names() -> None:
    both = [row("FB-01", Outcome.PASS, "a"), row("FB-02", Outcome.PASS, "b", recording=FB_01)]
    text = render_report(RUN, both, {})
    assert '<span class="name">FB-01, FB-02</span>' in text
    assert text.count("<details") == 1


FB_01 = "recordings/FB-01-debian-12@hv-2019.jsonl"


def test_durations_and_names_are_short() -> None:
    assert [duration(s) for s in (0.42, 48.2, 725, 7380)] == [
        "0.4 s", "48 s", "12 min 05 s", "2 h 03 min",
    ]  # fmt: skip
    assert short(f"Start-VM -Name '{VM}'") == "Start-VM -Name '⟨nmi-01 #1⟩'"


def test_ten_thousand_verdicts_are_rendered_within_ten_seconds() -> None:
    rows = tuple(many(10_000))
    times = {r.recording: Spent(9.0, 8.0, 0.9) for r in rows}
    before = time.process_time()
    text = render_report(RUN, rows, times)
    assert time.process_time() - before < 10
    assert text.count("<details") <= TOLD + LISTED
    assert "9800 cases went as expected" in text


def test_a_run_writes_its_report_and_it_can_be_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path / RUN["run"])
    store.create(RUN)
    for one in night():
        store.append(one)
    store.time("recordings/NMI-01-debian-12@hv-2019.jsonl", Spent(10.0, 9.0, 0.9))
    store.finish()
    first = (store.folder / "report.html").read_text()
    (store.folder / "report.html").unlink()
    store.write_report(store.verdicts())
    assert (store.folder / "report.html").read_text() == first
    assert "NMI-02[Saved]" in first


@pytest.mark.parametrize("rows", [(), (row("X", Outcome.NOT_RUN, "ended", facts={}, steps=()),)])
def test_an_empty_run_has_a_report_too(rows: tuple[object, ...]) -> None:
    assert "</html>" in render_report({"run": "r"}, rows, {})  # type: ignore[arg-type]


def test_a_flaky_case_needs_a_look_and_shows_each_try_with_its_proof() -> None:
    proof = EvidenceFile("evidence/x/01-y.txt", "cat /proc/interrupts", "guest", "0")
    tried = Try(Outcome.FAIL, "0 NMIs, not 5", (proof,), "recordings/x.try-1.jsonl")
    passed = next(one for one in night() if one.outcome is Outcome.PASS)
    page = render_report(RUN, (replace(passed, earlier=(tried,)),), TIMES, lambda _: None)
    assert "try 1: fail: 0 NMIs, not 5" in page
    assert 'href="evidence/x/01-y.txt"' in page
    assert 'href="recordings/x.try-1.jsonl"' in page
    assert "badge flaky" in page
