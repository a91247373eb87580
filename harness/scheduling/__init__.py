"""Places cases on hosts: what each needs against what each host has, the longest first."""
