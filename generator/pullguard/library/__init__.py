"""The library: what is generated, written, loaded and chosen.

config.py              pullguard.yaml -> Config
policies/              rego/policies -> Policy
render/                (policies, config) -> the files of a library; pure
store.py               a library on disk: write, load, compare
bundle.py              the part of a library that conftest reads
found_kinds.py         definitions of custom resources -> entries for customKinds, by crds.py
choice.py              which library judges
ruleset.py             what is to be known of it, and its rules
gatekeeper_validation/ what Gatekeeper accepts: templates, constraints and their parameters
"""
