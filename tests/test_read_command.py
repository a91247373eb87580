"""``hvcert read TOPIC FILE`` from the outside: one JSON object, or one sentence and status 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.reading import TOPICS

ROOT = Path(__file__).parent.parent
EVIDENCE = ROOT / "tests" / "recorded" / "evidence"


def read(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "harness.cli", "read", *arguments]
    return subprocess.run(command, capture_output=True, input=given, check=False, cwd=ROOT)


def test_a_file_is_answered_with_one_json_object() -> None:
    done = read("panic", str(EVIDENCE / "panic" / "01.txt"))
    assert done.returncode == 0
    assert json.loads(done.stdout)["reason"] == "sysrq triggered crash"


def test_standard_input_is_read_whatever_its_bytes() -> None:
    done = read("meminfo", "-", given=b"\xff\xfe\x00MemFree\nMemTotal:  1995532 kB\r\n\xc3")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "MemTotal_kib": 1995532,
        "MemFree_kib": None,
        "MemAvailable_kib": None,
    }


@pytest.mark.parametrize("topic", ["interrupts", "meminfo", "df"])
def test_what_cannot_be_the_topic_is_one_sentence_and_status_2(topic: str) -> None:
    done = read(topic, "-", given=b"nothing of the kind\n")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1


def test_every_other_topic_answers_nothing_with_nulls() -> None:
    for topic in set(TOPICS) - {"interrupts", "meminfo", "df"}:
        assert TOPICS[topic]("") == TOPICS[topic]("nothing of the kind\n")
    done = read("vss", "-")
    assert (done.returncode, json.loads(done.stdout)) == (
        0,
        {"active": None, "freeze_failures": []},
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("weather", "-"), b"weather"),
        (("panic", "no-such-file"), b"no-such-file"),
        (("panic", str(ROOT)), b"directory"),
    ],
)
def test_an_unknown_topic_or_file_is_one_sentence_and_status_2(
    arguments: tuple[str, str], named: bytes
) -> None:
    done = read(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert named in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_utf_16_of_a_windows_shell_is_read() -> None:
    text = (EVIDENCE / "fb" / "11.txt").read_text()
    done = read("framebuffer", "-", given=text.encode("utf-16"))
    assert json.loads(done.stdout)["width"] == 1152
