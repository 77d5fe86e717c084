//! Photo bytes to faces, quality and embedding.
