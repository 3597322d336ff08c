"""A cluster on this machine, for tests: real programs, a network of its own, and nothing left when the tests end.

requirements.py   whether this machine can run one
isolation.py      a network, mounts and a folder that only this process and what it starts can see
servers.py        programs that serve: start, wait until they do, stop
api.py            what tests say to an API server, themselves or through kubectl
control_plane.py  etcd and kube-apiserver
controllers.py    kube-controller-manager
gatekeeper.py     Gatekeeper's webhook and audit, run beside the control plane rather than as pods
fixtures.py       one for a session of pytest
"""
