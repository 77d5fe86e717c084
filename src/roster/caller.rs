//! Callers: what a client certificate says that its holder is.

use crate::booking::Identifier;
use crate::ids::Digest;

/// The scheme and first word of every certificate name that this system issues and accepts.
pub const NAME_PREFIX: &str = "smrt:";

/// What a client certificate's URI SAN says that its holder is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CertificateName {
    /// `smrt:agency/<id>/feed`: the system of an agency that pushes and releases its own bookings.
    Feed(Identifier),
    /// `smrt:device/<id>`: a console at the RTCC.
    Device(Identifier),
    /// `smrt:witness/<id>`: a witness of the log.
    Witness(Identifier),
}

impl CertificateName {
    /// Parses the URI of a certificate's subject alternative name; anything else is `None`.
    pub fn parse(uri: &str) -> Option<Self> {
        let mut words = uri.strip_prefix(NAME_PREFIX)?.split('/');
        let name = match (words.next()?, words.next()?, words.next()) {
            ("agency", id, Some("feed")) => Self::Feed(Identifier::parse(id).ok()?),
            ("device", id, None) => Self::Device(Identifier::parse(id).ok()?),
            ("witness", id, None) => Self::Witness(Identifier::parse(id).ok()?),
            _ => return None,
        };
        if words.next().is_some() { None } else { Some(name) }
    }
}

impl std::fmt::Display for CertificateName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Feed(agency) => write!(f, "{NAME_PREFIX}agency/{agency}/feed"),
            Self::Device(device) => write!(f, "{NAME_PREFIX}device/{device}"),
            Self::Witness(witness) => write!(f, "{NAME_PREFIX}witness/{witness}"),
        }
    }
}

/// Who is calling, as the door established it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What the certificate says.
    pub name: CertificateName,
    /// SHA-256 of the certificate.
    pub fingerprint: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificate_names_parse_and_nothing_like_them_does() {
        for name in ["smrt:agency/slmpd/feed", "smrt:device/rtcc-1", "smrt:witness/court"] {
            assert_eq!(CertificateName::parse(name).unwrap().to_string(), name);
        }
        for wrong in [
            "",
            "smrt:agency/slmpd",
            "smrt:agency/SLMPD/feed",
            "smrt:agency/a/feed/x",
            "smrt:device/",
            "smrt:device/a/b",
            "http:device/a",
        ] {
            assert_eq!(CertificateName::parse(wrong), None, "{wrong}");
        }
    }
}
