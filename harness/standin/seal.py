"""Message encryption: a SOAP message sealed by NTLM or CredSSP inside a MIME envelope.

[MS-WSMV] 2.2.9.1: two MIME parts per piece, a description with the plain length and the sealed
octets, which begin with a 32-bit little-endian length of the signature that precedes the data.
"""

from __future__ import annotations

import struct
from typing import Protocol

_BOUNDARY = b"--Encrypted Boundary"
_OCTETS = b"application/octet-stream\r\n"
_PIECE = 16 * 1024  # what one CredSSP (TLS) record holds


class Sealer(Protocol):
    """The part of a security context that seals; pyspnego's contexts satisfy it."""

    def wrap_winrm(self, data: bytes) -> tuple[bytes, bytes, int]:
        """Return signature, sealed data and the number of padding bytes."""

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        """Return the plain data; raises SpnegoError when it was not sealed by the peer."""


class SealBroken(Exception):
    """The body is not a sealed message of this connection's security context."""


def is_sealed(content_type: str) -> bool:
    """Return whether a Content-Type announces a sealed message."""
    kind = content_type.split(";")[0].strip().lower()
    return kind in ("multipart/encrypted", "multipart/x-multi-encrypted")


def unseal(context: Sealer, body: bytes) -> bytes:
    """Return the plain message. Raises SealBroken for a body of another shape or length."""
    if not body.startswith(_BOUNDARY):
        raise SealBroken("no MIME boundary")
    parts = body.split(_BOUNDARY + b"\r\n")[1:]
    if len(parts) < 2 or len(parts) % 2:
        raise SealBroken(f"{len(parts)} MIME parts")
    return b"".join(_unseal_piece(context, parts[i], parts[i + 1]) for i in range(0, len(parts), 2))


def _unseal_piece(context: Sealer, description: bytes, octets: bytes) -> bytes:
    start = octets.find(_OCTETS)
    digits = description.rpartition(b"Length=")[2].strip()
    if start < 0 or not digits.isdigit():
        raise SealBroken("no octet-stream part or no Length")
    end = octets.rfind(_BOUNDARY + b"--")
    sealed = octets[start + len(_OCTETS) : end if end >= 0 else len(octets)]
    if len(sealed) < 4:
        raise SealBroken("no signature")
    (size,) = struct.unpack("<i", sealed[:4])
    if not 0 <= size <= len(sealed) - 4:
        raise SealBroken("signature longer than the message")
    plain = context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
    if len(plain) != int(digits):
        raise SealBroken(f"{len(plain)} bytes instead of {int(digits)}")
    return plain


def seal(context: Sealer, body: bytes, protocol: str) -> tuple[str, bytes]:
    """Seal a message with the client's ``protocol``; return its Content-Type and the body."""
    split = "CredSSP" in protocol and len(body) > _PIECE
    pieces = [body[i : i + _PIECE] for i in range(0, len(body), _PIECE)] if split else [body]
    sealed = b"".join(_seal_piece(context, piece, protocol) for piece in pieces)
    kind = "multipart/x-multi-encrypted" if split else "multipart/encrypted"
    content_type = f'{kind};protocol="{protocol}";boundary="Encrypted Boundary"'
    return content_type, sealed + _BOUNDARY + b"--\r\n"


def _seal_piece(context: Sealer, piece: bytes, protocol: str) -> bytes:
    signature, data, padding = context.wrap_winrm(piece)
    original = f"type=application/soap+xml;charset=UTF-8;Length={len(piece) + padding}"
    description = f"\r\n\tContent-Type: {protocol}\r\n\tOriginalContent: {original}\r\n"
    return b"".join(
        (
            _BOUNDARY,
            description.encode("ascii"),
            _BOUNDARY,
            b"\r\n\tContent-Type: ",
            _OCTETS,
            struct.pack("<i", len(signature)),
            signature,
            data,
        )
    )
