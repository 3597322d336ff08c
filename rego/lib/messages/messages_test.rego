package lib.messages_test

import data.lib.messages

test_printable[name] if {
	some name, [value, text] in {
		"ascii": ["a b~", "a b~"],
		"control characters": ["a\nb\u001b[31mc\u0000", "a?b?[31mc?"],
		"beyond ascii": ["ü€😀", "???"],
		"null": [null, "(none)"],
		"number": [7, "7"],
		"list": [["é"], "[\"?\"]"],
	}
	messages.printable(value) == text
}

test_shortened[name] if {
	some name, [text, length, short] in {
		"fits": ["abcdefgh", 8, "abcdefgh"],
		"odd": ["abcdefghi", 8, "ab...ghi"],
		"even": ["abcdefghi", 7, "ab...hi"],
	}
	messages.shortened(text, length) == short
}

test_fitted[name] if {
	long := concat("", [letter | some _ in numbers.range(1, 50); letter := "0123456789"])
	some name, [value, message] in {
		"short": ["x:1", "image \"x:1\": bad"],
		"no string": [null, "image \"(none)\": bad"],
		"beyond ascii": ["ü\n", "image \"??\": bad"],
		"long": [long, sprintf("image \"%s...%s\": bad", [substring(long, 0, 120), substring(long, 380, -1)])],
	}
	messages.fitted("image \"", value, "\": bad") == message
	count(message) <= messages.max_length
}
