# METADATA
# title: References of images, for lists of them
# description: How much a text says that it is an image, and the one form in which lists name it.
# scope: package
package images.references

import data.lib.images

# METADATA
# title: The full name of an image
# description: |
#   With its registry, library/ for official images, and the tag that is meant if there is neither tag nor digest. If
#   there is a digest, it has no tag: skopeo refuses both. Undefined if the text is not a reference.
full_name(image) := longest[1] if {
	names := {[count(name), name] |
		some name in images.names(image)
		not startswith(name, "index.docker.io/")
		not _has_both(name)
	}
	longest := max(names)
}

_has_both(name) if {
	contains(name, "@")
	images.tag(name)
}

# METADATA
# title: Whether a reference names its registry
# description: Undefined if it does not, or if the text is not a reference.
names_registry(image) if {
	images.is_reference(image)
	images.names_anywhere(image) == set()
}

# METADATA
# title: Whether a reference says more than a word does
# description: It has a tag, a digest or a registry. Undefined if it does not, or if the text is not a reference.
# scope: document
is_distinct(image) if {
	images.is_reference(image)
	_is_versioned(image)
}

is_distinct(image) if names_registry(image)

# METADATA
# title: Whether a reference is one of Git
# description: Its host serves repositories of Git and no images. Undefined if not.
is_git(image) if strings.any_prefix_match(image, ["github.com/", "gitlab.com/", "bitbucket.org/"])

# METADATA
# title: Whether a text can hardly be anything but an image
# description: It names a registry, and has a tag or a digest. Undefined if it does not, or is not a reference.
is_full(image) if {
	names_registry(image)
	not is_git(image)
	_is_versioned(image)
}

_is_versioned(image) if images.tag(image)

_is_versioned(image) if contains(image, "@")
