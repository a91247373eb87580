"""Records how a host answers, cmdlet by cmdlet, and compares it with another host or Microsoft."""
