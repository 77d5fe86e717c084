//! What a person approves by a touch, and its canonical form, whose SHA-256 is the challenge.
//!
//! The canonical form is made to be computed again by any program: the line `smrt touch v1`, then
//! one line `name=value` for each field, in a fixed order, each ended by a line feed. A value is a
//! decimal number, lower-case hexadecimal digits, or a JSON string in which nothing is escaped but
//! quote, backslash and control characters. The first field is the verb, so no touch for one can
//! serve another.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::bytes::lower_hex;
use crate::booking::Identifier;
use crate::ids::{Digest, InquiryId, ModelId};

const HEAD: &str = "smrt touch v1\n";

/// What a challenge is: SHA-256 of a canonical request.
pub type Challenge = [u8; 32];

/// A canonical form under construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical(String);

/// What an operator approves when a search is run: this search and no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchApproval {
    /// Origin of the log that will hold it.
    pub log: String,
    /// The inquiry.
    #[serde(with = "lower_hex")]
    pub inquiry: InquiryId,
    /// Its revision that was approved.
    pub revision: u64,
    /// SHA-256 of all that the inquiry's fields say.
    #[serde(with = "lower_hex")]
    pub fields_sha256: Digest,
    /// SHA-256 of the probe as it was received.
    #[serde(with = "lower_hex")]
    pub probe_sha256: Digest,
    /// SHA-256 of the probe as it is searched, all edits done.
    #[serde(with = "lower_hex")]
    pub searched_sha256: Digest,
    /// The face that is searched for.
    pub face: FaceBox,
    /// The edits in the order in which they were made, each in words that replay it.
    pub edits: Vec<String>,
    /// Candidates asked for.
    pub candidates: u64,
    /// Who approves.
    pub operator: Identifier,
    /// The device at which it is approved.
    pub device: Identifier,
    /// SHA-256 of that device's certificate.
    #[serde(with = "lower_hex")]
    pub certificate_sha256: Digest,
    /// Digest of the model that searches.
    #[serde(with = "lower_hex")]
    pub model: ModelId,
    /// Until when it holds, in seconds since 1970-01-01 UTC.
    pub expires: u64,
    /// What makes it unlike any other.
    #[serde(with = "lower_hex")]
    pub nonce: [u8; 32],
}

/// Where a face is in the probe as it is searched.
///
/// Units: whole pixels from the upper left corner; a face at the edge may begin outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceBox {
    /// Left edge.
    pub left: i32,
    /// Upper edge.
    pub top: i32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// What a person approves when anything but a search is done by touch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActApproval {
    /// What is done.
    pub verb: Verb,
    /// Origin of the log that will hold it.
    pub log: String,
    /// Who approves.
    pub person: Identifier,
    /// The device at which it is approved.
    pub device: Identifier,
    /// SHA-256 of that device's certificate.
    #[serde(with = "lower_hex")]
    pub certificate_sha256: Digest,
    /// SHA-256 of what it is done to, as the log's detail has it; of nothing where it is done to
    /// nothing but the person.
    #[serde(with = "lower_hex")]
    pub what_sha256: Digest,
    /// Until when it holds, in seconds since 1970-01-01 UTC.
    pub expires: u64,
    /// What makes it unlike any other.
    #[serde(with = "lower_hex")]
    pub nonce: [u8; 32],
}

/// What is done by touch beside searching. A search has a form of its own, so none of these can be
/// taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// A person begins a session.
    LogOn,
    /// A person comes back to a locked one.
    Unlock,
    /// A person's new key is made.
    Enrol,
    /// A role or a key is granted, by the first of two.
    Grant,
    /// It is approved, by the second.
    ApproveGrant,
    /// A locked account is released.
    ReleaseLock,
    /// A further copy of a report is ordered.
    OrderCopy,
    /// That copy is given out.
    GiveCopy,
}

