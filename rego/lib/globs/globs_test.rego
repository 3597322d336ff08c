package lib.globs_test

import data.lib.globs

test_match_any[name] if {
	some name, [patterns, text] in {
		"exact": [["kube-system"], "kube-system"],
		"prefix": [["kube-*"], "kube-system"],
		"suffix": [["*-system"], "kube-system"],
		"part": [["*e-sys*"], "kube-system"],
		"nothing more than the prefix": [["kube*"], "kube"],
		"everything": [["*"], "kube-system"],
		"everything, twice": [["**"], ""],
		"the second of two": [["shop", "kube-*"], "kube-system"],
		"an asterisk of its own": [["a*b"], "a*b"],
		"the empty text": [[""], ""],
		"a set": [{"kube-*"}, "kube-system"],
		"beside what is no pattern": [[7, null, ["x"], "x"], "x"],
	}
	globs.match_any(patterns, text)
}

test_no_match[name] if {
	some name, [patterns, text] in {
		"another": [["kube-system"], "shop"],
		"no patterns": [[], "x"],
		"longer": [["kube"], "kube-system"],
		"another prefix": [["kube-*"], "my-kube-system"],
		"another suffix": [["*-system"], "kube-system-2"],
		"another part": [["*shop*"], "kube-system"],
		"an asterisk inside": [["kube*system"], "kube-system"],
		"another case": [["Kube-*"], "kube-system"],
		"an empty pattern": [[""], "x"],
		"patterns null": [null, "x"],
		"patterns a string": ["x", "x"],
		"patterns of other types": [[7, null, ["x"], true], "x"],
		"text null": [["*", null], null],
		"text a number": [["*", 7], 7],
	}
	not globs.match_any(patterns, text)
}
