"""Manifests laid over a snapshot, as `kubectl apply` would."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pullguard.cluster.owners import Identity, identity_of
from pullguard.cluster.snapshot import Snapshot, Stored
from pullguard.core.gatekeeper import dig
from pullguard.forecasting.pods import WORKLOAD_KINDS, template_of

_LISTS = (("containers", "imagePullPolicy"), ("initContainers", "imagePullPolicy"))


def laid_over(snapshot: Snapshot, manifests: Snapshot) -> tuple[Snapshot, frozenset[Identity]]:
    """Return a snapshot with manifests in the place of the objects of the same names, and the workloads among them.

    A pull policy that a manifest does not state stays as it is: the API server has filled it in, and apply leaves alone
    what a manifest never stated.
    """
    stored = {}
    applied = set()
    for kind, entries in snapshot.stored.items():
        known = {_key(entry): entry for entry in entries}
        for entry in manifests.stored[kind]:
            before = known.get(_key(entry))
            known[_key(entry)] = entry if before is None else Stored(entry.file, _kept(entry.object, before.object))
            key = identity_of(entry.object)
            if kind in WORKLOAD_KINDS and key is not None:
                applied.add(key)
        stored[kind] = tuple(known.values())
    result = replace(
        snapshot,
        stored=stored,
        errors=(*snapshot.errors, *manifests.errors),
        notes=(*snapshot.notes, *manifests.notes),
    )
    return result, frozenset(applied)


def _key(entry: Stored) -> tuple[Any, Any]:
    return dig(entry.object, "metadata", "namespace"), dig(entry.object, "metadata", "name")


def _kept(obj: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a workload with the pull policies that it does not state and that it has."""
    spec, earlier = template_of(obj), template_of(before)
    if spec is None or earlier is None:
        return obj
    made = dict(spec)
    for field, policy in _LISTS:
        stored = {dig(each, "name"): dig(each, policy) for each in _entries(earlier, field)}
        if isinstance(spec.get(field), list):
            made[field] = [
                {**each, policy: stored[dig(each, "name")]}
                if isinstance(each, dict) and not each.get(policy) and stored.get(dig(each, "name"))
                else each
                for each in spec[field]
            ]
    return _with_template(obj, made)


def _with_template(obj: Mapping[str, Any], spec: Mapping[str, Any]) -> Mapping[str, Any]:
    path = ("jobTemplate", "spec", "template") if obj.get("kind") == "CronJob" else ("template",)
    made: Any = {**(dig(obj, "spec", *path) or {}), "spec": spec}
    for depth in range(len(path) - 1, -1, -1):
        made = {**(dig(obj, "spec", *path[:depth]) or {}), path[depth]: made}
    return {**obj, "spec": made}


def _entries(spec: Mapping[str, Any], field: str) -> Iterator[Any]:
    entries = spec.get(field)
    yield from entries if isinstance(entries, list) else ()
