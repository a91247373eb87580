"""The tables: runs, their verdicts, and what hosts and guests said of themselves."""

from __future__ import annotations

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of hvcert."""


class RunRow(Base):
    """One run. ``name`` sorts by time; times are ISO 8601 with zone; ``folder``: its results."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    started: Mapped[str] = mapped_column(String(40), index=True)
    commit: Mapped[str] = mapped_column(String(80))
    controller: Mapped[str] = mapped_column(String(255))
    inventory: Mapped[str] = mapped_column(Text)
    inventory_sha256: Mapped[str] = mapped_column(String(64))
    hvcert: Mapped[str] = mapped_column(String(40))
    banner: Mapped[str] = mapped_column(Text)
    folder: Mapped[str] = mapped_column(Text)


class VerdictRow(Base):
    """One verdict of a run; the names are those of ``harness.report.result.CaseResult``.

    ``expected``: it leaves the run green. ``tries``: how often the case was run. ``evidence``: its
    files, relative to the run's folder, one per line.
    """

    __tablename__ = "verdicts"
    __table_args__ = (
        Index("ix_verdicts_key", "case_id", "guest", "place"),
        Index("ix_verdicts_run", "run_id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    case_id: Mapped[str] = mapped_column(String(40))
    parameter: Mapped[str] = mapped_column(String(255))
    guest: Mapped[str] = mapped_column(String(255))
    place: Mapped[str] = mapped_column(String(255))
    host: Mapped[str] = mapped_column(String(255))
    feature: Mapped[str] = mapped_column(String(80))
    outcome: Mapped[str] = mapped_column(String(20))
    because: Mapped[str] = mapped_column(Text)
    expected: Mapped[bool] = mapped_column(Boolean)
    expected_failure: Mapped[str] = mapped_column(Text)
    known: Mapped[str] = mapped_column(Text)
    flaky: Mapped[bool] = mapped_column(Boolean)
    tries: Mapped[int] = mapped_column(Integer)
    started: Mapped[str] = mapped_column(String(40))
    seconds: Mapped[float] = mapped_column(Float)
    evidence: Mapped[str] = mapped_column(Text)


class FactRow(Base):
    """What was measured of a host (``guest`` is "") or of a guest on a host, in one run."""

    __tablename__ = "facts"
    __table_args__ = (Index("ix_facts_run", "run_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    host: Mapped[str] = mapped_column(String(255))
    guest: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(80))
    value: Mapped[str] = mapped_column(Text)
