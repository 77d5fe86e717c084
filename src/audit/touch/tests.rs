//! Touches and registrations as keys give them, and each of them changed in every byte.
