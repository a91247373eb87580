"""hvcert: certifies Linux guests on Hyper-V; every verdict carries the text it was judged on."""

__version__ = "0.1.0"
