package protocol

import (
	"bytes"
	"io"
	"os"
	"sync"
)

const mostInMemory = 1 << 23 // bytes

// A spool keeps data in memory, and in a file once it is large.
type spool struct {
	mutex  sync.Mutex
	memory []byte
	file   *os.File // without a name
	size   int64
}

// add keeps data, and returns its position.
func (s *spool) add(data []byte) (at int64, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	at = s.size
	s.size += int64(len(data))
	if s.file == nil && len(s.memory)+len(data) <= mostInMemory {
		s.memory = append(s.memory, data...)
		return at, nil
	}
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "pullguard-engine-"); err != nil {
			return 0, err
		}
		if err := os.Remove(s.file.Name()); err != nil {
			return 0, err
		}
		if _, err := s.file.Write(s.memory); err != nil {
			return 0, err
		}
		s.memory = nil
	}
	_, err = s.file.Write(data)
	return at, err
}

// reader returns a reader of all data.
func (s *spool) reader() io.ReaderAt {
	if s.file != nil {
		return s.file
	}
	return bytes.NewReader(s.memory)
}

// close removes the data.
func (s *spool) close() {
	if s.file != nil {
		s.file.Close()
	}
	s.file, s.memory, s.size = nil, nil, 0
}
