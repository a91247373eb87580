"""Builds the guests of the lab: ordinary Debian systems, cached by what they are made of."""
