"""What ``hvcert doctor`` looks at before a run: data in, findings out; nothing is changed."""

from harness.doctor.examination import examine
from harness.doctor.finding import Finding

__all__ = ["Finding", "examine"]
