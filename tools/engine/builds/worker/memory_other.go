//go:build !linux

package worker

// limitMemory does nothing: other systems do not limit what a process can take.
func limitMemory(uint64) error { return nil }
