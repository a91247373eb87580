"""A book of runs: each run once, over commits and selections, of one inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import app
from harness.errors import ResultsError
from harness.tally import tally
from tests.test_repeat import Runs


def made(folder: Path, runs: int, *failing: int, **asked: object) -> list[Path]:
    folder.mkdir()
    once = Runs(folder, *failing, **asked)
    return [once()[1] for _ in range(runs)]


def renamed(folder: Path, name: str) -> Path:
    """Give a run of another folder a name of its own."""
    facts = folder / "run.json"
    facts.write_text(facts.read_text().replace(folder.name, name))
    return folder


def test_runs_of_several_commits_are_counted_each_once(tmp_path: Path) -> None:
    first = made(tmp_path / "a", 2)
    (later,) = made(tmp_path / "b", 1, 1, commit="def5678", inventory="/elsewhere/i.yaml")
    book = tmp_path / "docs.jsonl"
    tally(book, first)
    table = tally(book, [first[0], renamed(later, "run-09")]).read_text()
    assert table == (tmp_path / "docs.md").read_text()
    assert "3 runs, 2026-11-21 to 2026-11-22, of commit abc1234 (2), def5678 (1)." in table
    assert "| NMI-01 | debian-12@hv | 1 fail, 2 pass | 1 | 11 / 11 / 12 |" in table
    assert str(tmp_path) not in book.read_text()
    assert "elsewhere" not in book.read_text()


def test_the_command_says_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = made(tmp_path / "a", 1)
    app(["tally", str(tmp_path / "b.jsonl"), *map(str, runs)], standalone_mode=False)
    assert "1 verdicts, all as expected." in capsys.readouterr().out


@pytest.mark.parametrize("other", [{"select": "NMI"}, {"markers": ""}, {"shard": "1/2"}])
def test_a_run_of_other_cases_counts_for_them(tmp_path: Path, other: dict[str, object]) -> None:
    book = tmp_path / "b.jsonl"
    tally(book, made(tmp_path / "a", 1))
    (run,) = made(tmp_path / "other", 1, **other)
    table = tally(book, [renamed(run, "run-09")]).read_text()
    assert "2 verdicts, all as expected." in table


@pytest.mark.parametrize("other", [{"faults": ["x-y"]}, {"inventory": "/j.yaml"}])
def test_a_run_of_another_inventory_or_with_a_fault_is_refused_and_the_book_stays(
    tmp_path: Path, other: dict[str, object]
) -> None:
    book = tmp_path / "b.jsonl"
    tally(book, made(tmp_path / "a", 1))
    before = book.read_text()
    with pytest.raises(ResultsError, match=r"another inventory or other faults .*b\.jsonl"):
        tally(book, made(tmp_path / "other", 1, **other))
    assert book.read_text() == before


@pytest.mark.parametrize("commit", ["", "abc1234-dirty"])
def test_a_run_of_nobody_knows_what_is_refused(tmp_path: Path, commit: str) -> None:
    with pytest.raises(ResultsError, match="nobody can tell what ran"):
        tally(tmp_path / "b.jsonl", made(tmp_path / "a", 1, commit=commit))


@pytest.mark.parametrize("text", ["no book", "[1]\n", '{"other": 1}\n'])
def test_another_file_is_no_book_and_is_not_overwritten(tmp_path: Path, text: str) -> None:
    book = tmp_path / "b.jsonl"
    book.write_text(text)
    with pytest.raises(ResultsError, match=r"not a book of `hvcert tally`.*name another file"):
        tally(book, made(tmp_path / "a", 1))
    assert book.read_text() == text


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot keep the runs"):
        tally(tmp_path / "none" / "b.jsonl", made(tmp_path / "a", 1))
