"""`pullguard fix`: from findings to edits that fix them.

command.py     check, edit, check again
manifests.py   findings and the text of a file -> its new text, held to the engine
builds.py      findings in what is built -> what becomes of the files that it is built from, held to what is built then
sources.py     what decides in such a file -> the edits of its text
edits.py       what is to be set in one document -> the smallest edits of its text
nodes.py       where the values of a document stand, to the character (yaml_nodes.py, json_nodes.py)
files.py       files -> bytes, and back: at once or not at all
"""
