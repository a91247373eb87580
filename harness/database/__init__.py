"""Results of many runs in one database, so that a morning can be compared with the one before."""
