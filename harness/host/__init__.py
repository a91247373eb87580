"""The Hyper-V host: calls as data, the session that runs them, VMs and their clean-up."""
