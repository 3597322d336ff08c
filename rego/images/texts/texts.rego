# METADATA
# title: Images in strings
# description: |
#   Which strings are images, by their form and by what they are called, and how sure that is. "likely": the name says
#   so and the form fits, or the form leaves no doubt. "possible": only the name says so, or it stands in a text.
# scope: package
package images.texts

import data.images.references
import data.lib.images

# METADATA
# title: The images in a string
# description: |
#   A set of {image, sure}. `name` is what the string is called: a field, a variable or a flag. Commas separate several
#   images. A string with white space is a text: of a script, a template or a file.
# scope: document
in_string(name, text) := _in_text(name, text) if {
	is_text(text)
} else := {found |
	[called, value] := _setting(name, trim_space(text))
	some word in split(value, ",")
	found := _word(called, word)
}

# METADATA
# title: Whether a string is more than one word, or JSON
is_text(text) if regex.match(`\S\s+\S|\{"|^\s*\["`, text)

# METADATA
# title: Whether a name says that its value is an image
names_image(name) if {
	regex.match(`(?:image|Image|IMAGE|img|IMG)[sS]?(?:[^a-z]|$)`, name)
	not regex.match(`(?i)arch|class|digest|feature|format|policy|pull|regist|repo|secret|size|tag|type|version`, name)
}

# A flag has a name of its own.
_setting(name, text) := [flag, value] if {
	[_, flag, value] := regex.find_all_string_submatch_n(`^--?([\w.-]+)=["']?([^"']*)["']?$`, text, 1)[0]
} else := [name, text]

_word(name, text) := {"image": text, "sure": "likely"} if {
	_is_likely(name, text)
} else := {"image": text, "sure": "possible"} if {
	names_image(name)
	images.is_reference(text)
	not text in {"true", "false"}
}

_is_likely(name, text) if {
	names_image(name)
	references.is_distinct(text)
}

_is_likely(_, text) if references.is_full(text)

# A text may hold anything, unless its name says that it is about images.
_in_text(name, text) := {found |
	shown := concat("\n", [line | some line in split(text, "\n"); not regex.match(`^\s*(?:#|//|;)`, line)])
	some image in (_named(shown) | _alone(shown))
	found := {"image": image, "sure": _in_text_called(name, image)}
}

_in_text_called(name, image) := "likely" if {
	names_image(name)
	references.is_full(image)
} else := "possible"

_named(text) := {image |
	some [_, name, image] in regex.find_all_string_submatch_n(_assignment, text, -1)
	names_image(name)
	references.is_distinct(image)
}

_alone(text) := {image |
	some [_, image] in regex.find_all_string_submatch_n(_full, text, -1)
	references.is_full(image)
}

_assignment := `([\w.-]*(?:image|Image|IMAGE)[\w.-]*)["']?\s*[:=]\s*["']?([\w./:@-]+)`

# What follows :// is an address.
_full := `(?:^|[\s"'=(,\[])((?:[\w-]+\.)+[\w-]+(?::[0-9]+)?/[\w./-]+(?::[\w.-]+)?(?:@sha256:[a-f0-9]{64})?)`
