"""Forecasts: which pods of a snapshot start without their registries, and why; what that is, Rego says.

situation.py    reads a snapshot, and what is known of its namespaces
model.py        the values; words.py: what reports say of them alike
pods.py         which pods there are, and what would be made in their place; kept.py says what is kept of objects
nodes.py        which pods a node can run, and which images it has, with node_images.py
overlay.py      manifests laid over a snapshot
registries.py   which registries are in the cluster
drilled.py      what a drill has shown, beside what was forecast
forecast.py     facts about pods -> verdicts, by rego/outage
"""
