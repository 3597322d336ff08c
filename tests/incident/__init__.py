"""The incident itself, with a kubelet, containerd and Gatekeeper's own manifest. docs/incident.md tells it.

site.py         a cluster of one node, and what can be asked of it
pods.py         what became of pods
conftest.py     the stages: with a registry, without it, with the remedy
matrix.yaml     pods with every pull policy, for the time without a registry
table.py        what the kubelet did of them, beside what the library says
credentials.py  an image that was pulled with credentials, and pods that have them or not
hold.py         such a cluster, until somebody ends it
"""
