"""What a Windows console shows for a command line: powershell.exe and a few words of cmd.exe."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.standin.api import ErrorRecord, Stopped, Terminated
from harness.standin.clixml import escape, plain_text
from harness.standin.shells import Host, windows_version
from harness.standin.values import Value

_WORD = re.compile(r'"([^"]*)"|(\S+)')
_FLAGS = ("nologo", "noprofile", "noninteractive", "noexit", "sta", "mta")
_VALUED = (
    "executionpolicy",
    "inputformat",
    "outputformat",
    "version",
    "windowstyle",
    "configurationname",
)
_SHORT = {"ec": "encodedcommand", "e": "encodedcommand", "ep": "executionpolicy", "c": "command"}
_OPTIONS = (*_FLAGS, *_VALUED, "encodedcommand", "command", "file")
_CLIXML_START = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
)
_BAD_USAGE = 0xFFFD0000 - 2**32  # what powershell.exe exits with when it cannot use its arguments


@dataclass(slots=True)
class Console:
    """The streams of one console program; satisfies the engine's Streams."""

    stopping: Callable[[], bool]
    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    clixml: bool = False  # powershell.exe writes errors so when its command came encoded
    failed: bool = False

    def output(self, value: Value) -> None:
        """Show one object."""
        self._show(plain_text(value))

    def error(self, record: ErrorRecord) -> None:
        """Show an error as PowerShell formats it."""
        self.check()
        self.failed = True
        self.errors.extend(_error_lines(record))

    def warning(self, text: str) -> None:
        """Show a warning."""
        self._show(f"WARNING: {text}")

    def verbose(self, text: str) -> None:
        """Show a verbose message."""
        self._show(f"VERBOSE: {text}")

    def debug(self, text: str) -> None:
        """Show a debug message."""
        self._show(f"DEBUG: {text}")

    def progress(self, activity: str, status: str, percent: int) -> None:  # noqa: ARG002 - the Protocol's signature
        """Show nothing: a console without a screen has no progress bar."""
        self.check()

    def check(self) -> None:
        """Raise Stopped when the client asked to stop."""
        if self.stopping():
            raise Stopped

    def _show(self, line: str) -> None:
        self.check()
        self.lines.append(line)

    def show_text(self, text: str) -> None:
        """Show text that has its own line ends, whichever they are."""
        if text:
            self.lines.extend(text.removesuffix("\n").removesuffix("\r").splitlines() or [""])

    def shown(self) -> str:
        """Return standard output."""
        return "".join(f"{line}\r\n" for line in self.lines)

    def shown_errors(self) -> str:
        """Return standard error."""
        if self.clixml and self.errors:
            lines = (f'<S S="Error">{escape(line)}_x000D__x000A_</S>' for line in self.errors)
            return f"{_CLIXML_START}{''.join(lines)}</Objs>"
        return "".join(f"{line}\r\n" for line in self.errors)


def _error_lines(record: ErrorRecord) -> list[str]:
    start = f"{record.activity} : " if record.activity else ""
    reason = record.reason or record.exception_types[0].rpartition(".")[2]
    target = f"{record.target_name}:{record.target_type}" if record.target_type else ":"
    facts = f"{record.category}: ({target}) [{record.activity}], {reason}"
    return [
        *f"{start}{record.message}".splitlines(),
        f"    + CategoryInfo          : {facts}",
        f"    + FullyQualifiedErrorId : {record.fqid}",
        " ",
    ]


def run_command_line(line: str, host: Host, user: str, console: Console) -> int:
    """Run a command line as cmd.exe would; return its exit code. Raises Stopped."""
    program, _, rest = line.partition(" ")
    name = program.strip('"').lower().rpartition("\\")[2].removesuffix(".exe")
    if name == "powershell":
        return _powershell(rest, host, console)
    answers = {
        "hostname": [host.name],
        "whoami": [f"{host.name.lower()}\\{user}"],
        "ver": ["", f"Microsoft Windows [Version {windows_version(host.release)}]"],
        "echo": [rest],
    }
    if name in answers:
        console.lines.extend(answers[name])
        return 0
    console.errors.append(
        f"'{program}' is not recognized as an internal or external command,\r\n"
        "operable program or batch file."
    )
    return 1


def _powershell(arguments: str, host: Host, console: Console) -> int:
    script = _script(arguments, console)
    if script is None:
        return _BAD_USAGE
    try:
        console.show_text(host.engine.run_text(script, console))
    except Terminated as terminated:
        console.error(terminated.record)
    return 1 if console.failed else 0


def _script(arguments: str, console: Console) -> str | None:
    """Return the text that powershell.exe's arguments ask to run, None for unusable ones."""
    position = 0
    while found := _WORD.search(arguments, position):
        option = _option(found[0])
        if option is None:  # the first thing that is no option starts a command
            return _unquoted(arguments[found.start() :])
        position = found.end()
        if option == "command":
            return _unquoted(arguments[position:].strip())
        if option == "encodedcommand":
            console.clixml = True
            value = _WORD.search(arguments, position)
            return _decoded(value[1] or value[2] if value else "", console)
        if option in _VALUED:
            value = _WORD.search(arguments, position)
            position = value.end() if value else len(arguments)
        elif option not in _FLAGS:
            break
    console.errors.append("The argument is not one that this host's powershell.exe takes.")
    return None


def _option(word: str) -> str | None:
    """Return the option that a word names or abbreviates, e.g. of ``-NoP``; None for no option."""
    if word[0] not in "-/":
        return None
    name = word[1:].lower()
    known = _SHORT.get(name) or next((each for each in _OPTIONS if each.startswith(name)), None)
    return known or "unknown"


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _decoded(encoded: str, console: Console) -> str | None:
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError):
        text = "Cannot process the command because the value specified with -EncodedCommand is not"
        console.errors.append(f"{text} properly encoded. The value must be Base64 encoded.")
        return None
