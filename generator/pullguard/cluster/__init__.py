"""The state of a cluster as values: read with kubectl or from files, and who owns what in it."""