impl Canonical {
    /// Begins a form for a verb.
    pub fn new(verb: &str) -> Self {
        Self(HEAD.to_owned()).text("verb", verb)
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, name: &str, value: impl Into<i128>) -> Self {
        let value: i128 = value.into();
        self.line(name, &value.to_string())
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(self, name: &str, value: &[u8]) -> Self {
        self.line(name, &hex::encode(value))
    }

    /// Adds words.
    #[must_use]
    pub fn text(self, name: &str, value: &str) -> Self {
        self.line(name, &serde_json::to_string(value).expect("a string is JSON"))
    }

    /// The form as it is hashed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The challenge that a key signs.
    pub fn challenge(&self) -> Challenge {
        Digest::of(self.0.as_bytes()).0
    }

    fn line(mut self, name: &str, value: &str) -> Self {
        writeln!(self.0, "{name}={value}").expect("a string takes all that is written");
        self
    }
}

impl SearchApproval {
    /// Its canonical form.
    pub fn canonical(&self) -> Canonical {
        let form = Canonical::new("search")
            .text("log", &self.log)
            .bytes("inquiry", self.inquiry.as_ref())
            .number("revision", self.revision)
            .bytes("fields_sha256", self.fields_sha256.as_ref())
            .bytes("probe_sha256", self.probe_sha256.as_ref())
            .bytes("searched_sha256", self.searched_sha256.as_ref())
            .number("face_left", self.face.left)
            .number("face_top", self.face.top)
            .number("face_width", self.face.width)
            .number("face_height", self.face.height)
            .number("edits", self.edits.len() as u64);
        let form = self.edits.iter().fold(form, |form, edit| form.text("edit", edit));
        form.number("candidates", self.candidates)
            .text("operator", self.operator.as_str())
            .text("device", self.device.as_str())
            .bytes("certificate_sha256", self.certificate_sha256.as_ref())
            .bytes("model", self.model.as_ref())
            .number("expires", self.expires)
            .bytes("nonce", &self.nonce)
    }

    /// The challenge that a key signs.
    pub fn challenge(&self) -> Challenge {
        self.canonical().challenge()
    }
}

impl ActApproval {
    /// Its canonical form.
    pub fn canonical(&self) -> Canonical {
        Canonical::new(self.verb.name())
            .text("log", &self.log)
            .text("person", self.person.as_str())
            .text("device", self.device.as_str())
            .bytes("certificate_sha256", self.certificate_sha256.as_ref())
            .bytes("what_sha256", self.what_sha256.as_ref())
            .number("expires", self.expires)
            .bytes("nonce", &self.nonce)
    }

    /// The challenge that a key signs.
    pub fn challenge(&self) -> Challenge {
        self.canonical().challenge()
    }
}

impl Verb {
    /// All verbs.
    pub const ALL: [Self; 8] = [
        Self::LogOn,
        Self::Unlock,
        Self::Enrol,
        Self::Grant,
        Self::ApproveGrant,
        Self::ReleaseLock,
        Self::OrderCopy,
        Self::GiveCopy,
    ];

    /// Its name in the canonical form and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::LogOn => "log-on",
            Self::Unlock => "unlock",
            Self::Enrol => "enrol",
            Self::Grant => "grant",
            Self::ApproveGrant => "approve-grant",
            Self::ReleaseLock => "release-lock",
            Self::OrderCopy => "order-copy",
            Self::GiveCopy => "give-copy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> Identifier {
        Identifier::parse(name).unwrap()
    }

    fn search() -> SearchApproval {
        SearchApproval {
            log: "fusion.example/smrt".to_owned(),
            inquiry: InquiryId([0x0f; 16]),
            revision: 7,
            fields_sha256: Digest([1; 32]),
            probe_sha256: Digest([2; 32]),
            searched_sha256: Digest([3; 32]),
            face: FaceBox { left: -3, top: 0, width: 210, height: 260 },
            edits: vec!["crop \"1\"\n\u{1f}\u{7f}\u{fc}".to_owned(), "rotate".to_owned()],
            candidates: 20,
            operator: id("operator-1"),
            device: id("rtcc-1"),
            certificate_sha256: Digest([4; 32]),
            model: ModelId([5; 32]),
            expires: 1_795_449_660,
            nonce: [6; 32],
        }
    }

    fn act(verb: Verb) -> ActApproval {
        ActApproval {
            verb,
            log: "fusion.example/smrt".to_owned(),
            person: id("admin-a"),
            device: id("admin-1"),
            certificate_sha256: Digest([4; 32]),
            what_sha256: Digest([5; 32]),
            expires: 1_795_449_660,
            nonce: [6; 32],
        }
    }

