"""Distribution families as plain records: packages, services, tools."""
