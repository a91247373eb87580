"""Texts of an inventory → values; each function raises ValueError with the sentence to show."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from pathlib import PureWindowsPath

from harness.inventory.model import FixedAddress, PinnedKey, Reported
from harness.inventory.report import Misread
from harness.units import Bytes, GiB, KiB, MiB

UNITS = {"B": Bytes(1), "KiB": KiB, "MiB": MiB, "GiB": GiB, "TiB": 1024 * GiB}
HOST_PAGE = 2 * MiB
KEY_TYPES = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
)
# "2048 MiB", "2GiB"
_SIZE = re.compile(r"([0-9]{1,9}) ?(B|KiB|MiB|GiB|TiB)")
# "NMI-01", "MMIO-02"
_CASE = re.compile(r"[A-Z]{2,5}-[0-9]{2}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORBIDDEN_IN_WINDOWS = frozenset('<>"|?*:/')


def parse_size(text: str) -> Bytes:
    """Read ``2048 MiB``; a size must be whole 2 MiB, the step of every memory size of Hyper-V."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise Misread(text, "is no size; write 2048 MiB or 2 GiB")
    size = int(found[1]) * UNITS[found[2]]
    if size % HOST_PAGE != Bytes(0):
        down = (size // HOST_PAGE) * HOST_PAGE
        raise Misread(text, f"is no multiple of 2 MiB; write {down} or {down + HOST_PAGE}")
    return size


def parse_name(text: str) -> str:
    """Read the name of a host or guest; it becomes part of VM, file and report names."""
    if not _NAME.fullmatch(text):
        raise Misread(text, "is no name; use up to 64 letters, digits, dots, hyphens, underscores")
    return text


def parse_case(text: str) -> str:
    """Read the id of a certification case."""
    if not _CASE.fullmatch(text):
        raise Misread(text, "is no case id; write it as in NMI-01")
    return text


def parse_env_name(text: str) -> str:
    """Read the name of an environment variable; the text is never quoted: it may be a secret."""
    if not _ENV_NAME.fullmatch(text):
        raise ValueError("no name of an environment variable (letters, digits, underscores)")
    return text


def parse_keyring_entry(text: str) -> str:
    """Read ``service/user``; the text is never quoted: it may be a secret."""
    service, _, user = text.rpartition("/")
    if not service or not user:
        raise ValueError("write the keyring's entry as service/user")
    return text


def parse_host_address(text: str) -> str:
    """Read a DNS name or an IP address without port; nothing is quoted that may be a URL."""
    if "/" in text or "@" in text:
        raise ValueError(
            "write the host's name or IP address alone: no URL, no user, no password "
            "(transport, port, username and password have keys of their own)"
        )
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in bare and _ip(bare) is None:
        raise ValueError("write the host's name or IP address alone; the port has its own key")
    if _ip(bare) is None and not _HOST_NAME.fullmatch(bare):
        raise Misread(text, "is no host name and no IP address")
    return bare


def parse_guest_address(text: str) -> Reported | FixedAddress:
    """Read ``reported``, ``10.0.0.5``, ``10.0.0.5:2222`` or ``[fe80::5]:2222``."""
    if text == "reported":
        return Reported()
    found = re.fullmatch(r"(?:\[([^\]]*)\]|([^:\[\]]*))(?::([0-9]{1,5}))?", text)
    if not found and _ip(text) is not None:
        raise Misread(text, f"must be in brackets, being IPv6: [{text}]")
    ip = (found[1] or found[2]) if found else ""
    port = int(found[3] or 22) if found else 0
    if _ip(ip or "") is None or not 1 <= port <= 65535:
        raise Misread(text, 'is no address; write reported, "10.0.0.5:2222" or "[fd00::5]:2222"')
    return FixedAddress(ip, port)


def parse_ip(text: str) -> str:
    """Read an IPv4 or IPv6 address alone: kdump knows no other port than a service's own."""
    if _ip(text) is None:
        raise Misread(text, 'is no address; write "10.0.0.5", without a port')
    return text


def parse_loopback(text: str) -> str:
    """Read an address of 127.0.0.0/8, where a lab host may listen."""
    ip = _ip(text)
    if not isinstance(ip, ipaddress.IPv4Address) or not ip.is_loopback:
        raise Misread(text, "is no address of 127.0.0.0/8; a lab listens there only")
    return text


def parse_windows_path(text: str) -> str:
    r"""Read an absolute path of a Windows host: ``C:\vms`` or ``\\server\share\vms``."""
    path = PureWindowsPath(text)
    if not path.is_absolute() or text.startswith("/"):
        raise Misread(text, "is no absolute Windows path; write it as 'C:\\hvcert\\vms'")
    unc = text.startswith("\\\\")
    tail = text[2:]
    if _FORBIDDEN_IN_WINDOWS & set(tail) or not (unc or text[1:3] == ":\\"):
        raise Misread(text, "has a character that no Windows path has (or a slash)")
    parts = tail.strip("\\").split("\\") if tail.strip("\\") else []
    if {"", ".", ".."} & set(parts) or any(part != part.rstrip(" .") for part in parts):
        raise Misread(text, "has an empty, '.' or '..' part, or one that ends in one")
    return text.rstrip("\\") + ("\\" if not parts else "")


def parse_drive(text: str) -> str:
    """Read a drive of a Windows host: ``E:``."""
    letter = text.rstrip("\\")
    if len(letter) != 2 or letter[1] != ":" or not (letter[0].isascii() and letter[0].isalpha()):
        raise Misread(text, "is no drive; write it as 'E:'")
    return letter.upper()


def is_unc(path: str) -> bool:
    """Tell whether a path lies on another machine."""
    return path.startswith("\\\\")


def parse_unix_path(text: str) -> str:
    """Read an absolute path of a guest."""
    if not text.startswith("/") or ".." in text.split("/") or text.endswith("/"):
        raise Misread(text, "is no absolute path of a file in the guest")
    return text


def parse_public_key(text: str) -> PinnedKey:
    """Read ``ssh-ed25519 AAAA… comment``, one line of a ``.pub`` file or of known_hosts' tail."""
    key_type, _, rest = text.strip().partition(" ")
    encoded = rest.strip().split(" ")[0]
    if key_type not in KEY_TYPES:
        raise ValueError("no public key; write it as in a .pub file: ssh-ed25519 AAAA...")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    if blob[4 : 4 + len(key_type)] != key_type.encode() or len(blob) < 40:
        raise Misread(key_type, "is not followed by such a key in base64 (cut off?)")
    return PinnedKey(key_type, encoded)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def parse_share(text: str) -> float:
    """Return a share of a second, 0 to 1, written in quotes: ``"0.02"``."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        said = f"{text!r} is no share of a second: write a number from 0 to 1 in quotes"
        raise ValueError(said)
    return share
