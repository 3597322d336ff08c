package read

import "bytes"

// Formats of files that contain other files, by the bytes at an offset.
var forms = []struct {
	at     int
	mark   string
	name   string
	remedy string
}{
	{0, "\x1f\x8b", "gzip", "unpack it first: `gunzip -c FILE`, or for a chart `helm template FILE`"},
	{0, "BZh91AY&SY", "bzip2", "unpack it first: `bunzip2 -c FILE`"},
	{0, "\xfd7zXZ\x00", "xz", "unpack it first: `xz -dc FILE`"},
	{0, "\x28\xb5\x2f\xfd", "zstd", "unpack it first: `zstd -dc FILE`"},
	{0, "PK\x03\x04", "zip", "unpack it first, and name the folder"},
	{0, "7z\xbc\xaf\x27\x1c", "7z", "unpack it first, and name the folder"},
	{257, "ustar", "tar", "unpack it first, and name the folder"},
}

// packed returns a problem if a file, given by its first bytes, is an archive or compressed; otherwise nil.
func packed(data []byte) *Problem {
	for _, form := range forms {
		if len(data) >= form.at && bytes.HasPrefix(data[form.at:], []byte(form.mark)) {
			return &Problem{Document: WholeFile, Message: "a packed file (" + form.name + ")", Remedy: form.remedy}
		}
	}
	return nil
}
