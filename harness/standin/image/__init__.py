"""Builds the guests of the lab: ordinary Debian systems on a disk, cached by what they are made of."""
