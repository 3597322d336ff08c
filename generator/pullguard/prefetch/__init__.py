"""`pullguard prefetch`: the images that nodes are to pull while there are registries, so that protected pods start.

command.py      the command
model.py        the values
formats/        one file per format: what pulls the images, or a report
"""
