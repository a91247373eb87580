"""One feature each: probes, parsers and judges, all pure."""
