// Package memory limits the memory of the process.
package memory

import (
	"runtime/debug"
	"syscall"
)

// Limit bounds the memory of the process, which ends with "out of memory" beyond that. What is only reserved does not count.
func Limit(bytes uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_DATA, &limit); err != nil {
		return err
	}
	limit.Cur = min(bytes, limit.Max)
	debug.SetMemoryLimit(int64(limit.Cur / 4 * 3)) // garbage is collected more often before that
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &limit)
}
