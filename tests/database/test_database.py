"""Runs in the database: on SQLite, and on a PostgreSQL that the test starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, func, insert, select, text

from harness.database import engine as engines
from harness.database.engine import opened, revisions
from harness.database.importing import import_run
from harness.database.models import Base, FactRow, RunRow, VerdictRow
from harness.database.reading import compare_runs, history
from harness.errors import DatabaseError, ResultsError
from harness.report.result import CaseResult, Try
from harness.report.store import Store
from harness.verdict import Outcome
from tests.database.postgres import cluster

ROW = CaseResult(
    "NMI-01", "NMI", "", "debian-12", "hv-2019", Outcome.PASS, "counted",
    started="2026-11-27T01:00:00+00:00", seconds=60.0,
    facts={"host build": "17763", "kernel": "6.1", "banner": "STAND-IN"},
)  # fmt: skip
LOST = replace(ROW, outcome=Outcome.FAIL, because="lost")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return a database with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'results.sqlite'}"
        return
    fresh: str = request.getfixturevalue("postgres")
    with begun(fresh) as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    yield fresh


@contextmanager
def begun(url: str) -> Iterator[Connection]:
    """Yield a connection in a transaction, with no schema made."""
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def run(tmp_path: Path, name: str, *rows: CaseResult) -> Path:
    """Write the folder of a finished run."""
    store = Store(tmp_path / name)
    started = f"2026-11-{int(name):02d}T01:00:00+00:00"
    store.create({"run": name, "started": started, "inventory": "lab.yaml"}, b"hosts:")
    for row in rows:
        store.append(row)
    store.finish()
    return store.folder


def test_a_run_is_imported_once(url: str, tmp_path: Path) -> None:
    folder = run(tmp_path, "20", ROW, replace(ROW, case="NMI-02"))
    with opened(url) as connection:
        assert import_run(connection, folder) == ("20", True)
    with opened(url) as connection:
        assert import_run(connection, folder) == ("20", False)
        assert connection.scalar(select(func.count()).select_from(VerdictRow)) == 2
        facts = connection.execute(select(FactRow.guest, FactRow.name, FactRow.value))
        assert ("", "host build", "17763") in [tuple(row) for row in facts]
        assert connection.scalar(select(RunRow.banner)) == "STAND-IN"


def test_two_runs_are_compared(url: str, tmp_path: Path) -> None:
    with opened(url) as connection:
        for number in range(10, 16):
            import_run(connection, run(tmp_path, str(number), ROW))
        slow = replace(ROW, seconds=99.0)
        import_run(connection, run(tmp_path, "16", slow))
        import_run(connection, run(tmp_path, "17", LOST))
        (slower,) = compare_runs(connection, "15", "16")
        assert str(slower) == (
            "slower         NMI-01 debian-12@hv-2019: 99.0 s, usually 60.0 s ± 0.0 s (6 runs)"
        )
        (new,) = compare_runs(connection, "15", "17")
        assert str(new) == "new failure    NMI-01 debian-12@hv-2019: pass -> fail: lost"


def test_the_history_of_a_case_is_the_newest_first(url: str, tmp_path: Path) -> None:
    earlier = (Try(Outcome.FAIL, "lost"),)
    with opened(url) as connection:
        import_run(connection, run(tmp_path, "10", LOST))
        import_run(connection, run(tmp_path, "11", replace(ROW, earlier=earlier)))
        import_run(connection, run(tmp_path, "12", ROW))
        found = history(connection, "NMI-01", guest="debian-12", place="hv-2019")
        assert [(once.run, once.word) for once in found] == [
            ("12", "pass"),
            ("11", "flaky"),
            ("10", "fail"),
        ]
        assert len(history(connection, "NMI-01", last=1)) == 1
        assert history(connection, "NMI-01", guest="other") == []


def test_a_run_that_is_not_there_is_named(url: str) -> None:
    with opened(url) as connection, pytest.raises(ResultsError, match="hvcert import results/7"):
        compare_runs(connection, "7", "8")


def test_revisions_and_models_agree(url: str) -> None:
    with opened(url) as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert [change for change in found if change[0] != "modify_default"] == []


def test_an_older_schema_is_brought_up_to_date_with_what_is_in_it(url: str) -> None:
    with begun(url) as connection:
        config = engines._config()  # noqa: SLF001
        config.attributes["connection"] = connection
        command.upgrade(config, revisions()[-1])
        old = {c.name: "x" for c in RunRow.__table__.columns if c.name != "id"}
        connection.execute(insert(RunRow).values(old))
    with opened(url) as connection:
        assert connection.scalar(select(RunRow.name)) == "x"
        there = MigrationContext.configure(connection).get_current_revision()
    assert there == revisions()[0]


def test_a_newer_schema_is_refused(url: str) -> None:
    with opened(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer than this release knows"), opened(url):
        pass


@pytest.mark.parametrize(
    "wrong",
    ["postgresql://lab:secret-word@127.0.0.1:9/hvcert", "nonsense", "sqlite:////no/such/x.sqlite"],
)
def test_a_database_that_is_down_is_one_error_without_its_password(wrong: str) -> None:
    with pytest.raises(DatabaseError) as error, opened(wrong):
        pass
    assert "secret-word" not in str(error.value)
    assert "imported later" in str(error.value)


def test_the_test_database_is_a_real_postgresql(postgres: str) -> None:
    with begun(postgres) as connection:
        assert str(connection.scalar(text("select version()"))).startswith("PostgreSQL")
