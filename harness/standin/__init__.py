"""The stand-in Hyper-V host: real WS-Man and PSRP on loopback, real Linux guests in QEMU."""
