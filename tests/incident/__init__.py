"""The incident itself, with a kubelet, containerd and Gatekeeper's own manifest. docs/incident.md tells it.

site.py      a cluster of one node, and what can be asked of it
pods.py      what became of pods
conftest.py  the stages: with a registry, without it, with the remedy
matrix.yaml  pods with every pull policy, for the time without a registry
hold.py      a cluster of the kind that runs until it is ended
table.py     what the kubelet did of them, beside what the library says
"""
