# METADATA
# title: Messages
# description: |
#   Text from manifests in messages, which Gatekeeper cuts off at 256 bytes and which people read on terminals.
# scope: package
package lib.messages

# METADATA
# title: The number of bytes of a message that Gatekeeper's audit keeps
max_length := 256

# METADATA
# title: A value as printable ASCII
# description: |
#   Each character is one byte, so lengths are exact. Control characters and characters beyond ASCII become "?".
printable(value) := "(none)" if {
	value == null
} else := regex.replace(value, `[^ -~]`, "?") if {
	is_string(value)
} else := regex.replace(json.marshal(value), `[^ -~]`, "?")

# METADATA
# title: A text of at most so many characters
# description: Three dots replace the middle of a longer text, because both ends of an image reference are informative.
shortened(text, length) := text if {
	count(text) <= length
} else := concat("...", [substring(text, 0, head), substring(text, count(text) - tail, -1)]) if {
	head := floor((length - 3) / 2)
	tail := (length - 3) - head
}

# METADATA
# title: A message of at most max_length characters
# description: The value in the middle is made printable, and shortened to make room for the text around it.
fitted(head, value, tail) := concat("", [head, middle, tail]) if {
	middle := shortened(printable(value), max_length - (count(head) + count(tail)))
}
