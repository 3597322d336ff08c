"""Clusters: their state as values, and what follows from it.

snapshot.py  files, folders, stdin, or a live cluster -> objects by kind, and what could not be read
scope.py     snapshot -> what really happens to pods in protected namespaces, and whether deny is safe
"""
