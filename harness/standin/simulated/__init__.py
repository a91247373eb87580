"""Guests without machines: they answer over real SSH what a real guest's recording says.

For the scheduling of many cases on a small machine. They prove nothing about a kernel.
"""
