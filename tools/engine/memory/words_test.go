package memory

import "testing"

func TestIsExhausted(t *testing.T) {
	for said, expected := range map[string]bool{
		"fatal error: runtime: out of memory\n":                                                             true,
		"fork/exec /proc/self/exe: cannot allocate memory":                                                  true,
		"runtime: failed to create new OS thread (have 5 already; errno=11)":                                true,
		"SIGSEGV: segmentation violation\nPC=0x437cbd m=5 sigcode=1 addr=0x0\n":                             true,
		"panic: runtime error: invalid memory address\n[signal SIGSEGV: segmentation violation code=0x1]\n": false,
		"": false,
	} {
		if IsExhausted(said) != expected {
			t.Errorf("%q is not %v", said, expected)
		}
	}
}
