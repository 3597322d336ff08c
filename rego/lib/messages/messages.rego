# METADATA
# title: Messages
# description: |
#   Text from manifests, made fit for messages that Gatekeeper cuts at 256 bytes and that people read on terminals.
# scope: package
package lib.messages

# METADATA
# title: How many bytes of a message Gatekeeper's audit keeps
max_length := 256

# METADATA
# title: A value as printable ASCII
# description: |
#   One byte a character, so that lengths are exact; control characters and everything beyond ASCII become "?".
printable(value) := "(none)" if {
	value == null
} else := regex.replace(value, `[^ -~]`, "?") if {
	is_string(value)
} else := regex.replace(json.marshal(value), `[^ -~]`, "?")

# METADATA
# title: A text of at most so many characters
# description: The middle of a longer one gives way to "...", as both ends of an image reference tell something.
shortened(text, length) := text if {
	count(text) <= length
} else := concat("...", [substring(text, 0, head), substring(text, count(text) - tail, -1)]) if {
	head := floor((length - 3) / 2)
	tail := (length - 3) - head
}

# METADATA
# title: A message of at most max_length characters
# description: The value in its middle, made printable, gives way to what stands before and after it.
fitted(head, value, tail) := concat("", [head, middle, tail]) if {
	middle := shortened(printable(value), max_length - (count(head) + count(tail)))
}
