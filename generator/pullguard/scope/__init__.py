"""`pullguard scope`: what happens to pods in protected namespaces when they are created in a cluster."""
