"""Edits of files that people write: every byte that is not meant stays as it is.

edits.py   what is to be set in one document -> the smallest edits of its text
nodes.py   where the values of a document stand, to the character (yaml_nodes.py, json_nodes.py)
files.py   files -> bytes, and back: at once or not at all
"""
