//! The relying party: the console's origin, to which security keys are bound.

use super::bytes::clip;
use super::error::TouchError;
use crate::limits::HOST_NAME_CHARS_MAX;

/// To whom security keys answer: the origin of the console's pages, and its host name, which is the
/// relying party's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    origin: String,
    id: String,
}

impl RelyingParty {
    /// Takes the origin of the console's pages, as browsers write it: `https://name` or
    /// `https://name:port`, and `http` on `localhost` alone. An address is refused: keys are bound
    /// to a name.
    pub fn new(origin: &str) -> Result<Self, TouchError> {
        let wrong = |reason| TouchError::RelyingParty { found: clip(origin), reason };
        let (scheme, rest) = origin.split_once("://").ok_or_else(|| wrong("it has no scheme"))?;
        let (name, port) =
            rest.split_once(':').map_or((rest, None), |(name, port)| (name, Some(port)));
        let usual_port = match scheme {
            "https" => 443,
            "http" if name == "localhost" => 80,
            _ => return Err(wrong("its scheme is not https")),
        };
        let fits = |label: &str| {
            let allowed =
                label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            (1..=63).contains(&label.len())
                && allowed
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > HOST_NAME_CHARS_MAX || !name.split('.').all(fits) {
            return Err(wrong("its name is no host name"));
        }
        if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
            return Err(wrong("it is an address"));
        }
        if let Some(port) = port {
            let number =
                port.parse::<u16>().ok().filter(|number| number.to_string() == port && *number > 0);
            let number = number.ok_or_else(|| wrong("its port is no number"))?;
            if number == usual_port {
                return Err(wrong("browsers leave the usual port out"));
            }
        }
        Ok(Self { origin: origin.to_owned(), id: name.to_owned() })
    }

    /// The origin, exactly as a browser writes it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The relying party's id: the origin's host name, and no wider domain, so that no other host's
    /// page can ask these keys.
    pub fn id(&self) -> &str {
        &self.id
    }
}
