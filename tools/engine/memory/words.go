package memory

import "regexp"

// SIGSEGV on a line of its own is a fault of Go's runtime: its collector uses memory that it requested and did not get.
var lastWords = regexp.MustCompile(
	`(?m)out of memory|cannot allocate memory|failed to (?:reserve|create new OS thread)|^SIGSEGV: segmentation violation$`)

// IsExhausted tells from the last output of a Go program whether it ran out of memory.
func IsExhausted(said string) bool { return lastWords.MatchString(said) }
