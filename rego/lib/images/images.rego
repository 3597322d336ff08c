# METADATA
# title: Images
# description: |
#   Image references, and the pull policy that the API server gives a container that states none. Parsing follows
#   distribution/reference, as the API server does.
# scope: package
package lib.images

# METADATA
# title: The values of imagePullPolicy that the API server accepts
valid_policies := {"Always", "IfNotPresent", "Never"}

# METADATA
# title: Tags that usually move from one image to another
# description: Globs for tags_pattern, in the order of the parameters' default.
floating_tags := [
	"*-latest",
	"*-snapshot",
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
	"latest-*",
	"lts",
	"lts-*",
	"main",
	"mainline",
	"mainline-*",
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
	"stable-*",
	"staging",
	"test",
	"testing",
	"tip",
	"trunk",
	"unstable",
]

# METADATA
# title: The pull policy in force
# description: |
#   A stated policy is in force, valid or not. null and "" count as not stated.
# scope: document
effective_policy(stated, image) := implied_policy(image) if not _is_stated(stated)

effective_policy(stated, _) := stated if _is_stated(stated)

# METADATA
# title: The pull policy of a container that states none
# description: |
#   Always if the reference is valid and has the tag latest, or neither tag nor digest. Otherwise IfNotPresent, also for
#   a value that is not a string or cannot be parsed.
implied_policy(image) := "Always" if {
	_names_latest(image)
} else := "IfNotPresent"

# METADATA
# title: Whether the API server can parse an image
# description: Undefined if it cannot, or if the value is not a string.
is_reference(image) if {
	regex.match(_reference, image)
	_keeps_limits(image)
}

# METADATA
# title: Whether an image is pinned
# description: A pinned image has a digest, or a tag that is not floating. Undefined if it is not pinned.
# scope: document
pinned(image) if contains(image, "@")

pinned(image) if {
	tag(image)
	not regex.match(_floating, image)
}

_floating := tags_pattern(floating_tags)

# METADATA
# title: The regular expression of references without a digest whose tag matches one of several globs
# description: |
#   It ignores case. One expression is much cheaper than many globs. Undefined if the globs are not a collection of
#   strings.
tags_pattern(globs) := concat("", [`(?i)^[^@]*:(?:`, tags, ")$"]) if {
	tags := strings.replace_n({".": `\.`, "*": `[\w.-]*`}, regex.replace(concat("|", globs), `[^\w.*|-]`, " "))
}

# METADATA
# title: The tag of a reference
# description: The text between a colon after the last slash and the digest. Undefined if there is no tag.
tag(image) := parts[1] if {
	segments := split(split(image, "@")[0], "/")
	parts := split(segments[count(segments) - 1], ":")
	count(parts) == 2
	parts[1] != ""
}

# METADATA
# title: The names under which a node can list an image
# description: |
#   A set of references, with and without the parts that can be left out: docker.io, library/ and the tag latest. If
#   there is a digest, the tag may be missing. Undefined if the image is not a reference.
names(image) := {concat("", [repository, version]) |
	some repository in _repositories(_repository(image))
	some version in _versions(image)
} if {
	is_reference(image)
}

# METADATA
# title: The names of an image that may come from any registry
# description: |
#   A set, in which an asterisk stands for the registry. Empty if the image names a registry, or is not a reference.
names_anywhere(image) := {concat("", ["*/", repository, version]) | some version in _versions(image)} if {
	is_reference(image)
	repository := _repository(image)
	not regex.match(_with_registry, repository)
} else := set()

# The first of several components is a domain if it has a dot, a colon or an upper-case letter.
_with_registry := `^(?:[^/]*[.:A-Z][^/]*|localhost)/`

_is_stated(stated) if not stated in {null, ""}

_names_latest(image) if {
	regex.match(_latest_reference, image)
	_keeps_limits(image)
}

_reference := concat("", ["^", _name, `(?::\w[\w.-]{0,127})?(?:`, _digest, ")?$"])

# A reference whose tag is latest or that has neither tag nor digest.
_latest_reference := concat("", ["^", _name, `(?::latest(?:`, _digest, ")?)?$"])

_name := concat("", ["(?:", _domain, "/)?", _component, "(?:/", _component, ")*"])

_digest := `@(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})`

_component := `[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*`

_domain := concat("", ["(?:", _domain_component, `(?:\.`, _domain_component, `)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`])

_domain_component := "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"

# The limits that a regular expression cannot state.
_keeps_limits(image) if {
	not regex.match(`^[a-f0-9]{64}$`, image)
	_path_length(image) <= 255
}

# The length of the repository's path: without the domain, but with the `library/` that Docker Hub implies.
_path_length(image) := count(image) if {
	count(image) < 200 # far from the limit, whatever the parts are
} else := count(path) + count(_implied_prefix(domain, path)) if {
	[domain, path] := _split_domain(_repository(image))
}

_repository(image) := regex.replace(image, `(?::[\w.-]+)?(?:@.*)?$`, "")

# The first component is a domain if it has the form of one. Otherwise it is part of the path, and no domain is implied.
_split_domain(name) := ["docker.io", name] if {
	not regex.match(_with_registry, name)
} else := [first, substring(name, count(first) + 1, -1)] if {
	first := split(name, "/")[0]
	regex.match(concat("", ["^", _domain, "$"]), first)
} else := ["", name]

_implied_prefix(domain, path) := "library/" if {
	domain in _docker_hub
	not contains(path, "/")
} else := ""

_docker_hub := {"docker.io", "index.docker.io"}

_repositories(repository) := {form |
	short := _without_library(path)
	some full in {short, concat("", [_implied_prefix(domain, short), short])}
	some form in {full, sprintf("docker.io/%s", [full]), sprintf("index.docker.io/%s", [full])}
	_split_domain(form)[0] in _docker_hub # without this domain, the first component of the path could be taken for one
} if {
	[domain, path] := _split_domain(repository)
	domain in _docker_hub
} else := {repository}

# Only official images can leave out library/.
_without_library(path) := trim_prefix(path, "library/") if {
	count(split(path, "/")) == 2
} else := path

_versions(image) := {digest, concat("", [_stated_tag(image), digest])} if {
	contains(image, "@")
	digest := sprintf("@%s", [split(image, "@")[1]])
} else := {"", ":latest"} if {
	_stated_tag(image) in {"", ":latest"}
} else := {_stated_tag(image)}

_stated_tag(image) := sprintf(":%s", [tag(image)]) if {
	tag(image)
} else := ""
