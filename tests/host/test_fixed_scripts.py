"""A changed script is a changed contract with every host: its hash is pinned on purpose."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.host import scripts

PINNED = {
    "modify-system-settings": "51f357668c633f611d606579fffbc6a2715ad126d5f1b439c4575f140eb43b94",
}


def test_each_script_has_the_pinned_hash() -> None:
    found = {name: hashlib.sha256(scripts.text_of(name).encode()) for name in scripts.REASONS}
    assert {name: digest.hexdigest() for name, digest in found.items()} == PINNED


def test_there_is_no_script_beside_the_list() -> None:
    folder = Path(scripts.__file__).parent
    assert {path.stem for path in folder.glob("*.ps1")} == set(scripts.REASONS)
