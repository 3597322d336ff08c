"""`pullguard fix`: from findings to what puts them right.

command.py     check, edit, check again
manifests.py   findings and the text of a file -> its new text, held to the engine
edits.py       what is to be set in one document -> the smallest edits of its text
nodes.py       where the values of a document stand, to the character (yaml_nodes.py, json_nodes.py)
files.py       files -> bytes, and back: at once or not at all
"""
