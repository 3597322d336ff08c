//go:build !linux

// Package memory limits the memory of the process.
package memory

// Limit does nothing, because other systems cannot limit the memory of a process.
func Limit(uint64) error { return nil }
