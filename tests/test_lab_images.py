from __future__ import annotations

from pathlib import Path

import pytest

from harness.inventory.load import load
from harness.lab import images
from harness.standin.image.mirrors import Mirrors, apt_lines
from harness.standin.image.records import IMAGES

INVENTORIES = Path(__file__).parent.parent / "inventories"


@pytest.mark.parametrize(
    ("inventory", "wanted"),
    [
        ("embedded.yaml", ("debian-12",)),
        ("embedded-2012r2.yaml", ("debian-12",)),
        ("embedded-matrix.yaml", ("debian-11", "debian-12", "debian-13")),
        ("example-lab.yaml", ()),
    ],
)
def test_a_run_builds_the_images_that_its_guests_are_made_from(
    inventory: str, wanted: tuple[str, ...]
) -> None:
    assert images(load(INVENTORIES / inventory)) == wanted
    assert set(wanted) <= set(IMAGES)


def test_a_release_whose_security_archive_is_torn_is_built_from_its_main_archive() -> None:
    mirrors = Mirrors("URI/debian", "URI/debian-security")
    assert apt_lines(IMAGES["debian-11"], mirrors) == ("deb URI/debian bullseye main",)
    assert apt_lines(IMAGES["debian-13"], mirrors) == (
        "deb URI/debian trixie main",
        "deb URI/debian trixie-updates main",
        "deb URI/debian-security trixie-security main",
    )
