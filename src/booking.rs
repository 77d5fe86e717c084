//! Bookings as an agency states them. What doesn't parse here doesn't exist below the door.

use serde::{Deserialize, Deserializer, Serialize};
use time::Date;

pub use crate::ids::VersionId;
use crate::limits::{BOOKING_NUMBER_CHARS_MAX, CHARGES_MAX, IDENTIFIER_CHARS_MAX, TEXT_CHARS_MAX};
use crate::named::named;
use crate::rule::Rule;

/// Why words are no booking data.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BookingError {
    /// An agency's or device's identifier is malformed.
    #[error(
        "identifier '{found}' is not 1 to {IDENTIFIER_CHARS_MAX} of a-z, 0-9 and '-', beginning \
         with a letter or digit"
    )]
    Identifier {
        /// What was given.
        found: String,
    },
    /// A booking number is malformed.
    #[error(
        "booking number '{found}' is not 1 to {BOOKING_NUMBER_CHARS_MAX} of A-Z, a-z, 0-9, '.', \
         '_' and '-', beginning with a letter or digit"
    )]
    Number {
        /// What was given.
        found: String,
    },
    /// A text field is empty, too long or holds control characters.
    #[error(
        "a text has {found} characters, wanted 1 to {TEXT_CHARS_MAX} without control characters"
    )]
    Text {
        /// Characters given.
        found: usize,
    },
}

impl BookingError {
    /// The rule by which it is refused.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Identifier { .. } | Self::Number { .. } | Self::Text { .. } => Rule::Malformed,
        }
    }
}

/// A short name for an agency or a device, as certificates carry it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier(String);

/// The number under which an agency knows a booking.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BookingNumber(String);

/// One line of text: not blank, bounded, without control characters, trimmed.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(String);

/// The basic booking data that comes with a photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingData {
    /// The person's name as booked.
    #[schema(value_type = String, max_length = 200)]
    pub name: Text,
    /// Date of birth as booked, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "iso_date_option")]
    #[schema(value_type = Option<String>, format = Date)]
    pub date_of_birth: Option<Date>,
    /// Date of the booking, `YYYY-MM-DD`.
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    pub booked_on: Date,
    /// Charges as booked.
    #[serde(default, deserialize_with = "charges")]
    #[schema(value_type = Vec<String>, max_items = 64)]
    pub charges: Vec<Text>,
    /// Why the photo was taken.
    pub basis: CollectionBasis,
}

/// The occasions on which a mugshot may have been collected (SO-B5): a closed list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CollectionBasis {
    /// A booking after an arrest.
    PostArrestBooking,
    /// Another contact for which mugshots are generally taken.
    OtherContact {
        /// Which contact.
        #[schema(value_type = String, max_length = 200)]
        contact: Text,
    },
    /// A photo that reflects views or associations, directly related to criminal conduct that as
    /// standard practice required a mugshot.
    CriminalConduct {
        /// Which conduct.
        #[schema(value_type = String, max_length = 200)]
        conduct: Text,
    },
}

impl BookingData {
    /// Booking data with what every booking must have; the rest is absent.
    pub fn new(name: Text, booked_on: Date, basis: CollectionBasis) -> Self {
        Self { name, date_of_birth: None, booked_on, charges: Vec::new(), basis }
    }
}

/// An occasion of the list, whatever it states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BasisKind {
    PostArrestBooking,
    OtherContact,
    CriminalConduct,
}

named!(BasisKind {
    PostArrestBooking = "post_arrest_booking" "booking after an arrest";
    OtherContact = "other_contact" "other contact";
    CriminalConduct = "criminal_conduct" "criminal conduct";
});

impl BasisKind {
    /// Whether it states which one.
    pub fn has_detail(self) -> bool {
        match self {
            Self::PostArrestBooking => false,
            Self::OtherContact | Self::CriminalConduct => true,
        }
    }
}

impl CollectionBasis {
    /// An occasion with its detail; none where one is given that isn't wanted, or wanted and not
    /// given.
    pub fn new(kind: BasisKind, detail: Option<Text>) -> Option<Self> {
        match (kind, detail) {
            (BasisKind::PostArrestBooking, None) => Some(Self::PostArrestBooking),
            (BasisKind::OtherContact, Some(contact)) => Some(Self::OtherContact { contact }),
            (BasisKind::CriminalConduct, Some(conduct)) => Some(Self::CriminalConduct { conduct }),
            _ => None,
        }
    }

    /// Which occasion of the list it is.
    pub fn kind(&self) -> BasisKind {
        match self {
            Self::PostArrestBooking => BasisKind::PostArrestBooking,
            Self::OtherContact { .. } => BasisKind::OtherContact,
            Self::CriminalConduct { .. } => BasisKind::CriminalConduct,
        }
    }

    /// Which contact or conduct it was.
    pub fn detail(&self) -> Option<&Text> {
        match self {
            Self::PostArrestBooking => None,
            Self::OtherContact { contact: detail } | Self::CriminalConduct { conduct: detail } => {
                Some(detail)
            }
        }
    }
}

impl std::fmt::Display for CollectionBasis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.detail() {
            None => f.write_str(self.kind().words()),
            Some(detail) => write!(f, "{}: {detail}", self.kind().words()),
        }
    }
}

impl Identifier {
    /// Parses an identifier.
    pub fn parse(found: &str) -> Result<Self, BookingError> {
        let fits = found.len() <= IDENTIFIER_CHARS_MAX
            && found.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && found.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fits {
            Ok(Self(found.to_owned()))
        } else {
            Err(BookingError::Identifier { found: clip(found) })
        }
    }

