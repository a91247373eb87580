"""Every host call that the harness can make exists on each Windows release where it is made.

The calls are read from the harness's source, the cmdlets from Microsoft's documentation and
reflected modules; the stand-in is not asked. A new call is covered as soon as it is written.
"""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from harness.standin.contract import contract_of
from harness.standin.definition import Definition, Parameter
from harness.standin.releases import RELEASES
from tests.host.written import (
    ROOT,
    UNKNOWN,
    Unreadable,
    Written,
    calls_in,
    calls_of,
    calls_of_script,
    mentions_of,
    scripts,
    sources,
)

NOT_MADE = {
    ("Set-VM", "LowMemoryMappedIoSpace", "2012r2"): "the gap is set by WMI there (host/gap.py)",
    ("Set-VM", "CheckpointType", "2012r2"): "checkpoints hold memory there, always (host/vm.py)",
    ("Set-VMVideo", "", "2012r2"): "the resolution is a kernel option there (display.py)",
    ("Get-VMVideo", "", "2012r2"): "nothing was set there that could be read back",
    ("Set-VMFirmware", "SecureBootTemplate", "2012r2"): "refused early (inventory/rules.py)",
}
"""(cmdlet, parameter or "" for all of it, release) → the documented other way."""

OTHERWISE_NAMED = {
    "harness/host/command.py": ("Set-VM",),  # how the path is called in verdicts
}
"""Names of cmdlets in the source that are no calls."""

CALLS = sorted(
    {
        *(call for path in sources() for call in calls_of(path)),
        *(call for name, text in scripts().items() for call in calls_of_script(name, text)),
    },
    key=lambda call: (call.cmdlet, call.where, repr(call.parameters)),
)
CELLS = [pytest.param(c, r, id=f"{c.cmdlet}-{c.where}-{r}") for c in CALLS for r in RELEASES]


def problems(call: Written, release: str) -> list[str]:
    """Return what the release has against the call."""
    definition = contract_of(RELEASES[release]).find(call.cmdlet)
    if definition is None:
        return ["no such cmdlet"]
    given = {name: _parameter(definition, name) for name, _ in call.parameters}
    missing = [f"no parameter {name}" for name, found in given.items() if found is None]
    if missing:
        return missing
    wrong = [p for name, value in call.parameters for p in _value(given[name], value)]
    return wrong or _sets(definition, [p for p in given.values() if p], piped=call.piped)


def _parameter(definition: Definition, name: str) -> Parameter | None:
    """Return the parameter of exactly that name: the harness writes no prefix and no alias."""
    return next((p for p in definition.parameters if p.name.lower() == name.lower()), None)


def _value(parameter: Parameter | None, value: object) -> list[str]:
    """Say what is wrong with a literal; of other values only a run can tell."""
    if parameter is None or value is UNKNOWN:
        return []
    kind, said = parameter.type, f"{parameter.name} {value!r}"
    words = parameter.validation.values or (tuple(kind.enum.members) if kind.enum else ())
    if words:
        known = {word.lower() for word in words}
        return [] if str(value).lower() in known else [f"{said} is none of {', '.join(words)}"]
    if isinstance(value, bool):
        fits = kind.name in ("SwitchParameter", "Boolean", "Object")
        return [] if fits else [f"{said} is no {kind.name}"]
    return []


def _sets(definition: Definition, given: list[Parameter], *, piped: bool) -> list[str]:
    """Tell whether some parameter set holds all of them and misses nothing that it must have."""
    names = {p.name for p in given}
    lacking: list[str] = []
    for each in definition.sets:
        if any(p.place(each) is None for p in given):
            continue
        missing = [
            p.name
            for p in definition.parameters
            if (at := p.place(each)) and at.mandatory and p.name not in names
            and not (piped and (at.by_value or at.by_name))
        ]  # fmt: skip
        if not missing:
            return []
        lacking.append(f"set {each} lacks {', '.join(missing)}")
    return lacking or [f"no parameter set holds {', '.join(sorted(names))}"]


