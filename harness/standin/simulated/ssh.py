"""Real SSH for guests that are recordings: one thread for all of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

from harness.errors import LabError
from harness.standin.simulated.tape import Player

T = TypeVar("T")
HOST_KEY, USER_KEY = "ssh_host_ed25519_key", "id_ed25519"
WITHIN = 30.0


def make_keys(folder: Path) -> None:
    """Make the guests' key and the one that logs in, as the images of a lab have them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (HOST_KEY, USER_KEY):
        key = asyncssh.generate_private_key("ssh-ed25519")
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(key.export_private_key())
        key.write_public_key(folder / f"{name}.pub")


class Listeners:
    """The guests' SSH servers; ``scale`` is how much of a recorded second passes."""

    def __init__(self, keys: Path, scale: float) -> None:
        self.keys, self.scale = keys, scale
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open: dict[str, asyncssh.SSHAcceptor] = {}

    def open(self, address: str, player: Player) -> None:
        """Let a guest answer at port 22 of its address; LabError when that is taken."""
        try:
            self._open[address] = self._wait(self._listen(address, player))
        except OSError as taken:
            raise LabError(f"{address} port 22: {taken.strerror}") from taken

    def close(self, address: str) -> None:
        """End a guest's server, and every connection to it."""
        listener = self._open.pop(address, None)
        if listener is not None:
            self._wait(_ended(listener))

    def end(self) -> None:
        """End all of them."""
        for address in tuple(self._open):
            self.close(address)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WITHIN)
        self._loop.close()

    async def _listen(self, address: str, player: Player) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            address,
            22,
            server_host_keys=[str(self.keys / HOST_KEY)],
            authorized_client_keys=str(self.keys / f"{USER_KEY}.pub"),
            process_factory=self._answering(player),
            encoding=None,
            sftp_factory=None,
            allow_scp=False,
            agent_forwarding=False,
        )

    def _answering(
        self, player: Player
    ) -> Callable[[asyncssh.SSHServerProcess[bytes]], Coroutine[Any, Any, None]]:
        async def answer(process: asyncssh.SSHServerProcess[bytes]) -> None:
            reply = player.answer(process.command or "")
            await asyncio.sleep(reply.seconds * self.scale)
            process.stdout.write(reply.stdout.encode("utf-8", "surrogateescape"))
            process.stderr.write(reply.stderr.encode("utf-8", "surrogateescape"))
            process.exit(reply.exit_status)

        return answer

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN)


async def _ended(listener: asyncssh.SSHAcceptor) -> None:
    listener.close()
    await listener.wait_closed()
