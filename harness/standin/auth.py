"""Who is asking: Basic over TLS, Negotiate/NTLM and CredSSP, per connection and per host.

pyspnego looks NTLM users up in the file that the process-wide NTLM_USER_FILE names, at the moment
of the handshake's last leg. Each host has a file of its own and the variable names it only while
that host's context takes a step (all steps run in one thread), so a password of one host never
opens another. LM_COMPAT_LEVEL 5 goes with it: below 4, pyspnego takes a bare LM response, which
proves no password.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import spnego
import spnego.exceptions
from spnego import ContextProxy, NegotiateOptions

# NT hashes keep passwords (which may hold a colon) out of the file; pyspnego exports no function
from spnego._ntlm_raw.crypto import ntowfv1

from harness.standin.httpd import Request, Response
from harness.standin.seal import SealBroken, is_sealed, seal, unseal

_log = logging.getLogger(__name__)
_PROTOCOLS = {"negotiate": "negotiate", "ntlm": "negotiate", "credssp": "credssp"}


class Refused(Exception):
    """The request is answered with ``response`` before it reaches the service."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(f"HTTP status {response.status}")


class Accounts:
    """The local users of one simulated host, and the file of NT hashes that NTLM reads."""

    def __init__(self, host: str, users: Mapping[str, str], folder: Path) -> None:
        self._host = host.lower()
        self._passwords = {name.lower(): password for name, password in users.items()}
        self._file = folder / f"{host}.ntlm"
        self._file.touch(mode=0o600)
        self._file.write_text(
            "".join(
                f"{domain}{name}:0:{secrets.token_hex(16)}:{ntowfv1(password).hex()}:[U]:LCT-0\n"
                for name, password in users.items()
                for domain in ("", ".\\", f"{host}\\")
            ),
            encoding="utf-8",
        )

    def local_name(self, principal: str) -> str | None:
        r"""Return ``administrator`` for ``Administrator``, ``.\…``, ``HOST\…``; None if unknown."""
        domain, _, user = principal.rpartition("\\")
        known = domain.lower() in ("", ".", self._host) and user.lower() in self._passwords
        return user.lower() if known else None

    def check(self, principal: str, password: str) -> str | None:
        """Return the local name when the password is right, else None."""
        name = self.local_name(principal)
        expected = self._passwords[name] if name else "\0"
        same = hmac.compare_digest(expected.encode(), password.encode())
        return name if same else None

    @contextmanager
    def selected(self) -> Iterator[None]:
        """Let pyspnego see this host's users, and nobody else's, for one step of a handshake."""
        chosen = {"NTLM_USER_FILE": str(self._file), "LM_COMPAT_LEVEL": "5"}
        before = {name: os.environ.get(name) for name in chosen}
        os.environ.update(chosen)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class Gate:
    """The security state of one connection."""

    def __init__(self, accounts: Accounts, *, secure: bool) -> None:
        self._accounts, self._secure = accounts, secure
        self._context: ContextProxy | None = None
        self._user: str | None = None
        self._protocol = ""
        self._last_leg: tuple[tuple[str, str], ...] = ()

    def admit(self, request: Request) -> tuple[str, bytes]:
        """Return the user and the plain body. Raises Refused with the answer to send instead."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return self._basic(credentials), request.body
        self._last_leg = self._step(scheme, credentials) if scheme else ()
        if self._user is None or self._context is None:
            raise self._unauthorized()
        if not request.body:  # the empty request that only carries a handshake
            raise Refused(Response(200, self._last_leg))
        return self._user, self._open(request)

    def answer(self, status: int, body: bytes) -> Response:
        """Return the answer, sealed when the request was."""
        if not self._protocol or self._context is None:
            content_type = "application/soap+xml;charset=UTF-8"
        else:
            content_type, body = seal(self._context, body, self._protocol)
        return Response(status, (("Content-Type", content_type), *self._last_leg), body)

    def _basic(self, credentials: str) -> str:
        self._protocol, self._last_leg = "", ()
        try:
            text = base64.b64decode(credentials, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise self._unauthorized() from None
        principal, _, password = text.partition(":")
        user = self._accounts.check(principal, password) if self._secure else None
        if user is None:
            raise self._unauthorized()
        return user

    def _step(self, scheme: str, credentials: str) -> tuple[tuple[str, str], ...]:
        """Take one leg of a handshake; return the headers of the answer that ends it."""
        if self._user is not None or self._context is None:  # a new handshake on this connection
            self._user, self._context = None, self._new_context(scheme)
        context = self._context
        try:
            with self._accounts.selected():
                token = context.step(base64.b64decode(credentials, validate=True))
        except Exception as error:  # noqa: BLE001 - untrusted tokens: pyspnego lets any type escape
            _log.info("handshake refused: %s", type(error).__name__)
            raise self._unauthorized() from None
        reply = f"{scheme} {base64.b64encode(token).decode()}" if token else scheme
        if not context.complete:
            if not token:
                raise self._unauthorized()
            raise Refused(Response(401, (("WWW-Authenticate", reply),)))
        self._user = self._accounts.local_name(context.client_principal or "")
        if self._user is None:
            raise self._unauthorized()
        return (("WWW-Authenticate", reply),) if token else ()

    def _new_context(self, scheme: str) -> ContextProxy:
        protocol = _PROTOCOLS.get(scheme.lower())
        if protocol is None:
            raise self._unauthorized()
        with self._accounts.selected():
            return spnego.server(protocol=protocol, options=NegotiateOptions.wrapping_winrm)

    def _open(self, request: Request) -> bytes:
        """Return the plain body of a request on an authenticated connection."""
        content_type = request.headers.get("content-type", "")
        if not is_sealed(content_type):
            if not self._secure:  # AllowUnencrypted is false
                raise Refused(Response(400, close=True))
            self._protocol = ""
            return request.body
        if self._context is None:
            raise Refused(Response(400, close=True))
        self._protocol = content_type.partition('protocol="')[2].partition('"')[0]
        try:
            return unseal(self._context, request.body)
        except (SealBroken, spnego.exceptions.SpnegoError) as error:
            _log.info("sealed body refused: %s", type(error).__name__)
            raise Refused(Response(400, close=True)) from None

    def _unauthorized(self) -> Refused:
        self._context = self._user = None
        offers = ("Negotiate", 'Basic realm="WSMAN"', "CredSSP")
        kept = [offer for offer in offers if self._secure or not offer.startswith("Basic")]
        return Refused(Response(401, tuple(("WWW-Authenticate", offer) for offer in kept)))