    #[test]
    fn the_canonical_form_is_what_is_written_down() {
        let digits = |byte: &str| byte.repeat(32);
        let wanted = [
            "smrt touch v1",
            "verb=\"search\"",
            "log=\"fusion.example/smrt\"",
            &format!("inquiry={}", "0f".repeat(16)),
            "revision=7",
            &format!("fields_sha256={}", digits("01")),
            &format!("probe_sha256={}", digits("02")),
            &format!("searched_sha256={}", digits("03")),
            "face_left=-3",
            "face_top=0",
            "face_width=210",
            "face_height=260",
            "edits=2",
            "edit=\"crop \\\"1\\\"\\n\\u001f\u{7f}\u{fc}\"",
            "edit=\"rotate\"",
            "candidates=20",
            "operator=\"operator-1\"",
            "device=\"rtcc-1\"",
            &format!("certificate_sha256={}", digits("04")),
            &format!("model={}", digits("05")),
            "expires=1795449660",
            &format!("nonce={}", digits("06")),
            "",
        ];
        assert_eq!(search().canonical().as_str(), wanted.join("\n"));
        let wanted = [
            "smrt touch v1",
            "verb=\"log-on\"",
            "log=\"fusion.example/smrt\"",
            "person=\"admin-a\"",
            "device=\"admin-1\"",
            &format!("certificate_sha256={}", digits("04")),
            &format!("what_sha256={}", digits("05")),
            "expires=1795449660",
            &format!("nonce={}", digits("06")),
            "",
        ];
        assert_eq!(act(Verb::LogOn).canonical().as_str(), wanted.join("\n"));
    }

    #[test]
    fn each_field_of_an_approval_changes_its_challenge() {
        let changes: [fn(&mut SearchApproval); 19] = [
            |a| a.log.push('x'),
            |a| a.inquiry.0[15] ^= 1,
            |a| a.revision += 1,
            |a| a.fields_sha256.0[0] ^= 1,
            |a| a.probe_sha256.0[0] ^= 1,
            |a| a.searched_sha256.0[0] ^= 1,
            |a| a.face.left += 1,
            |a| a.face.top -= 1,
            |a| a.face.width += 1,
            |a| a.face.height += 1,
            |a| a.edits.reverse(),
            |a| a.edits = vec![a.edits.join("\"\nedit=\"")],
            |a| a.candidates += 1,
            |a| a.operator = id("operator-2"),
            |a| a.device = id("rtcc-2"),
            |a| a.certificate_sha256.0[31] ^= 1,
            |a| a.model.0[31] ^= 1,
            |a| a.expires += 1,
            |a| a.nonce[31] ^= 1,
        ];
        let mut seen = vec![search().challenge()];
        for change in changes {
            let mut changed = search();
            change(&mut changed);
            seen.push(changed.challenge());
        }
        let changes: [fn(&mut ActApproval); 7] = [
            |a| a.log.push('x'),
            |a| a.person = id("admin-b"),
            |a| a.device = id("rtcc-2"),
            |a| a.certificate_sha256.0[31] ^= 1,
            |a| a.what_sha256.0[31] ^= 1,
            |a| a.expires += 1,
            |a| a.nonce[31] ^= 1,
        ];
        for change in changes {
            let mut changed = act(Verb::Grant);
            change(&mut changed);
            seen.push(changed.challenge());
        }
        seen.extend(Verb::ALL.map(|verb| act(verb).challenge()));
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }

    #[test]
    fn an_approval_survives_json_and_is_refused_with_fields_more_or_less() {
        let json = serde_json::to_string(&search()).unwrap();
        assert_eq!(serde_json::from_str::<SearchApproval>(&json).unwrap(), search());
        for wrong in [
            json.replace("\"revision\":7,", ""),
            json.replace("\"revision\":7,", "\"revision\":7,\"verb\":\"search\","),
            json.replace(&"0f".repeat(16), &"0F".repeat(16)),
            json.replace(&"0f".repeat(16), &"0f".repeat(15)),
            json.replace("\"revision\":7,", "\"revision\":-7,"),
        ] {
            assert!(serde_json::from_str::<SearchApproval>(&wrong).is_err(), "{wrong}");
        }
        for verb in Verb::ALL {
            let json = serde_json::to_value(act(verb)).unwrap();
            assert_eq!(json["verb"], verb.name());
            assert_eq!(serde_json::from_value::<ActApproval>(json).unwrap(), act(verb));
        }
    }
}
