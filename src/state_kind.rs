//! The kind of a state folder: casework, a demonstration, or a test.

use crate::named::named;

/// What a state folder was made for; written once, and shown wherever its content could be taken
/// for casework.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateKind {
    /// Real bookings. The plain search door doesn't exist.
    Real,
    Demo,
    Test,
}

named!(StateKind {
    Real = "real" "Casework";
    Demo = "demo" "Demonstration";
    Test = "test" "Test";
});

impl StateKind {
    /// The word in large letters on everything that isn't casework; none on casework.
    pub fn mark(self) -> Option<&'static str> {
        match self {
            Self::Real => None,
            Self::Demo => Some("DEMO"),
            Self::Test => Some("TEST"),
        }
    }
}
