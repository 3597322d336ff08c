"""Manifests and a library -> findings: what `check` and `fix` share.

prepare.py            a library -> what the engine loads
judge.py              paths -> a report
inputs.py             what is judged, and how much was read
by_conftest.py        the same with conftest
collector.py          answers -> findings and errors in the order of the input
target_namespaces.py  the namespaces that objects go to
kustomizations.py     those that kustomizations give to their files
namespace_labels.py   the labels of Namespaces that are not in the input
pull_policy_drift.py  pods that differ from their templates
exemptions.py         exceptions that objects state themselves
"""
