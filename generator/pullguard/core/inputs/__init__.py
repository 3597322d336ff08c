"""Inputs: which files are read, how much of them, and what can be wrong with them.

files.py      paths as users give them -> files
selection.py  which of the files in folders
limits.py     how much of them
problems.py   what is wrong with them, as a value
"""
