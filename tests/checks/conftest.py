"""Recordings in sections, as ``tests/recorded/SOURCES.md`` says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from harness.checks.text import decode
from harness.evidence import Evidence, Measured
from tests.checks.sentences import sentences, write

__all__ = ["sentences"]  # for every test here

T = TypeVar("T")
RECORDED = Path(__file__).parent.parent / "recorded"


@dataclass(frozen=True)
class Recording:
    """``given``: the numbers on top; ``sections``: what was asked → the answer, verbatim."""

    given: dict[str, int]
    sections: dict[str, str]

    def measured(self, name: str, parse: Callable[[str], T]) -> Measured[T]:
        text = self.sections[name]
        return Measured(parse(text), (Evidence(name, text, "guest recorded"),))


def read(path: Path) -> Recording:
    top, *rest = re.split(r"^=== (.*)\n", decode(path.read_bytes()), flags=re.MULTILINE)
    given = {m[1]: int(m[2]) for m in re.finditer(r"^(\w+): (\d+)$", top, re.MULTILINE)}
    return Recording(given, dict(zip(rest[::2], rest[1::2], strict=True)))


@pytest.fixture
def recording(request: pytest.FixtureRequest) -> Recording:
    return read(RECORDED / request.param)


@pytest.fixture
def read_recording() -> Callable[[Path], Recording]:
    return read


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a recording once per file of its module's FOLDER."""
    if "recording" in metafunc.fixturenames:
        folder = metafunc.module.FOLDER
        found = sorted(p.relative_to(RECORDED) for p in (RECORDED / folder).glob("*.txt"))
        ids = [path.stem for path in found]
        metafunc.parametrize(
            ("recording", "outcome"),
            [(path, path.suffixes[-2][1:]) for path in found],
            ids=ids,
            indirect=["recording"],
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep what judges said, where that is asked for."""
    write(session.config)
