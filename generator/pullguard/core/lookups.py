"""What policies look up in data.inventory, and get along without: it is unknown then."""

_GROUP = "admissionregistration.k8s.io"
_IN_INPUTS = ("MutatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingWebhookConfiguration")

#: The kinds without which a policy judges less precisely: what is not in the inventory, it takes for unknown.
LOOKED_UP = frozenset({"Namespace", *_IN_INPUTS})

#: The kinds (GROUP/KIND) that are looked up in what is judged ("of"), and those that are judged by them ("by"). Of
#: Namespaces, an input seldom holds all, and a policy that finds some would take them for all.
INVENTORY = {
    "of": [f"{_GROUP}/{kind}" for kind in _IN_INPUTS],
    "by": [
        f"{_GROUP}/{kind}"
        for kind in (
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        )
    ],
}
