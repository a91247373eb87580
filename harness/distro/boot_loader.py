"""How one option of the kernel command line is made to last, by each kind of boot loader tool."""

from __future__ import annotations

from harness.distro.family import Argv, Change


def by_grub_folder(refresh: Argv, name: str, option: str) -> Change:
    """Write a file that GRUB's generator reads after all others.

    Debian's and Azure Linux' generators source ``/etc/default/grub.d/*.cfg`` (upstream's does not).
    The last ``crashkernel=`` on a command line wins, and packages bring files of their own, so the
    name sorts last in any locale.
    """
    file = f"/etc/default/grub.d/zz-hvcert-{name}.cfg"
    content = f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {option}"\n'
    return Change(file, content, (refresh,), (("rm", "-f", "--", file), refresh))


def by_grubby(_name: str, option: str) -> Change:
    """Let grubby change every installed kernel's entry: the way of Red Hat's documentation.

    With boot loader entries (RHEL 8 on) the generator would not change existing ones.
    """
    entries: Argv = ("grubby", "--update-kernel=ALL")
    added, removed = (*entries, f"--args={option}"), (*entries, f"--remove-args={option}")
    return Change("", "", (added,), (removed,))


def by_pbl(_name: str, option: str) -> Change:
    """Let SUSE's pbl (package update-bootloader, earlier perl-Bootloader) change the options."""
    config: Argv = ("pbl", "--config")
    return Change(
        "",
        "",
        (("pbl", "--add-option", option), config),
        (("pbl", "--del-option", option), config),
    )
