//! Doors and their keys: who is calling.
