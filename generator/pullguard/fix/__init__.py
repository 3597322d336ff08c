"""`pullguard fix`: from findings to edits that fix them.

command.py     check, edit, check again
plan.py        findings -> what is to be edited, and what needs what first
reported.py    a snapshot -> what its pods and nodes report of images
pins.py        images -> the references that pin them, by that
manifests.py   findings and the text of a file -> its new text, held to the engine
overlay.py     an overlay of kustomize instead of edits, held to what is built without it
patches.py     values to set in objects -> its patches
builds.py      findings in what is built -> what becomes of the files that it is built from, held to what is built then
sources.py     what decides in such a file -> the edits of its text

How a text is edited, and a file replaced, is in core/editing.
"""
