"""Every known difference of the stand-in from Hyper-V, as sentences that a report can print."""

from __future__ import annotations

LIMITS: tuple[str, ...] = (
    # the machine
    "Virtual machines are QEMU processes under emulation: there is no VMBus; virtio and ACPI"
    " devices carry the same guest-visible features.",
    "Generation 1 only: New-VM -Generation 2 is refused, and so is every firmware setting.",
    "A guest that ends, or whose QEMU dies, shows as Off, its log kept. A crash is logged (event"
    " 18590) when the guest's kernel reports it to the pvpanic device, which stands for Hyper-V's"
    " crash registers.",
    "The balancer of dynamic memory is ours: demand is what the guest uses by its own account, a"
    " sixteenth of the host stays free, and only surplus is taken back. Memory is added in ACPI"
    " modules of 128 MiB, which stay, and taken by virtio-balloon; a guest that restarts keeps its"
    " modules, where Hyper-V goes back to the startup memory.",
    "Static machines have no MemoryDemand, and CPUUsage is 0.",
    "The startup memory of a running machine cannot be changed.",
    "Adapters and controllers are added, removed and connected only while a machine is Off, as are"
    " drives on IDE; disks come and go on SCSI while it runs.",
    "High MMIO space, VLANs, adapter options, processor limits, serial pipes, boot order, DVD media"
    " and automatic start and stop are remembered and shown, without effect on the machine.",
    "The display is QEMU's standard card with 16 MiB, told of its resolution by EDID; the pointer"
    " is a virtio tablet. A thumbnail takes the pixel at each place's middle, it does not blend."
    " Single and Maximum resolutions are those that fit the card; refusals of others are ours.",
    # network
    "A private switch carries frames between its VMs. Each adapter on an internal or external one"
    " gets a loopback address at which the guest's port 22 answers, and reaches no other VM.",
    "The dynamic MAC address that the guest sees (52:54:00:00:00:01 and up) is not the 00155D… one"
    " that cmdlets show: the guest image keys its fixed network settings on it.",
    # disks and checkpoints
    "Fixed disks that New-VHD makes are real .vhd and .vhdx files, their payload in one piece at"
    " the end; all other disk files named .vhd, .vhdx and .avhdx hold qcow2. Block size, sectors"
    " and alignment that Get-VHD shows are Hyper-V's usual values.",
    "A dynamic .vhdx that was copied to the host (hvcert image stage) boots, but QEMU saves no"
    " state of a machine that uses one: Save-VM and checkpoints with memory are refused, and cases"
    " that start from a saved state end as errors.",
    "MinimumSize is known of fixed .vhdx files only; a fixed .vhdx has room to grow to 128 GiB or"
    " four times its first size, and online only if its size is a whole number of MiB.",
    "Convert-VHD makes Fixed and Dynamic copies that hold qcow2; Resize-VHD only grows; there are"
    " no pass-through disks and no mounted ones.",
    "Remove-VMSnapshot returns when the disks are merged, also those of a running machine; Hyper-V"
    " returns at once and merges meanwhile.",
    "Production checkpoints and online backups freeze the guest through qemu-guest-agent, not"
    " through Hyper-V's backup integration service.",
    "Restore-VMSnapshot never starts a machine: it ends Off, or Saved when the checkpoint holds"
    " memory.",
    "Stop-VM -TurnOff does not take a saved machine; Remove-VMSavedState does.",
    "Windows Server Backup backs virtual machines up to a volume and restores them to another"
    " location; its sets end with the host. A restored machine has the Id of the one that was"
    " backed up and takes its place. Drives C: and E: share one file system of this machine.",
    "Under QEMU's emulation a guest may hang as it boots (seen three times in some thousands): its"
    " timer stops (the screen says rcu_preempt kthread timer wakeup didn't happen) or its kernel"
    " prints nothing. The case ends as if the guest had not come up, the screen is among its"
    " evidence. Most likely a known race of emulated processors, mended in later QEMU (after 7.2).",
    # what the host tells
    "Heartbeat, key-value exchange and shutdown go through qemu-guest-agent and ACPI, not through"
    " Hyper-V's integration services; a heartbeat is OkApplicationsUnknown at best.",
    "Status texts are English; the text of errors is the stand-in's own. What is faithful is the"
    " FullyQualifiedErrorId, the category and the exception's type.",
    "Which error id the host uses is known from published error texts only for some cmdlets; for"
    " the others it follows the same pattern.",
    "A question that needs -Force fails at once, since nobody could answer it.",
    "Properties, types and enum numbers are those of the contract data, which for 2012 R2 comes"
    " from documentation.",
    "Free memory, processors and their load are a stated budget, not this machine's.",
    "WMI has the classes that the cases use; RequestStateChange hands out its job when it is over,"
    " and jobs are kept until the host ends.",
    "ModifySystemSettings changes gaps, name and notes; other properties are not taken over.",
    "The switch -AsJob is not available, and -ComputerName takes this host only.",
    # the shell
    "No PowerShell language: cmdlets, pipelines and the project's own fixed scripts only; the one"
    " that writes a file through .NET runs as a cmdlet of the stand-in's own, Write-FileBytes.",
    "No Kerberos, no domain, no cluster, no replication, no live migration, no shielded machines.",
)
