# METADATA
# title: Images
# description: |
#   Image references, and the pull policy that the API server gives a container that states none. Parsing follows
#   distribution/reference, as the API server does.
# scope: package
package lib.images

# METADATA
# title: The values of imagePullPolicy that the API server takes
valid_policies := {"Always", "IfNotPresent", "Never"}

# METADATA
# title: Tags that are moved from one image to another as a habit
floating_tags := {
	"alpha",
	"beta",
	"canary",
	"current",
	"dev",
	"devel",
	"develop",
	"development",
	"edge",
	"head",
	"latest",
	"lts",
	"main",
	"mainline",
	"master",
	"next",
	"nightly",
	"prod",
	"production",
	"rc",
	"release",
	"rolling",
	"snapshot",
	"stable",
	"staging",
	"test",
	"testing",
	"tip",
	"trunk",
	"unstable",
}

# METADATA
# title: The pull policy in force
# description: |
#   A stated policy stands, valid or not; null and "" count as not stated. Undefined for no input.
effective_policy(stated, image) := implied_policy(image) if not _is_stated(stated)

effective_policy(stated, _) := stated if _is_stated(stated)

# METADATA
# title: The pull policy of a container that states none
# description: |
#   Always if the reference is valid and its tag is latest, stated or for want of tag and digest; else IfNotPresent, also for
#   what is no string or cannot be parsed.
implied_policy(image) := "Always" if {
	_names_latest(image)
} else := "IfNotPresent"

# METADATA
# title: Whether the name of an image keeps to one image
# description: A digest, or a tag that is not floating. Undefined if not.
pinned(image) if contains(image, "@")

pinned(image) if {
	stated := tag(image)
	not lower(stated) in floating_tags
}

# METADATA
# title: The tag of a reference
# description: What follows a colon behind the last slash, before the digest. Undefined if there is none.
tag(image) := parts[1] if {
	segments := split(split(image, "@")[0], "/")
	parts := split(segments[count(segments) - 1], ":")
	count(parts) == 2
	parts[1] != ""
}

_is_stated(stated) if not stated in {null, ""}

# The pattern below is exact but for two limits, which no regular expression can hold.
_names_latest(image) if {
	regex.match(_latest_reference, image)
	not regex.match(`^[a-f0-9]{64}$`, image)
	_path_length(image) <= 255
}

# A reference whose tag is latest or that has neither tag nor digest.
_latest_reference := concat("", [
	`^(?:`,
	_domain,
	`/)?`,
	_component,
	`(?:/`,
	_component,
	`)*(?::latest(?:@(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}))?)?$`,
])

_component := `[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*`

_domain := `(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`

# The length of the repository's path: behind the domain, and with the `library/` that Docker Hub implies.
_path_length(image) := count(image) if {
	count(image) < 200 # far from the limit, whatever the parts are
} else := count(path) + count(_implied_prefix(domain, path)) if {
	[domain, path] := _split_domain(trim_suffix(split(image, "@")[0], ":latest"))
}

# The first of several components is a domain if it has a dot, a colon or an upper-case letter and the form of one; without
# the form it is part of the path, and no domain is implied.
_split_domain(name) := ["docker.io", name] if {
	not regex.match(`^(?:[^/]*[.:A-Z][^/]*|localhost)/`, name)
} else := [first, substring(name, count(first) + 1, -1)] if {
	first := split(name, "/")[0]
	regex.match(concat("", ["^", _domain, "$"]), first)
} else := ["", name]

_implied_prefix(domain, path) := "library/" if {
	domain in {"docker.io", "index.docker.io"}
	not contains(path, "/")
} else := ""
