//go:build !linux

// Package memory bounds what the process can take.
package memory

// Limit does nothing: other systems do not limit what a process can take.
func Limit(uint64) error { return nil }
