package memory

import "regexp"

// The same words as in generator/pullguard/core/programs.py, which says why; a test there compares them.
var lastWords = regexp.MustCompile(
	`(?m)out of memory|cannot allocate memory|failed to (?:reserve|create new OS thread)|^SIGSEGV: segmentation violation$`)

// IsExhausted tells from the last output of a Go program whether it ran out of memory.
func IsExhausted(said string) bool { return lastWords.MatchString(said) }
