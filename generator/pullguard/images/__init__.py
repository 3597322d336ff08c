"""`pullguard images`: the images that manifests, charts, kustomizations or a cluster use."""
