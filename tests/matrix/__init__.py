"""Every supported version of Gatekeeper, Kubernetes and Python: `make test-matrix`."""
