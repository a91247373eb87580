"""The cmdlets of one Windows Server release, as its evidence has them.

Authority, in order: what a real module reported (the 14393 capture for 2016, the 2020 module for
2019), then that release's documentation. For 2012 R2 no capture of the Hyper-V module exists, and
2022 and 2025 are newer than any: there the documentation decides, and what the 2020 module has
beyond it stays accepted. What no source holds does not exist. The cmdlets of Windows PowerShell
itself are a closed list of our own, ``windows-powershell.json``, in the documentation's form.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from harness.standin import contract_reading as reading
from harness.standin import contract_source as source
from harness.standin.contract_reading import Draft
from harness.standin.definition import (
    EVERY_SET,
    Definition,
    Parameter,
    Place,
    spellings_of,
)
from harness.standin.faults import class_name
from harness.standin.releases import Release

OWN = "windows-powershell.json"
MODULE_2020 = "reflected/Hyper-V-2.0.0.0.json"
CAPTURE_14393 = "reflected/pssa-5.1.14393.206.json"
_CAPTURES = {"4.0": "reflected/pssa-4.0.json", "5.1": CAPTURE_14393}


class Contract:
    """The cmdlets of one release; each is read when it is first asked for, then kept."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self._found: dict[str, Definition | None] = {}
        self._aliases = {n.lower(): n for n in source.names(OWN, "aliases")}

    def find(self, name: str) -> Definition | None:
        r"""Return a cmdlet's definition by name, ``Module\name`` or alias; None when unknown."""
        low = name.lower()
        if low not in self._found:
            self._found[low] = self._read(name)
        return self._found[low]

    def names(self) -> tuple[str, ...]:
        """Return every cmdlet's name, in alphabetical order."""
        return tuple(sorted(n for module in _MODULES for n in _names(self.release, module)))

    def _read(self, name: str) -> Definition | None:
        module, _, bare = name.rpartition("\\")
        if (alias := self._aliases.get(bare.lower())) is not None:
            target = source.entry(OWN, "aliases", alias)
            bare = target[0] if isinstance(target, list) else bare
        for candidate, read in _MODULES.items():
            if module.lower() in ("", candidate.lower()):
                draft = read(self.release, bare)
                if draft is not None:
                    return _compiled(self.release, candidate, draft)
        return None


@cache
def contract_of(release: Release) -> Contract:
    """Return the release's contract; one object for each release."""
    return Contract(release)


def _hyper_v(release: Release, name: str) -> Draft | None:
    documented = _documented(release, "Hyper-V", name)
    raw = source.definition(MODULE_2020, name)
    module = reading.reflected(_spelled(MODULE_2020, name), raw) if raw else None
    if release.key == "2012r2":
        return reading.with_validation(documented, module) if documented and module else documented
    if release.key == "2019":
        return module
    if release.key == "2016":
        return _as_captured(name, documented, module)
    return _newer(documented, module)


def _as_captured(name: str, documented: Draft | None, module: Draft | None) -> Draft | None:
    kept = source.names_of(CAPTURE_14393, "Hyper-V", name)
    if module is not None and documented is not None:
        known: Draft | None = reading.filled(module, documented)
    else:
        known = module or documented
    return None if kept is None or known is None else reading.restricted(known, kept)


def _newer(documented: Draft | None, module: Draft | None) -> Draft | None:
    if documented is None or module is None:
        return documented or module
    if set(documented.sets) == set(module.sets):
        return reading.merged(module, documented)
    return reading.merged(reading.with_validation(documented, module), module)


def _of_docset(module: str) -> Callable[[Release, str], Draft | None]:
    def read(release: Release, name: str) -> Draft | None:
        draft = _documented(release, module, name)
        capture = source.definition(_CAPTURES[release.powershell], name, module)
        return reading.placed_as_captured(draft, capture) if draft and capture else draft

    return read


