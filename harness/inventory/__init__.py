"""What the operator wrote: frozen types, their reader, and references to secrets."""
