"""Manifests and a library -> findings: what `check` and `fix` share.

judge.py             paths -> a report
sources.py           files -> objects, read by pullguard-check or by Python
kustomizations.py    the namespaces that kustomizations give to their files
namespace_labels.py  the labels of Namespaces that are not in the input
exemptions.py        exceptions that objects state themselves
"""