def _own(_: Release, name: str) -> Draft | None:
    raw = source.definition(OWN, name)
    return reading.documented(_spelled(OWN, name), raw) if raw else None


_MODULES: dict[str, Callable[[Release, str], Draft | None]] = {
    "Hyper-V": _hyper_v,
    "CimCmdlets": _of_docset("CimCmdlets"),
    "WindowsServerBackup": _of_docset("WindowsServerBackup"),
    "Storage": _of_docset("Storage"),
    "Windows PowerShell": _own,
}


def _names(release: Release, module: str) -> tuple[str, ...]:
    if module == "Windows PowerShell":
        return source.names(OWN)
    documented = source.names(_docset_file(release, module))
    if module != "Hyper-V" or release.key == "2012r2":
        return documented
    if release.key == "2016":
        return source.names(CAPTURE_14393, "Hyper-V")
    reflected = source.names(MODULE_2020)
    if release.key == "2019":
        return reflected
    spelled = {n.lower(): n for n in (*documented, *reflected)}
    return tuple(spelled.values())


def _docset_file(release: Release, module: str) -> str:
    docset = release.cim_docset if module == "CimCmdlets" else release.docset
    return f"{docset}/{module}.json"


def _documented(release: Release, module: str, name: str) -> Draft | None:
    path = _docset_file(release, module)
    raw = source.definition(path, name)
    return reading.documented(_spelled(path, name), raw) if raw else None


def _spelled(path: str, name: str) -> str:
    return next(n for n in source.names(path) if n.lower() == name.lower())


def _compiled(release: Release, module: str, draft: Draft) -> Definition:
    parameters = (
        *draft.parameters.values(),
        *_common(release.powershell),
        *(_SHOULD_PROCESS if draft.should_process else ()),
    )
    return Definition(
        name=draft.name,
        module=draft.module or module,
        type_name=_type_name(release, module, draft.name),
        parameters=parameters,
        sets=draft.sets,
        default_set=draft.default_set,
        should_process=draft.should_process,
        high_impact=draft.high_impact,
        output_types=draft.output_types,
        spellings=spellings_of(parameters),
    )


def _type_name(release: Release, module: str, name: str) -> str:
    """Return the class behind a cmdlet, as public error texts show it."""
    verb, _, noun = name.partition("-")
    if module == "Hyper-V":
        return class_name(name, release)
    return {
        "CimCmdlets": f"Microsoft.Management.Infrastructure.CimCmdlets.{verb}{noun}Command",
        "WindowsServerBackup": f"Microsoft.Windows.ServerBackup.Commands.{verb}{noun}",
        "Storage": name,  # a CDXML function: the id ends in its name
    }.get(module, f"Microsoft.PowerShell.Commands.{verb}{noun}Command")


def _common_parameter(name: str, kind: str, alias: str) -> Parameter:
    return Parameter(
        name, reading.parameter_type(kind, ()), {EVERY_SET: Place()}, (alias,), common=True
    )


_COMMON_4 = tuple(
    _common_parameter(*row)
    for row in (
        ("Verbose", "switch", "vb"),
        ("Debug", "switch", "db"),
        ("ErrorAction", "ActionPreference", "ea"),
        ("WarningAction", "ActionPreference", "wa"),
        ("ErrorVariable", "string", "ev"),
        ("WarningVariable", "string", "wv"),
        ("OutVariable", "string", "ov"),
        ("OutBuffer", "int", "ob"),
        ("PipelineVariable", "string", "pv"),
    )
)
_COMMON_5 = (
    *_COMMON_4,
    _common_parameter("InformationAction", "ActionPreference", "infa"),
    _common_parameter("InformationVariable", "string", "iv"),
)
_SHOULD_PROCESS = (
    _common_parameter("WhatIf", "switch", "wi"),
    _common_parameter("Confirm", "switch", "cf"),
)


def _common(powershell: str) -> tuple[Parameter, ...]:
    return _COMMON_4 if powershell.startswith("4") else _COMMON_5
