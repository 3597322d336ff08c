"""A cluster on this machine, for tests: real programs in a network of their own, which leave nothing behind.

requirements.py   whether this machine can run a cluster
isolation.py      a network, mounts and a folder that only this process and its children can see
servers.py        start servers, wait until they are ready, stop them
api.py            requests to an API server, directly or with kubectl
control_plane.py  etcd and kube-apiserver
controllers.py    kube-controller-manager and kube-scheduler
gatekeeper.py     Gatekeeper's webhook and audit, run next to the control plane rather than as pods
stand_ins.py      what stands in for a node where there is none; webhook_server.py serves webhooks there
node.py           kubelet and containerd
processes.py      a process namespace: its processes end with the first of them; a node runs in one
cgroups.py        the cgroup of a node's pods
registry.py       the registry that a node pulls images from, until it is cut off; registry_server.py serves it
fixtures.py       the cluster as a fixture, one per pytest session
"""
