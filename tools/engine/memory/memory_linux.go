// Package memory limits the memory of the process.
package memory

import (
	"runtime/debug"
	"syscall"
)

// Limit bounds the memory of the process. Beyond it, the process ends with "out of memory". Reserved memory does not count.
func Limit(bytes uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_DATA, &limit); err != nil {
		return err
	}
	limit.Cur = min(bytes, limit.Max)
	debug.SetMemoryLimit(int64(limit.Cur / 4 * 3)) // collect garbage more often before the limit
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &limit)
}
