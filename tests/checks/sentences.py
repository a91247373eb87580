"""What judges and parsers say and what guests are asked, word by word, against what is kept.

A verdict is read by people, so a sentence that changed is a change of the product. After one that
is meant: ``HVCERT_SENTENCES=write pytest tests/checks``, and look at the difference.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import EvidenceError
from harness.evidence import Evidence, Probe
from harness.verdict import Verdict

KEPT = Path(__file__).parent / "sentences.json"
WRITES = os.environ.get("HVCERT_SENTENCES") == "write"
SAID = pytest.StashKey[dict[str, list[str]]]()


def known(config: pytest.Config) -> dict[str, list[str]]:
    """Return the sentences of each test, read once."""
    if SAID not in config.stash:
        config.stash[SAID] = {} if WRITES else json.loads(KEPT.read_text())
    return config.stash[SAID]


@pytest.fixture(autouse=True)
def sentences(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Collect what the test makes judges say; fail where it is not what is kept."""
    if _has_random_data(request):
        yield
        return
    said: set[str] = set()
    error, verdict = EvidenceError.__init__, Verdict.__init__

    def failed(self: EvidenceError, probe: str, missing: str, output: str) -> None:
        error(self, probe, missing, output)
        said.add(f"error: {self}")

    def judged(
        self: Verdict, outcome: object, because: str, evidence: tuple[Evidence, ...], *more: object
    ) -> None:
        verdict(self, outcome, because, evidence, *more)  # type: ignore[arg-type]  # as they came
        curves = "".join(
            f" | {c.name} in {c.unit} over {c.over}: {c.points[:3]} of {len(c.points)}"
            for c in self.series
        )
        said.add(f"{getattr(outcome, 'value', outcome)} on {len(evidence)}: {because}{curves}")

    question = Probe.__init__

    def asked(self: Probe[Any], argv: tuple[str, ...], *more: Any, **named: Any) -> None:  # noqa: ANN401  # as they came
        question(self, argv, *more, **named)
        how = [name for name in ("privileged", "fails_ok") if getattr(self, name)]
        by = getattr(self.parse, "__name__", type(self.parse).__name__)
        said.add(" ".join(("asked:", shlex.join(argv), *how, f"({by})")))

    monkeypatch.setattr(Probe, "__init__", asked)
    monkeypatch.setattr(EvidenceError, "__init__", failed)
    monkeypatch.setattr(Verdict, "__init__", judged)
    yield
    monkeypatch.undo()
    where = request.node.nodeid.removeprefix("tests/checks/")
    if WRITES:
        known(request.config)[where] = sorted(said)
    elif said or where in known(request.config):
        assert sorted(said) == known(request.config).get(where)


def _has_random_data(request: pytest.FixtureRequest) -> bool:
    return hasattr(getattr(request.function, "hypothesis", None), "inner_test")


def write(config: pytest.Config) -> None:
    """Keep what was said, where that is asked for."""
    if WRITES:
        found = {where: said for where, said in sorted(known(config).items()) if said}
        KEPT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
