"""The WinRM service of one simulated host: shells and the WS-Management verbs on them."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.standin import descriptions
from harness.standin.auth import Accounts, Gate, Refused
from harness.standin.between import Between, Handle, Unavailable
from harness.standin.channel import Taken
from harness.standin.httpd import Request, Response
from harness.standin.psrp_shell import RunspaceShell
from harness.standin.shells import Facts, Host, Shell, new_id, windows_version
from harness.standin.winrs import CommandShell
from harness.standin.wsman import (
    NS,
    SHELL_URI,
    Envelope,
    Fault,
    config_body,
    disconnected,
    identify_body,
    internal,
    invalid,
    no_action,
    no_resource,
    octets,
    over_quota,
    parse,
    render,
    render_fault,
    seconds,
    shell_not_found,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_log = logging.getLogger(__name__)
MAX_SHELLS_PER_USER = 30
_IDLE_TIMEOUT = 7200.0  # seconds
_COMMAND_SHELL = f"{SHELL_URI}/cmd"
_POWERSHELL = "http://schemas.microsoft.com/powershell/"
_ENDPOINTS = ("microsoft.powershell", "microsoft.powershell32", "microsoft.powershell.workflow")
_STATE = f"{SHELL_URI}/CommandState"
_PATHS = ("/wsman", "/wsman/")
_ANONYMOUS_PATH = "/wsman-anon/identify"


class Opened:
    """One shell with what the service knows of its use."""

    def __init__(self, shell: Shell, loop: asyncio.AbstractEventLoop) -> None:
        self.shell, self._loop = shell, loop
        self.connected = True
        self.in_flight = 0
        self.used = loop.time()
        self.timer: asyncio.TimerHandle | None = None

    def idle_left(self) -> float:
        """Return the seconds after which nobody will have used the shell for too long."""
        limit = self.shell.facts.idle_timeout
        return limit if self.in_flight else self.used + limit - self._loop.time()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Count one request."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self.used = self._loop.time()


class Service:
    """What answers the authenticated requests to one host."""

    def __init__(self, host: Host, between: Iterable[Between] = ()) -> None:
        self._host = host
        self._shells: dict[str, Opened] = {}
        self._through: Handle = self._handle
        for wrap in between:
            self._through = wrap(self._through)
        self._verbs: dict[str, Callable[[Envelope, Opened], Awaitable[str]]] = {
            "Command": self._command,
            "Receive": self._receive,
            "Send": self._send,
            "Signal": self._signal,
            "Delete": self._delete,
            "Disconnect": self._disconnect,
            "Reconnect": self._reconnect,
            "Connect": self._connect,
            "Get": self._get,
        }

    async def answer(self, user: str, body: bytes) -> tuple[int, bytes]:
        """Return HTTP status and message for one SOAP message."""
        request: Envelope | None = None
        try:
            if _is_identify(body):
                return 200, self.identify()
            request = parse(body)
            return 200, render(request, await self._through(user, request))
        except Fault as fault:
            answered = fault
        except (ConnectionError, Unavailable):
            raise
        except Exception:  # noqa: BLE001 - outermost seam: a dropped connection would kill the client's session
            _log.exception("a request failed")
            answered = internal("The simulated host failed on its own account; see its log.")
        message_id = request.message_id if request else ""
        return 500, render_fault(answered, message_id, self._host.name)

    def identify(self) -> bytes:
        """Return the answer to Identify, which has no addressing headers."""
        body = identify_body(windows_version(self._host.release))
        envelope = f'<s:Envelope xmlns:s="{NS["s"]}" xmlns:wsmid="{NS["wsmid"]}"><s:Header />'
        return f"{envelope}<s:Body>{body}</s:Body></s:Envelope>".encode()

    def close(self) -> None:
        """Delete every shell."""
        for shell_id in tuple(self._shells):
            self._remove(shell_id)

    async def _handle(self, user: str, request: Envelope) -> str:
        if request.verb == "Create":
            return self._create(user, request)
        if request.verb == "Enumerate":
            return self._enumerate(user, request)
        if request.verb == "Get" and request.resource.startswith(NS["cfg"]):
            return config_body()
        verb = self._verbs.get(request.verb)
        if verb is None:
            raise no_action(request.action)
        opened = self._find(user, request.selectors.get("ShellId", ""))
        with opened.in_use():
            return await verb(request, opened)

    def _find(self, user: str, shell_id: str) -> Opened:
        opened = self._shells.get(shell_id.upper())
        if opened is None or opened.shell.facts.owner != user:
            raise shell_not_found(shell_id)
        return opened

    def _create(self, user: str, request: Envelope) -> str:
        element = request.content("rsp:Shell")
        owned = sum(each.shell.facts.owner == user for each in self._shells.values())
        if owned >= MAX_SHELLS_PER_USER:
            text = f"This user is allowed a maximum number of {MAX_SHELLS_PER_USER} concurrent"
            more = "shells, which has been exceeded. Close existing shells or raise the quota for"
            raise over_quota(2150859173, f"{text} {more} this user.")
        facts = _facts(user, request.resource, element)
        if facts.shell_id.upper() in self._shells:
            raise invalid("The ShellId is in use.")
        shell = self._new_shell(facts, request.options.get("WINRS_CODEPAGE", ""))
        shell.open(element)
        opened = self._shells[facts.shell_id.upper()] = Opened(shell, self._host.loop)
        self._watch(facts.shell_id.upper(), opened)
        return descriptions.created(opened.shell.facts)

    def _new_shell(self, facts: Facts, code_page: str) -> Shell:
        resource = facts.resource.lower()
        if resource == _COMMAND_SHELL:
            return CommandShell(facts, self._host, code_page)
        if resource.removeprefix(_POWERSHELL) in _ENDPOINTS:
            return RunspaceShell(facts, self._host)
        raise no_resource(facts.resource)

    def _watch(self, shell_id: str, opened: Opened) -> None:
        """Remove the shell once nobody used it for its idle timeout."""
        left = opened.idle_left()
        if left <= 0:
            self._remove(shell_id)
        else:
            opened.timer = self._host.loop.call_later(left, self._watch, shell_id, opened)

    def _remove(self, shell_id: str) -> None:
        opened = self._shells.pop(shell_id)
        if opened.timer:
            opened.timer.cancel()
        opened.shell.close()

    async def _command(self, request: Envelope, opened: Opened) -> str:
        _need_connected(opened)
        command_id = opened.shell.command(request)
        return descriptions.started(command_id)

    async def _receive(self, request: Envelope, opened: Opened) -> str:
        _need_connected(opened)
        wanted = request.content("rsp:Receive/rsp:DesiredStream")
        command_id = wanted.get("CommandId")
        channel = opened.shell.channel(command_id)
        return _received(await channel.take(request.room, request.timeout), command_id)

    async def _send(self, request: Envelope, opened: Opened) -> str:
        _need_connected(opened)
        for stream in request.content("rsp:Send").findall("rsp:Stream", NS):
            end = stream.get("End", "").lower() in ("true", "1")
            opened.shell.send(stream.get("CommandId"), octets(stream.text or ""), end=end)
        return "<rsp:SendResponse />"

    async def _signal(self, request: Envelope, opened: Opened) -> str:
        signal = request.content("rsp:Signal")
        code = (signal.findtext("rsp:Code", "", NS) or "").rpartition("/")[2].lower()
        await opened.shell.signal(signal.get("CommandId"), code, request.timeout)
        return "<rsp:SignalResponse />"

    async def _delete(self, request: Envelope, opened: Opened) -> str:  # noqa: ARG002 - one signature for all verbs
        self._remove(opened.shell.facts.shell_id.upper())
        return ""

    async def _disconnect(self, request: Envelope, opened: Opened) -> str:  # noqa: ARG002 - one signature for all verbs
        opened.connected = False
        for command_id in (None, *opened.shell.commands()):
            opened.shell.channel(command_id).abort()
        return "<rsp:DisconnectResponse />"

    async def _reconnect(self, request: Envelope, opened: Opened) -> str:  # noqa: ARG002 - one signature for all verbs
        opened.connected = True
        return "<rsp:ReconnectResponse />"

    async def _connect(self, request: Envelope, opened: Opened) -> str:
        first = opened.shell.connect(request.content("rsp:Connect"))
        opened.connected = True
        return descriptions.connected(base64.b64encode(first).decode())

    async def _get(self, request: Envelope, opened: Opened) -> str:  # noqa: ARG002 - one signature for all verbs
        return descriptions.shell(opened.shell.facts, connected=opened.connected)

    def _enumerate(self, user: str, request: Envelope) -> str:
        if request.resource == SHELL_URI:
            mine = (each for each in self._shells.values() if each.shell.facts.owner == user)
            return descriptions.items(
                [descriptions.shell(each.shell.facts, connected=each.connected) for each in mine]
            )
        if request.resource == f"{SHELL_URI}/Command":
            path = ".//w:Filter/w:SelectorSet/w:Selector"
            shell_id = request.body.findtext(path, "", NS)
            shell = self._find(user, shell_id).shell
            return descriptions.items(
                [descriptions.command(shell.facts.shell_id, each) for each in shell.commands()]
            )
        raise no_resource(request.resource)


class WinRMSession:
    """The requests of one connection: security first, then the service."""

    def __init__(self, service: Service, accounts: Accounts, *, secure: bool) -> None:
        self._service, self._gate = service, Gate(accounts, secure=secure)

    async def answer(self, request: Request) -> Response:
        """Answer one HTTP request."""
        path = request.path.partition("?")[0].lower()
        if path == _ANONYMOUS_PATH and request.method == "POST":
            return Response(200, (_SOAP,), self._service.identify())
        if path not in _PATHS:
            return Response(404)
        if request.method != "POST":
            return Response(405, (("Allow", "POST"),))
        try:
            user, body = self._gate.admit(request)
        except Refused as refused:
            return refused.response
        try:
            return self._gate.answer(*await self._service.answer(user, body))
        except Unavailable:
            return Response(503, close=True)


_SOAP = ("Content-Type", "application/soap+xml;charset=UTF-8")


def _is_identify(body: bytes) -> bool:
    return NS["wsmid"].encode() in body and b"Action" not in body


def _need_connected(opened: Opened) -> None:
    if not opened.connected:
        raise disconnected()


def _facts(user: str, resource: str, element: ET.Element) -> Facts:
    def text(name: str) -> str:
        return element.findtext(f"rsp:{name}", "", NS) or ""

    idle = seconds(text("IdleTimeOut"), _IDLE_TIMEOUT)
    return Facts(
        shell_id=element.get("ShellId") or new_id(),
        resource=resource,
        owner=user,
        name=text("Name"),
        input_streams=text("InputStreams") or "stdin",
        output_streams=text("OutputStreams") or "stdout stderr",
        idle_timeout=idle,
    )


def _received(taken: Taken, command_id: str | None) -> str:
    command = f' CommandId="{descriptions.escape(command_id)}"' if command_id else ""
    streams = "".join(
        f'<rsp:Stream Name="{name}"{command}>{base64.b64encode(data).decode()}</rsp:Stream>'
        for name, data in taken.pieces
    )
    if not command_id:
        state = ""
    elif taken.exit_code is None:
        state = f'<rsp:CommandState{command} State="{_STATE}/Running" />'
    else:
        state = (
            f'<rsp:CommandState{command} State="{_STATE}/Done">'
            f"<rsp:ExitCode>{taken.exit_code}</rsp:ExitCode></rsp:CommandState>"
        )
    return f"<rsp:ReceiveResponse>{streams}{state}</rsp:ReceiveResponse>"
