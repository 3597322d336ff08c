package memory

import "regexp"

// SIGSEGV on a line of its own is a fault in Go's runtime: its collector uses memory that it asked for and did not get.
var lastWords = regexp.MustCompile(
	`(?m)out of memory|cannot allocate memory|failed to (?:reserve|create new OS thread)|^SIGSEGV: segmentation violation$`)

// IsExhausted tells from the last words of a program in Go whether it had too little memory.
func IsExhausted(said string) bool { return lastWords.MatchString(said) }
