//! Reader of opened details, merged with the leaves they belong to; both are in the order of
//! leaves.

use crate::audit::{Place, Remarks, SALT_BYTES};
use crate::client::log_folder::{DETAILS, LogFolderError, OpenedDetail};

/// A detail with its line and its salt.
pub(super) type Given = (usize, [u8; SALT_BYTES], OpenedDetail);

/// Opened details, given out leaf by leaf.
pub(super) struct Details<D> {
    lines: D,
    next: Option<Given>,
    after: Option<Given>,
    newest: Option<u64>,
    violations: Remarks,
}

impl<D: Iterator<Item = Result<(usize, OpenedDetail), LogFolderError>>> Details<D> {
    pub(super) fn new(lines: D) -> Self {
        let mut details =
            Self { lines, next: None, after: None, newest: None, violations: Remarks::default() };
        details.fill();
        details
    }

    /// The detail of a leaf, asked for leaf by leaf; none where it wasn't opened.
    pub(super) fn of(&mut self, leaf: u64) -> Option<Given> {
        let given = self.next.take_if(|(_, _, detail)| detail.leaf == leaf)?;
        self.newest = Some(leaf);
        self.fill();
        Some(given)
    }

    /// What was wrong with lines, and those that are left over.
    pub(super) fn end(mut self, leaves: u64) -> Remarks {
        while let Some((line, _, detail)) = self.next.take() {
            self.wrong(
                line,
                format!("is the detail of leaf {}, and the log has {leaves} leaves", detail.leaf),
            );
            self.newest = Some(detail.leaf);
            self.fill();
        }
        self.violations
    }

    /// Gets the next line whose leaf comes after the last one and before that of the line behind
    /// it.
    fn fill(&mut self) {
        loop {
            self.next = self.next.take().or_else(|| self.after.take()).or_else(|| self.line());
            self.after = self.after.take().or_else(|| self.line());
            let leaf = |given: &Option<Given>| given.as_ref().map(|(_, _, detail)| detail.leaf);
            let out_of_order = match (leaf(&self.next), leaf(&self.after)) {
                (Some(next), _) if self.newest.is_some_and(|newest| next <= newest) => {
                    self.next.take()
                }
                // Of two lines in the wrong order, the one that doesn't fit between its neighbours
                // is out of place.
                (Some(next), Some(after))
                    if after <= next && self.newest.is_none_or(|newest| after > newest) =>
                {
                    self.next.take()
                }
                (Some(next), Some(after)) if after <= next => self.after.take(),
                _ => return,
            };
            if let Some((line, _, detail)) = out_of_order {
                self.wrong(
                    line,
                    format!(
                        "is the detail of leaf {}, which does not stand in the order of leaves",
                        detail.leaf
                    ),
                );
            }
        }
    }

    fn line(&mut self) -> Option<Given> {
        loop {
            match self.lines.next()? {
                Ok((line, detail)) => match salt(&detail.salt) {
                    Some(salt) => return Some((line, salt, detail)),
                    None => {
                        self.wrong(line, "its salt is not 64 hexadecimal digits in small letters")
                    }
                },
                Err(LogFolderError::Line { line, reason, .. }) => {
                    self.wrong(line, format!("is no line of an opened detail: {reason}"))
                }
                Err(e) => {
                    self.violations.add(Place::File { path: DETAILS.to_owned() }, e.to_string())
                }
            }
        }
    }

    fn wrong(&mut self, line: usize, what: impl Into<String>) {
        self.violations.add(Place::Line { path: DETAILS.to_owned(), line }, what);
    }
}

fn salt(digits: &str) -> Option<[u8; SALT_BYTES]> {
    let salt: [u8; SALT_BYTES] = hex::decode(digits).ok()?.try_into().ok()?;
    // In one way only, so that a changed line is a changed salt.
    (hex::encode(salt) == digits).then_some(salt)
}
