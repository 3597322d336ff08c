package read

import "slices"

// dropDuplicates keeps only the last entry for each key of each mapping. It returns the duplicate keys in the order of the
// document.
func (d *Document) dropDuplicates() []duplicate {
	var found []duplicate
	dropped := map[int]bool{} // by the indices of their keys
	for index := range d.nodes {
		// Keys are strings, and have nodes in the tape like values.
		if d.Kind(index) != Mapping {
			continue
		}
		type entries struct{ first, last int }
		seen := map[string]entries{}
		for at, end := index+1, d.Next(index); at < end; at = d.Next(at + 1) {
			key := string(d.Text(at))
			same, isThere := seen[key]
			if !isThere {
				seen[key] = entries{at, at}
				continue
			}
			found = append(found, duplicate{key, d.LineOf(at), d.LineOf(same.first), index == 0})
			dropped[same.last] = true
			seen[key] = entries{same.first, at}
		}
	}
	slices.SortStableFunc(found, func(a, b duplicate) int { return a.line - b.line })
	kept := make([]node, 0, len(d.nodes))
	var keep func(index int)
	keep = func(index int) {
		place := len(kept)
		kept = append(kept, d.nodes[index])
		switch d.Kind(index) {
		case Mapping:
			for at, end := index+1, d.Next(index); at < end; at = d.Next(at + 1) {
				if !dropped[at] {
					keep(at)
					keep(at + 1)
				}
			}
		case Sequence:
			for at, end := index+1, d.Next(index); at < end; at = d.Next(at) {
				keep(at)
			}
		}
		kept[place].next = uint32(len(kept))
	}
	keep(0)
	d.nodes = kept
	return found
}
