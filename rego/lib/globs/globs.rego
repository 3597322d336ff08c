# METADATA
# title: Globs
# description: |
#   Gatekeeper's patterns: an asterisk at the start or at the end matches anything. Elsewhere it is an ordinary
#   character.
# scope: package
package lib.globs

# METADATA
# title: Whether a text matches one of several patterns
# description: Undefined if none matches, if the patterns are not a collection, or if the text is not a string.
match_any(patterns, text) if {
	is_string(text)
	some pattern in patterns
	_matches(pattern, text)
}

_matches(pattern, text) if pattern == text

_matches(pattern, text) if {
	endswith(pattern, "*")
	startswith(text, trim_suffix(pattern, "*"))
}

_matches(pattern, text) if {
	startswith(pattern, "*")
	endswith(text, trim_prefix(pattern, "*"))
}

_matches(pattern, text) if {
	startswith(pattern, "*")
	endswith(pattern, "*")
	contains(text, trim_suffix(trim_prefix(pattern, "*"), "*"))
}