@pytest.mark.parametrize(("call", "release"), CELLS)
def test_a_call_binds_on_the_releases_where_it_is_made(call: Written, release: str) -> None:
    named = ("", *(name for name, _ in call.parameters))
    excused = any((call.cmdlet, name, release) in NOT_MADE for name in named)
    assert bool(problems(call, release)) == excused, problems(call, release)


def test_every_exception_is_of_a_call_that_the_harness_makes() -> None:
    made = {(c.cmdlet, name) for c in CALLS for name in ("", *dict(c.parameters))}
    assert {(cmdlet, name) for cmdlet, name, _ in NOT_MADE} - made == set()


def test_no_cmdlet_is_named_where_its_call_cannot_be_read() -> None:
    """A name in a table or a loop would be called unseen: the call must have it as a literal."""
    for path in sources():
        where = path.relative_to(ROOT).as_posix()
        read = Counter(cmdlet for cmdlet, _ in {(c.cmdlet, c.where) for c in calls_of(path)})
        unread = Counter(mentions_of(path)) - read - Counter(OTHERWISE_NAMED.get(where, ()))
        assert not unread, f"{where} names {', '.join(unread)} outside a call"


def test_calls_are_found_in_every_form_that_the_harness_writes() -> None:
    found = {call.cmdlet for call in CALLS}
    assert {"Get-VM", "New-Item", "Debug-VM", "Start-VM", "New-VM", "Invoke-CimMethod"} <= found
    stops = {tuple(dict(c.parameters)) for c in CALLS if c.cmdlet == "Stop-VM"}
    assert stops == {("Name", "Force"), ("Name", "TurnOff", "Force")}


@pytest.mark.parametrize(
    "text",
    [
        "def f(given): run(Cmdlet('Get-VM', given))",
        "def f(given): run(Cmdlet('Get-VM', {'Name': 1, **given}))",
        "def f(key): run(Cmdlet('Get-VM', {key: 1}))",
        "def f(g): run(Cmdlet('Get-VM', dict(g)))",
    ],
)
def test_a_call_that_hides_its_parameters_is_flagged(text: str) -> None:
    with pytest.raises(Unreadable, match="write cmdlet and parameters as literals"):
        list(calls_in(ast.parse(text), "new.py"))


@pytest.mark.parametrize(
    ("text", "release", "said"),
    [
        ("Cmdlet('Get-VMs')", "2022", "no such cmdlet"),
        ("Cmdlet('Get-VM', {'Nam': 'a'})", "2022", "no parameter Nam"),
        (
            "Cmdlet('Set-VMFirmware', {'VMName': 'a', 'EnableSecureBoot': 'No'})",
            "2022",
            "none of On",
        ),
        ("Cmdlet('New-Item', {'Path': 'a', 'Force': 'x', 'ItemType': True})", "2022", "no String"),
        ("Cmdlet('Suspend-VM', {'Name': 'a', 'VM': 'b'})", "2022", "no parameter set holds"),
        ("Cmdlet('Set-VM', {'Name': 'a', 'CheckpointType': 'Disabled'})", "2012r2", "no parameter"),
        ("Cmdlet('Resize-VHD', {'Path': 'a'})", "2019", "lacks SizeBytes"),
    ],
)
def test_a_call_that_a_release_lacks_is_found(text: str, release: str, said: str) -> None:
    (call,) = calls_in(ast.parse(text), "new.py")
    assert said in "; ".join(problems(call, release))


def test_what_comes_through_a_pipe_need_not_be_written() -> None:
    text = "Pipeline((Cmdlet('Get-VM', {'Name': 'a'}), Cmdlet('Start-VM')))"
    first, second = calls_in(ast.parse(text), "new.py")
    assert (first.piped, second.piped) == (False, True)
    assert problems(second, "2019") == []
    assert problems(Written("Start-VM", (), piped=False, where=""), "2019") != []
