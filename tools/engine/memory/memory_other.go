//go:build !linux

// Package memory limits the memory of the process.
package memory

// Limit does nothing: other systems do not limit what a process can take.
func Limit(uint64) error { return nil }
