"""Loads the harness's pytest plugin; it acts on certification cases alone."""

pytest_plugins = ["harness.pytest_plugin"]
