//! The gallery: rows in segments, searched exactly.
