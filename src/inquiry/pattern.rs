//! The pattern of an agency's complaint numbers.

use std::fmt;

use super::invalid::InquiryError;
use crate::limits::NUMBER_PATTERN_CHARS_MAX;

/// How an agency writes its complaint numbers, as the roster holds it.
///
/// | in the pattern | stands for |
/// |---|---|
/// | `9` | one digit |
/// | `A` | one letter of A-Z or a-z |
/// | `*`, once at most | any number of letters and digits, none too |
/// | anything else | itself |
///
/// So `99-999999` takes `26-004711`, and `CC9999-*` takes nothing whose second character is no
/// letter: each `A` is a place for a letter, as is each `C` a `C`. A pattern holds at least one
/// `9`, since a number without digits isn't one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberPattern {
    before: Vec<Place>,
    /// What follows the `*`, where there is one.
    after: Option<Vec<Place>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Digit,
    Letter,
    This(char),
}

impl NumberPattern {
    /// Parses a pattern.
    ///
    /// Errors: `InquiryError::Pattern` for one that is empty or too long, has white space at an
    /// end, a character that isn't printable ASCII, no `9` or more than one `*`.
    pub fn parse(found: &str) -> Result<Self, InquiryError> {
        let printable = found.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        let fits = printable
            && found.len() <= NUMBER_PATTERN_CHARS_MAX
            && found.trim() == found
            && found.contains('9');
        let places = |part: &str| part.chars().map(Place::of).collect();
        let pattern = match found.split('*').collect::<Vec<_>>()[..] {
            [whole] => Some(Self { before: places(whole), after: None }),
            [before, after] => Some(Self { before: places(before), after: Some(places(after)) }),
            _ => None,
        };
        pattern.filter(|_| fits).ok_or(InquiryError::Pattern)
    }

    /// Whether a number is written like this, to its last character.
    pub fn fits(&self, number: &str) -> bool {
        let found: Vec<char> = number.chars().collect();
        let begins = |places: &[Place], found: &[char]| {
            places.iter().zip(found).all(|(place, &c)| place.takes(c))
        };
        match &self.after {
            None => found.len() == self.before.len() && begins(&self.before, &found),
            Some(after) => {
                let Some(free) = found.len().checked_sub(self.before.len() + after.len()) else {
                    return false;
                };
                let (start, rest) = found.split_at(self.before.len());
                let (any, end) = rest.split_at(free);
                begins(&self.before, start)
                    && begins(after, end)
                    && any.iter().all(char::is_ascii_alphanumeric)
            }
        }
    }
}

impl Place {
    fn of(c: char) -> Self {
        match c {
            '9' => Self::Digit,
            'A' => Self::Letter,
            other => Self::This(other),
        }
    }

    fn takes(self, c: char) -> bool {
        match self {
            Self::Digit => c.is_ascii_digit(),
            Self::Letter => c.is_ascii_alphabetic(),
            Self::This(wanted) => c == wanted,
        }
    }
}

impl fmt::Display for NumberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let write =
            |places: &[Place]| -> String { places.iter().map(|place| place.sign()).collect() };
        f.write_str(&write(&self.before))?;
        self.after.as_ref().map_or(Ok(()), |after| write!(f, "*{}", write(after)))
    }
}

impl Place {
    fn sign(self) -> char {
        match self {
            Self::Digit => '9',
            Self::Letter => 'A',
            Self::This(c) => c,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_fits_its_pattern_to_the_last_character() {
        for (pattern, fits, not) in [
            (
                "99-999999",
                &["26-004711", "00-000000"][..],
                &["26-04711", "26-0047111", "26 004711", "2A-004711", "", "x26-004711"][..],
            ),
            ("A9999", &["C0815", "c0815"], &["00815", "é0815", "C08155"]),
            ("9*", &["2", "26x", "26004711"], &["", "x", "26-1"]),
            (
                "CC99-*/99",
                &["CC26-/01", "CC26-a1b2/07"],
                &["CC26-/0", "CC26/01", "DC26-1/01", "CC26-1-2/01"],
            ),
            ("*99", &["07", "a07", "12307"], &["7", "a7", "07-"]),
        ] {
            let parsed = NumberPattern::parse(pattern).unwrap();
            assert_eq!(parsed.to_string(), pattern);
            assert!(fits.iter().all(|number| parsed.fits(number)), "{pattern}");
            assert!(not.iter().all(|number| !parsed.fits(number)), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_could_not_be_meant_is_refused() {
        for wrong in [
            "",
            "A-A",
            "9**",
            "9*9*",
            " 99",
            "99 ",
            "99\n",
            "9é",
            "*",
            &"9".repeat(NUMBER_PATTERN_CHARS_MAX + 1),
        ] {
            assert_eq!(NumberPattern::parse(wrong), Err(InquiryError::Pattern), "{wrong}");
        }
    }
}
