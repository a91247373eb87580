"""The Linux guest: a shell that runs argv, and what is asked through it."""
