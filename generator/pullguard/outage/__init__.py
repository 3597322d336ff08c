"""`pullguard outage`: which pods cannot come back when a registry is gone, what falls with them, and the way back.

command.py      the command
model.py        the values
pods.py         which pods there are, and what would be made in their place; kept.py says what is kept of objects
nodes.py        which pods a node can run, and which images it has, with node_images.py
overlay.py      manifests laid over a snapshot
forecast.py     facts about pods -> verdicts, by rego/outage
falling.py      verdicts and webhooks -> causes; cascade.py: what follows from them, and the way back
repair.py       the smallest repair, made of edits.py; written.py writes it as manifests
formats/        one file per format
"""