    /// The identifier's characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl BookingNumber {
    /// Parses a booking number.
    pub fn parse(found: &str) -> Result<Self, BookingError> {
        let fits = found.len() <= BOOKING_NUMBER_CHARS_MAX
            && found.starts_with(|c: char| c.is_ascii_alphanumeric())
            && found.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if fits {
            Ok(Self(found.to_owned()))
        } else {
            Err(BookingError::Number { found: clip(found) })
        }
    }

    /// The number's characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text {
    /// Parses a text; white space at its ends goes.
    pub fn parse(found: &str) -> Result<Self, BookingError> {
        let trimmed = found.trim();
        let chars = trimmed.chars().count();
        if chars == 0 || chars > TEXT_CHARS_MAX || trimmed.chars().any(char::is_control) {
            return Err(BookingError::Text { found: chars });
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The text's characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Enough of a wrong input to recognise it, never all of it.
fn clip(found: &str) -> String {
    found.chars().filter(|c| !c.is_control()).take(40).collect()
}

fn charges<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Text>, D::Error> {
    let charges = Vec::<Text>::deserialize(deserializer)?;
    if charges.len() > CHARGES_MAX {
        return Err(serde::de::Error::custom(format!(
            "{} charges, at most {CHARGES_MAX} are accepted",
            charges.len()
        )));
    }
    Ok(charges)
}

/// Displays, debugs, serialises and parses a type through its one string form.
macro_rules! string_form {
    ($type:ty, $parse:expr, $show:expr) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let show: fn(&$type) -> String = $show;
                f.write_str(&show(self))
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($type))
            }
        }

        impl std::str::FromStr for $type {
            type Err = BookingError;

            fn from_str(s: &str) -> Result<Self, BookingError> {
                $parse(s)
            }
        }

        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let s = String::deserialize(deserializer)?;
                $parse(&s).map_err(serde::de::Error::custom)
            }
        }
    };
}

string_form!(Identifier, Identifier::parse, |v| v.0.clone());
string_form!(BookingNumber, BookingNumber::parse, |v| v.0.clone());
string_form!(Text, Text::parse, |v| v.0.clone());

/// Dates as `YYYY-MM-DD`.
pub mod iso_date {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _, ser::Error as _};
    use time::{Date, format_description::BorrowedFormatItem, macros::format_description};

    const FORMAT: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

    /// Parses a date.
    pub fn parse(s: &str) -> Result<Date, time::error::Parse> {
        Date::parse(s, FORMAT)
    }

    /// Writes a date.
    pub fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&date.format(FORMAT).map_err(S::Error::custom)?)
    }

    /// Reads a date.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let s = String::deserialize(deserializer)?;
        parse(&s).map_err(|_| {
            D::Error::custom(format!("'{}' is not a date of the form YYYY-MM-DD", super::clip(&s)))
        })
    }
}

pub(crate) mod iso_date_option {
    use serde::{Deserialize, Deserializer, Serializer};
    use time::Date;

    #[derive(Deserialize)]
    struct Wrapped(#[serde(with = "super::iso_date")] Date);

    #[expect(clippy::ref_option, reason = "serde's `with` passes a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(
        date: &Option<Date>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match date {
            Some(date) => super::iso_date::serialize(date, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Date>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|w| w.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = concat!(
        r#"{"name":" Jane Roe ","date_of_birth":"1980-02-29","booked_on":"2026-11-01","#,
        r#""charges":["trespass"],"basis":{"kind":"post_arrest_booking"}}"#,
    );

    #[test]
    fn a_booking_survives_json() {
        let booking: BookingData = serde_json::from_str(GOOD).unwrap();
        assert_eq!(booking.name.as_str(), "Jane Roe");
        let again: BookingData =
            serde_json::from_str(&serde_json::to_string(&booking).unwrap()).unwrap();
        assert_eq!(again, booking);
    }

    #[test]
    fn a_booking_without_a_basis_or_with_an_unlisted_one_is_refused() {
        for wrong in [
            GOOD.replace(r#","basis":{"kind":"post_arrest_booking"}"#, ""),
            GOOD.replace("post_arrest_booking", "protest"),
            GOOD.replace("post_arrest_booking", "other_contact"),
            GOOD.replace(
                r#"{"kind":"post_arrest_booking"}"#,
                r#"{"kind":"criminal_conduct","conduct":" "}"#,
            ),
        ] {
            assert!(serde_json::from_str::<BookingData>(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn unknown_fields_wrong_dates_and_blank_names_are_refused() {
        for wrong in [
            GOOD.replace("\"charges\"", "\"race\""),
            GOOD.replace("1980-02-29", "1981-02-29"),
            GOOD.replace("2026-11-01", "1.11.2026"),
            GOOD.replace(" Jane Roe ", "   "),
            GOOD.replace(" Jane Roe ", &"x".repeat(201)),
            GOOD.replace(r#"["trespass"]"#, &format!("[{}]", vec![r#""a""#; 65].join(","))),
        ] {
            assert!(serde_json::from_str::<BookingData>(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_that_could_be_paths_or_patterns_are_refused() {
        for wrong in ["", "a/b", "..", "-a", "a b", "é", &"x".repeat(65)] {
            assert!(BookingNumber::parse(wrong).is_err(), "{wrong}");
            assert!(Identifier::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Identifier::parse("St-Louis").is_err(), "identifiers are lower case");
    }
}
