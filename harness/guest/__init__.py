"""The guest: a shell protocol, its SSH adapter, and what is done through it."""
