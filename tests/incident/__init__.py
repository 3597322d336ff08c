"""The incident itself, with a kubelet, containerd and Gatekeeper's own manifest. docs/incident.md describes it.

site.py         a cluster with one node
pods.py         the outcomes of pods
conftest.py     the stages: with a registry, without it, with the remedy
matrix.yaml     pods with every pull policy, for the time without a registry
table.py        the kubelet's behaviour for these pods, next to the library's findings
credentials.py  an image that was pulled with credentials, and pods with and without them
hold.py         such a cluster, which runs until it is ended
"""
