//! The embedding chain's figures.
fn main() {}
