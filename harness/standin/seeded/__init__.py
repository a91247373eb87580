"""Seeded faults: ways in which a stand-in host is broken on purpose, each by its name.

A suite is worth what its verdicts are worth, so every verdict is shown hosts and guests that are
broken. What each fault must do to the verdicts is in ``expected``, written before the fault is.
"""
