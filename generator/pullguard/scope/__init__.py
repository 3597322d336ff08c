"""`pullguard scope`: what happens to pods in protected namespaces on their way into a cluster."""
