// Verifies a log of smrtd with nothing but Go's own packages for signed notes and transparency
// logs: cases come in as JSON, one a line, and one verdict a line goes out: "accepted", or
// "refused", what was wrong (note, proof, tile) and why. Ours are only the few lines that those
// packages leave to their callers: the three lines of a checkpoint, where tiles lie, and how a
// witness' key signs.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A testCase is one claim about a log. Whatever it claims, its checkpoint must be signed.
type testCase struct {
	Claim   string      `json:"claim"`   // checkpoint, inclusion, consistency or tiles
	Key     string      `json:"key"`     // the log's verifier key
	Witness string      `json:"witness"` // that of a witness that must have cosigned; none if empty
	Note    string      `json:"note"`    // the signed checkpoint
	Old     string      `json:"old"`     // consistency: the signed checkpoint of the smaller tree
	Leaf    []byte      `json:"leaf"`    // inclusion, tiles: the leaf
	Index   int64       `json:"index"`   // inclusion, tiles: where it stands
	Proof   []tlog.Hash `json:"proof"`   // inclusion, consistency, tiles: what shows it
	Folder  string      `json:"folder"`  // tiles: where the files are
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var c testCase
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			// No verdict: a case that can't be read proves nothing about the log.
			fmt.Fprintln(os.Stderr, "verify: not a case:", err)
			os.Exit(1)
		}
		if err := c.verify(); err != nil {
			fmt.Println("refused", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("accepted")
		}
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}

func (c *testCase) verify() error {
	tree, err := c.open(c.Note)
	if err != nil {
		return fmt.Errorf("note: %w", err)
	}
	switch c.Claim {
	case "checkpoint":
		return nil
	case "inclusion":
		leaf := tlog.RecordHash(c.Leaf)
		if err := tlog.CheckRecord(c.Proof, tree.N, tree.Hash, c.Index, leaf); err != nil {
			return fmt.Errorf("proof: %w", err)
		}
		return nil
	case "consistency":
		old, err := c.open(c.Old)
		if err != nil {
			return fmt.Errorf("note: %w", err)
		}
		if err := tlog.CheckTree(c.Proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			return fmt.Errorf("proof: %w", err)
		}
		return nil
	case "tiles":
		return c.readTiles(tree)
	}
	return fmt.Errorf("claim: %q is unknown", c.Claim)
}

// open verifies the signatures of a note and reads the checkpoint that they are under.
func (c *testCase) open(signed string) (tlog.Tree, error) {
	log, err := note.NewVerifier(c.Key)
	if err != nil {
		return tlog.Tree{}, err
	}
	wanted := []note.Verifier{log}
	if c.Witness != "" {
		witness, err := newWitness(c.Witness)
		if err != nil {
			return tlog.Tree{}, err
		}
		wanted = append(wanted, witness)
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(wanted...))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(opened.Sigs) != len(wanted) {
		return tlog.Tree{}, fmt.Errorf("%d of %d signatures", len(opened.Sigs), len(wanted))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != log.Name() {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	leaves, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: leaves, Hash: root}, err
}

// readTiles reads a leaf from its bundle and its hash from the tiles, which the reader holds
// against the root, and proves it anew.
func (c *testCase) readTiles(tree tlog.Tree) error {
	reader := tlog.TileHashReader(tree, folder(c.Folder))
	hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, c.Index)})
	if err != nil {
		return fmt.Errorf("tile: %w", err)
	}
	leaf, err := folder(c.Folder).leaf(c.Index, tree.N)
	if err != nil {
		return fmt.Errorf("tile: %w", err)
	}
	if tlog.RecordHash(leaf) != hashes[0] || !bytes.Equal(leaf, c.Leaf) {
		return errors.New("tile: the leaf is not the one that was hashed")
	}
	proof, err := tlog.ProveRecord(tree.N, c.Index, reader)
	if err != nil {
		return fmt.Errorf("tile: %w", err)
	}
	if len(proof) != len(c.Proof) {
		return errors.New("proof: not as long as the one from the tiles")
	}
	for i := range proof {
		if proof[i] != c.Proof[i] {
			return errors.New("proof: not the one from the tiles")
		}
	}
	return nil
}

// A folder holds tiles of height 8 at the paths of C2SP tlog-tiles, which are Go's without the
// height.
type folder string

func (f folder) Height() int { return 8 }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := f.read(tile, "tile/8/", "tile/")
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// read gives the file of a tile.
func (f folder) read(tile tlog.Tile, theirs, ours string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), ours+strings.TrimPrefix(tile.Path(), theirs)))
}

// leaf reads one leaf of a bundle: each lies behind its length in two bytes, big-endian.
func (f folder) leaf(index, leaves int64) ([]byte, error) {
	tile := tlog.Tile{H: 8, L: -1, N: index >> 8, W: 256}
	if leaves-tile.N<<8 < 256 {
		tile.W = int(leaves - tile.N<<8)
	}
	bundle, err := f.read(tile, "tile/8/data/", "tile/entries/")
	if err != nil {
		return nil, err
	}
	for at := int64(0); len(bundle) >= 2; at++ {
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if end > len(bundle) {
			break
		}
		if at == index&255 {
			return bundle[2:end], nil
		}
		bundle = bundle[end:]
	}
	return nil, errors.New("the bundle has no such leaf")
}

// A witness verifies cosignature/v1 of C2SP tlog-cosignature: a time of 8 bytes and an Ed25519
// signature over it and the text.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newWitness(text string) (note.Verifier, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not a witness' key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		return nil, errors.New("not a witness' key")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	return &witness{parts[0], binary.BigEndian.Uint32(sum[:]), key[1:]}, nil
}

func (w *witness) Name() string { return w.name }

func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	signed := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
	return ed25519.Verify(w.key, signed, signature[8:])
}
