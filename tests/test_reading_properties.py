"""What must hold of every reader: no crash, the last boot counts, other lines do no harm."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.checks.text import decode
from harness.errors import EvidenceError
from harness.reading import TOPICS

EVIDENCE = Path(__file__).parent / "recorded" / "evidence"
BOOT = "[    0.000000] Linux version 6.1.0 (a@b) #1 SMP\n[    0.000000] Command line: ro quiet\n"
WHOLE: Mapping[str, str] = {  # a file of whole lines per topic
    "mmio": "mmio/05.txt",
    "balloon": "balloon/01.txt",
    "storage": "storage/29.txt",
    "kdump": "kdump/11.txt",
    "framebuffer": "fb/01.txt",
    "panic": "panic/01.txt",
    "health": "health/16.txt",
    "vss": "vss/07.txt",
    "interrupts": "interrupts/19.txt",
    "meminfo": "balloon/17.txt",
    "df": "storage/26.txt",
}
OTHERS = (
    "[    1.000001] input: AT Translated Set 2 keyboard as /devices/platform/i8042/serio0/input1",
    "[   33.000002] IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready",
    "[   34.000003] systemd[1]: Started Daily apt download activities.",
    "vm1 login: ",
    "[  OK  ] Started Network Service.",
)


def recorded(topic: str) -> str:
    return decode((EVIDENCE / WHOLE[topic]).read_bytes())


def read(topic: str, text: str) -> object:
    found = TOPICS[topic](text)
    if "problems" in found:
        found["problems"] = [p["kind"] for p in found["problems"]]  # type: ignore[attr-defined]  # a list
    return found


@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_lines_of_others_between_change_no_answer(topic: str, data: st.DataObject) -> None:
    lines = recorded(topic).split("\n")
    places = data.draw(st.lists(st.integers(0, len(lines)), max_size=6))
    for place in sorted(places, reverse=True):
        lines.insert(place, data.draw(st.sampled_from(OTHERS)))
    assert read(topic, "\n".join(lines)) == read(topic, recorded(topic))


@pytest.mark.parametrize("topic", TOPICS)
def test_the_same_text_twice_says_the_same(topic: str) -> None:
    if topic in ("health", "storage"):
        pytest.skip("they list every line")
    text = recorded(topic)
    assert read(topic, f"{text}\n{text}") == read(topic, text)


@pytest.mark.parametrize("topic", ["mmio", "balloon", "framebuffer"])
@pytest.mark.parametrize("first", ["mmio/19.txt", "balloon/01.txt", "fb/01.txt", "mmio/12.txt"])
def test_of_two_boots_the_last_counts(topic: str, first: str) -> None:
    before = decode((EVIDENCE / first).read_bytes())
    after = f"{BOOT}{recorded(topic)}"
    assert read(topic, f"{before}\n{after}") == read(topic, after)


@pytest.mark.parametrize("topic", ["mmio", "balloon", "framebuffer", "vss"])
def test_a_boot_that_says_nothing_leaves_nothing(topic: str) -> None:
    assert read(topic, f"{recorded(topic)}\n{BOOT}") == read(topic, BOOT)


@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_mutilation_of_recorded_text_crashes_a_reader(topic: str, data: st.DataObject) -> None:
    raw = (EVIDENCE / WHOLE[topic]).read_bytes()[:4000]
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(len(raw), start + 200)))
        raw = raw[:start] + data.draw(st.binary(max_size=8)) + raw[end:]
    with suppress(EvidenceError):
        assert isinstance(TOPICS[topic](decode(raw)), dict)


CAPTURE = (
    "[    0.000000] Linux version 6.1.0 (a@b) #1 SMP\n"
    "[    0.000000] Command line: elfcorehdr=0x11000000 ro quiet irqpoll nr_cpus=1 reset_devices\n"
)


@pytest.mark.parametrize("topic", ["mmio", "balloon", "framebuffer", "vss", "kdump", "panic"])
def test_the_boot_of_a_capture_kernel_is_none_of_its_own(topic: str) -> None:
    assert read(topic, f"{recorded(topic)}\n{CAPTURE}") == read(topic, recorded(topic))
