"""`pullguard outage`: which pods cannot come back when a registry is gone, what falls with them, and the way back.

command.py      the command
model.py        the values
falling.py      forecasts and webhooks -> causes; cascade.py: what follows from them, and the way back
removal.py      which images nodes may have lost by then
repair.py       the smallest repair, made of edits.py; written.py writes it as manifests
formats/        one file per format
"""
