"""The state of a cluster as values, read with kubectl or from files, and the owners of its objects."""
