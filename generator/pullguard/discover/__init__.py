"""`pullguard discover`: which namespaces should be protected and which custom kinds judged, from a snapshot.

command.py  reads a snapshot, asks Rego, and compares with the configuration
model.py    what it says
kept.py     what is kept of the objects of a snapshot
written.py  what is new -> the configuration with it
"""
