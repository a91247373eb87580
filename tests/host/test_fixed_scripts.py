"""A changed script is a changed contract with every host: its hash is pinned on purpose."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.host import scripts

PINNED = {
    "write-bytes": "ecda264325c056a7ddb012d70bef6be6baa50811e1f57f7df664e47439154935",
    "modify-system-settings": "51f357668c633f611d606579fffbc6a2715ad126d5f1b439c4575f140eb43b94",
    "start-backup": "1049da3bed6cf5cbdca6b94232cba6fd5d3824e1c2b20531be04b4f514066933",
    "recover-vm": "a73c29e35c526c65de06d54cec9d4108c427a792d0f264dd8020306891532d32",
    "remove-backups": "63c1e0366fbeaa0c181a18132e23ca38f621af6053b2f24c1771809bca263274",
    "thumbnail-image": "b68b67d522952295fddedb366a470ea301e620fba01724cf4c64149aeffa6ede",
}


def test_each_script_has_the_pinned_hash() -> None:
    found = {name: hashlib.sha256(scripts.text_of(name).encode()) for name in scripts.REASONS}
    assert {name: digest.hexdigest() for name, digest in found.items()} == PINNED


def test_there_is_no_script_beside_the_list() -> None:
    folder = Path(scripts.__file__).parent
    assert {path.stem for path in folder.glob("*.ps1")} == set(scripts.REASONS)
