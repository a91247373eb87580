"""How the frame buffer cases act on one display: offer, draw and look, point and listen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from harness.chance import CHANCE
from harness.checks import bounds, picture, pointer
from harness.checks.framebuffer import (
    CONNECTORS,
    FRAME_BUFFERS,
    FrameBuffer,
    Mode,
    Offer,
    Size,
    judge_mode,
    mode_of,
    synthetic,
    video_option,
)
from harness.checks.kernel_log import KERNEL_LOG
from harness.checks.redraw import parse_boot_buffer, report_redraw
from harness.checks.sysfs import drivers_above
from harness.checks.video_log import parse_video_log
from harness.deadline import wait_for
from harness.errors import DeadlineExceeded, EvidenceError
from harness.evidence import Measured, Probe
from harness.guest import changes, drawing
from harness.guest.listening import Recording, listening
from harness.host import display

if TYPE_CHECKING:
    from harness.bench import Bench, GuestUnderTest
    from harness.distro.family import Change
    from harness.verdict import Verdict

VIDEO_LOG = Probe(KERNEL_LOG.argv, parse_video_log, privileged=True)
BOOT_BUFFER = Probe(KERNEL_LOG.argv, parse_boot_buffer, privileged=True)
Input = tuple[Measured[tuple[pointer.InputDevice, ...]], dict[str, Measured[frozenset[str]]]]
LOOK_EVERY = timedelta(seconds=1)


class Display:
    """The display of a booted guest that was asked to show ``size``.

    ``buffer`` and ``mode`` are those of the synthetic driver, None where it has none.
    """

    def __init__(self, bench: Bench, size: Size) -> None:
        self.bench, self.size = bench, size
        self.offer: Measured[Offer] | None = None
        self.change: Change | None = None
        self.guest = self._boot()
        self.found = self._bound(self.guest)
        self.buffer = synthetic(self.found, self.guest.platform)
        self.mode = self.guest.measure(mode_of(self.buffer)) if self.buffer else None

    def __enter__(self) -> Display:
        """Return it: the guest is booted and shows what it shows."""
        return self

    def __exit__(self, *_: object) -> None:
        """Put the guest's kernel options back where they had to be changed."""
        if self.change is not None:
            self.bench.context += changes.put_back(self.guest.shell, self.change)

    def _boot(self) -> GuestUnderTest:
        """Set the resolution on the host, or, where it cannot, in the guest; boot with it."""
        bench = self.bench
        if display.offers(bench.build):
            self.offer = display.set_single(bench.vm, self.size)
            bench.story.append(f"Set-VMVideo: the one resolution is {self.size}")
            return bench.boot()
        guest = bench.boot()
        buffer = synthetic(self._bound(guest), guest.platform)
        if buffer is None:
            return guest
        option = video_option(buffer, guest.measure(CONNECTORS).value, self.size)
        self.change = bench.family.kernel_option("video", option)
        bench.context += changes.make(guest.shell, self.change)
        bench.story.append(f"kernel option {option}, since this host has no Set-VMVideo")
        bench.stop()
        return bench.boot()

    def _bound(self, guest: GuestUnderTest) -> Measured[tuple[FrameBuffer, ...]]:
        """Return the frame buffers, once udev, which logins do not wait for, has bound drivers."""

        def ours() -> Measured[tuple[FrameBuffer, ...]] | None:
            found = guest.measure(FRAME_BUFFERS)
            return found if synthetic(found, guest.platform) else None

        found = guest.wait_for("the synthetic driver", ours, bounds.FB_BOUND_WITHIN)
        return found or guest.measure(FRAME_BUFFERS)

    def judge_mode(self) -> Verdict:
        """Judge FB-01; the modes that DRM lists are evidence beside it."""
        self.bench.context += self.guest.measure(CONNECTORS).evidence
        log = self.guest.measure(VIDEO_LOG)
        return judge_mode(self.size, self.offer, self.found, self.guest.platform, self.mode, log)

    def judge_picture(self) -> Verdict:
        """Judge FB-02: draw twice, look twice."""
        return picture.judge_pictures(self._drawn(), self._drawn())

    def _drawn(self) -> picture.Shown:
        buffer, mode = self._drawable()
        nonce = CHANCE.nonce()
        drawing.send(self.guest.shell, picture.frame(nonce, mode.value))
        took = drawing.draw(self.guest.shell, buffer)
        self.bench.story.append(f"drew the grid of nonce {nonce} to /dev/fb{buffer.number}")
        seen = self._look(nonce)
        evidence = took.evidence + seen.evidence
        return picture.Shown(nonce, Measured(seen.value, evidence))

    def _look(self, nonce: str) -> Measured[picture.Thumbnail]:
        """Return the host's picture as soon as it is right, else the last one."""
        last: list[Measured[picture.Thumbnail]] = []

        def right() -> bool | None:
            last[:] = [display.thumbnail(self.bench.vm)]
            return picture.matches(last[0].value, nonce) or None

        try:
            wait_for("the drawing", right, bounds.FB_PICTURE_WITHIN, every=LOOK_EVERY)
        except DeadlineExceeded:
            if not last:
                raise
        return last[0]

    def _drawable(self) -> tuple[FrameBuffer, Measured[Mode]]:
        if self.buffer is None or self.mode is None:
            names = ", ".join(b.name for b in self.found.value) or "none at all"
            raise EvidenceError(
                "/proc/fb", f"frame buffer of the synthetic driver ({names})", names
            )
        return self.buffer, self.mode

    def judge_pointer(self) -> Verdict:
        """Judge FB-03: point from the host, listen to every input device of the guest."""
        guest = self.guest
        devices, drivers = self._input()
        found = pointer.pointers(devices, drivers, guest.platform)
        size = self._drawable()[1].value.size
        name = CHANCE.nonce()
        asked = pointer.points_for(name, size)
        nodes = tuple(d.event for d in devices.value if d.event)
        with listening(guest.shell, name, nodes) as recording:
            if len(found) == 1 and found[0].event:
                self._point(recording, found[0].event, asked, size)
            heard = recording.everything()
        return pointer.judge_pointer(devices, drivers, guest.platform, size, asked, heard)

    def _input(self) -> Input:
        """Return all input devices and the drivers that each hangs on."""
        devices = self.guest.measure(pointer.DEVICES)
        above = {d.sysfs: self.guest.measure(drivers_above(d.sysfs)) for d in devices.value}
        return devices, above

    def _point(
        self, recording: Recording, node: str, asked: tuple[pointer.Place, ...], size: Size
    ) -> None:
        """Point at one place after the other, each when the one before was heard, or is late."""
        for x, y in asked:
            self.bench.context.append(display.point(self.bench.vm, x, y))

            def arrived(pixel: pointer.Place = (x, y)) -> bool | None:
                places = pointer.places(recording.heard(node).value)
                return any(pointer.is_at(place, pixel, size) for place in places) or None

            self.guest.wait_for(f"pixel {x}, {y}", arrived, bounds.POINTER_WITHIN)
        self.bench.story.append(f"pointed at {', '.join(map(str, asked))} from the host")

    def report_redraw(self) -> Verdict:
        """Report FB-04 from frames that are sent once and written several times."""
        buffer, mode = self._drawable()
        drawing.send(self.guest.shell, picture.frame("redraw", mode.value))
        taken = tuple(drawing.draw(self.guest.shell, buffer) for _ in range(bounds.REDRAWS))
        drawing.clean(self.guest.shell)
        return report_redraw(buffer, mode, taken, self.guest.measure(BOOT_BUFFER))
