"""The process pullguard-engine, which reads and judges, and conftest beside it.

process.py    where the program is, how it starts and ends
protocol.py   requests, and the records that answer them
documents.py  texts -> documents and objects with their lines
inputs.py     files -> objects with their lines
files.py      files -> what policies say of the objects in them
batches.py    objects -> what policies say of them
queries.py    questions to the project's own Rego
groups.py     templates that can be loaded together, and their constraints; modules.py: their modules
conftest.py   conftest, for batches
"""
