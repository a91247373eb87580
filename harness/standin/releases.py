"""The Windows Server releases that the stand-in can play; contract data is chosen by them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """One Windows Server release. ``docset`` names its folder of contract data."""

    key: str
    caption: str
    build: int
    docset: str
    powershell: str
    cim_docset: str
    vm_version: str


RELEASES: dict[str, Release] = {
    r.key: r
    for r in (
        Release(
            "2012r2",
            "Microsoft Windows Server 2012 R2 Datacenter",
            9600,
            "winserver2012r2-ps",
            "4.0",
            "powershell-4.0",
            "5.0",
        ),
        Release(
            "2016",
            "Microsoft Windows Server 2016 Datacenter",
            14393,
            "winserver2016-ps",
            "5.1",
            "powershell-5.1",
            "8.0",
        ),
        Release(
            "2019",
            "Microsoft Windows Server 2019 Datacenter",
            17763,
            "winserver2019-ps",
            "5.1",
            "powershell-5.1",
            "9.0",
        ),
        Release(
            "2022",
            "Microsoft Windows Server 2022 Datacenter",
            20348,
            "winserver2022-ps",
            "5.1",
            "powershell-5.1",
            "10.0",
        ),
        Release(
            "2025",
            "Microsoft Windows Server 2025 Datacenter",
            26100,
            "winserver2025-ps",
            "5.1",
            "powershell-5.1",
            "12.0",
        ),
    )
}
