"""The snippets for other people's CIs are at least what those can read."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

TEXT = (Path(__file__).parents[2] / "docs" / "ci.md").read_text()


def test_the_yaml_of_the_snippets_is_yaml() -> None:
    snippets = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    read = [yaml.safe_load(snippet) for snippet in snippets]
    assert len(read) == 3
    assert read[1]["jobs"]["certify"]["steps"]
    assert read[2]["certify"]["artifacts"]["reports"]["junit"] == "results/*/junit.xml"


def test_the_known_issue_of_the_document_is_one(tmp_path: Path) -> None:
    from harness.inventory.known import load_known

    (snippet, *_) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "known.yaml").write_text(snippet)
    assert load_known(tmp_path / "known.yaml")[0].case == "NMI-01"
