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
