"""The last growth in a text, by its tools' words and the kernel's."""

from __future__ import annotations

import pytest

from harness.checks.growth import GrowthScan

IS_NOW = "The filesystem on /dev/sda1 is now 300 (4k) blocks long."
IS_NOW_BROKEN = ("The filesystem on /dev/sda1 is now", "300 (4k) blocks long.")
RESIZING = "EXT4-fs (sda1): resizing filesystem from 100 to 300 blocks"
RESIZED = "EXT4-fs (sda1): resized filesystem to 300"
SHORT = "EXT4-fs (sda1): resized filesystem to 200"
SO_FAR = "EXT4-fs (sda1): resized to 200 blocks"
FAILED = "resize2fs: Permission denied to resize filesystem"
BEGUN = "resize2fs 1.46.2 (28-Feb-2021)"
ONLINE = "Filesystem at /dev/sda1 is mounted on /; on-line resizing required"
ONLY_ASKS = "Estimated minimum size of the filesystem: 4711"


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ((RESIZING,), "incomplete"),
        ((RESIZING, RESIZED), "grown"),
        ((RESIZING, SHORT), "incomplete"),
        ((RESIZING, SO_FAR), "incomplete"),
        ((RESIZING, SO_FAR, RESIZED), "grown"),
        ((IS_NOW,), "grown"),
        ((IS_NOW, RESIZING), "incomplete"),
        ((IS_NOW, RESIZING, RESIZED), "grown"),
        ((FAILED,), "failed"),
        ((FAILED, RESIZING, RESIZED), "grown"),
        ((FAILED, RESIZED), "failed"),
        ((RESIZED,), "grown"),
        ((IS_NOW, BEGUN, ONLY_ASKS), "grown"),
        ((IS_NOW, BEGUN, ONLINE, ONLY_ASKS), "grown"),
        ((IS_NOW, SHORT), "incomplete"),
        ((IS_NOW.replace("300", "1,048,576"), RESIZED), "incomplete"),
        (("data blocks changed from 131072 to 262144",), "grown"),
        (("data blocks changed from 131072 to 131072",), None),
        ((IS_NOW, RESIZING, BEGUN, ONLY_ASKS), "incomplete"),
        ((IS_NOW, SHORT, BEGUN, ONLY_ASKS), "incomplete"),
        ((BEGUN, ONLY_ASKS), None),
        ((BEGUN, RESIZED), "grown"),
        ((IS_NOW, FAILED), "failed"),
        (
            ("[  OK  ] Started", "The filesystem on /dev/sda1 is now", "300 (4k) blocks long."),
            "grown",
        ),
    ],
)
def test_the_kernels_word_counts_beside_the_tools(said: tuple[str, ...], result: object) -> None:
    scan = GrowthScan()
    for message in said:
        scan.feed(message)
    assert scan.result == result
