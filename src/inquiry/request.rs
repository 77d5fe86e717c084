//! The request of an inquiry: what it states before anything is searched. A statement that only
//! looks like one is refused.

use serde::{Deserialize, Serialize};
use time::Date;

use super::hollow::{bare, numbers_nothing, own_words, repeats, says_nothing};
use super::invalid::InquiryError;
use super::pattern::NumberPattern;
use super::purpose::Purpose;
use super::requester::Requester;
use crate::booking::{Identifier, Text};
use crate::limits::{
    CANDIDATES_DEFAULT, REASON_CHARS_MAX, REASON_CHARS_MIN, REASON_WORDS_MIN,
    REVIEWED_CANDIDATES_MAX,
};

/// What an inquiry states: who asks, for which case, what for and why, what the probe is, and what
/// the operator attests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who asks.
    pub requester: Requester,
    /// The complaint number or another identifier.
    pub reference: Reference,
    /// What the search is for, from a closed list.
    pub purpose: Purpose,
    /// Why, in words.
    #[schema(max_length = 2000, min_length = 12)]
    pub reason: String,
    /// Where the probe photo came from.
    #[schema(value_type = String, max_length = 200)]
    pub probe_source: Text,
    /// How many candidates are wanted at most, 20 if not said.
    #[serde(default = "candidates_default")]
    #[schema(minimum = 1, maximum = 50)]
    pub candidates: usize,
    /// What the operator attests.
    pub attestations: Attestations,
}

/// What the operator attests: each must be said, and each must be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attestations {
    /// The search is not solely for speech or action that the First Amendment protects (SO-B3).
    pub not_solely_protected: bool,
    /// The probe is a photo of the person sought: no sketch, no composite, nothing generated, no
    /// other person's image.
    pub shows_person_sought: bool,
    /// The probe comes from the source that is stated.
    pub source_as_stated: bool,
}

/// What ties an inquiry to a case (SO-C2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reference {
    /// A complaint number.
    ComplaintNumber {
        /// The number.
        #[schema(value_type = String, max_length = 200)]
        number: Text,
    },
    /// Another identifier with its kind.
    Other {
        /// What kind of identifier it is.
        #[schema(value_type = String, max_length = 200)]
        description: Text,
        /// The identifier.
        #[schema(value_type = String, max_length = 200)]
        number: Text,
    },
}

impl Request {
    /// The same with the reason cut to the longest that is taken; what is refused is kept so.
    pub fn within_bounds(self) -> Self {
        let reason = self.reason.chars().take(REASON_CHARS_MAX).collect();
        Self { reason, ..self }
    }

    /// Checks what the types alone can't: that every field says something of its own, on a given
    /// day, by the pattern that the requester's agency has set for its complaint numbers.
    ///
    /// Errors: every hollow field by its name, in the order in which the fields stand.
    pub fn check(&self, today: Date, pattern: Option<&NumberPattern>) -> Result<(), InquiryError> {
        self.requester.check()?;
        self.reference.check(&self.requester.agency, pattern)?;
        self.purpose.check(&self.requester, today)?;
        check_reason(
            &self.reason,
            &[self.reference.number().as_str(), self.probe_source.as_str()],
        )?;
        let source = self.probe_source.as_str();
        if says_nothing(source) || repeats(source) {
            return Err(InquiryError::SourceHollow);
        }
        if bare(source) == bare(self.reference.number().as_str()) {
            return Err(InquiryError::SourceCopied);
        }
        if !(1..=REVIEWED_CANDIDATES_MAX).contains(&self.candidates) {
            return Err(InquiryError::CandidatesReviewed { found: self.candidates });
        }
        self.attestations.check()
    }

    /// The request in the one form of bytes whose digest a touch binds: `smrt inquiry v1`, then a
    /// line `name=value` for each field in a fixed order. Numbers are decimal, an attestation is 1
    /// or 0, everything else is a JSON string, so that no value can end its line.
    pub fn canonical(&self) -> String {
        let mut lines = Lines("smrt inquiry v1\n".to_owned());
        lines.text("requester.name", self.requester.name.as_str());
        lines.text("requester.badge", self.requester.badge.as_str());
        lines.text("requester.agency", self.requester.agency.as_str());
        match &self.reference {
            Reference::ComplaintNumber { number } => {
                lines.text("reference.kind", "complaint_number");
                lines.text("reference.number", number.as_str());
            }
            Reference::Other { description, number } => {
                lines.text("reference.kind", "other");
                lines.text("reference.description", description.as_str());
                lines.text("reference.number", number.as_str());
            }
        }
        let kind = self.purpose.kind();
        lines.text("purpose.kind", kind.name());
        for (field, value) in kind.fields().iter().zip(self.purpose.values()) {
            lines.text(&format!("purpose.{}", field.name), &value);
        }
        lines.text("reason", &self.reason);
        lines.text("probe_source", self.probe_source.as_str());
        lines.number("candidates", self.candidates);
        for ((name, _), attested) in
            Attestations::STATEMENTS.into_iter().zip(self.attestations.given())
        {
            lines.number(&format!("attested.{name}"), attested.into());
        }
        lines.0
    }
}

impl Reference {
    /// The number that ties the inquiry to its case.
    pub fn number(&self) -> &Text {
        let (Self::ComplaintNumber { number } | Self::Other { number, .. }) = self;
        number
    }

    fn check(
        &self,
        agency: &Identifier,
        pattern: Option<&NumberPattern>,
    ) -> Result<(), InquiryError> {
        let described = |description: &Text| !says_nothing(description.as_str());
        let number = self.number();
        if numbers_nothing(number.as_str())
            || matches!(self, Self::Other { description, .. } if !described(description))
        {
            return Err(InquiryError::ReferenceHollow);
        }
        match (self, pattern) {
            (Self::ComplaintNumber { number }, Some(pattern)) if !pattern.fits(number.as_str()) => {
                Err(InquiryError::ReferencePattern {
                    found: number.clone(),
                    agency: agency.clone(),
                    pattern: pattern.to_string(),
                })
            }
            _ => Ok(()),
        }
    }
}

impl Attestations {
    /// Each statement by its name in JSON, in words.
    pub const STATEMENTS: [(&'static str, &'static str); 3] = [
        (
            "not_solely_protected",
            "the search is not solely for speech or action that the First Amendment protects",
        ),
        (
            "shows_person_sought",
            "the probe is a photo of the person sought: no sketch, no composite, nothing \
             generated, no other person's image",
        ),
        ("source_as_stated", "the probe comes from the source that is stated"),
    ];

    /// Whether each statement is attested, in their order.
    pub fn given(self) -> [bool; 3] {
        [self.not_solely_protected, self.shows_person_sought, self.source_as_stated]
    }

    fn check(self) -> Result<(), InquiryError> {
        match self.given().into_iter().zip(Self::STATEMENTS).find(|(attested, _)| !attested) {
            Some((_, (_, statement))) => Err(InquiryError::NotAttested { statement }),
            None => Ok(()),
        }
    }
}

/// Refuses a reason that is too short or long, a placeholder, repeated, or made of what other
/// fields say.
pub(super) fn check_reason(reason: &str, others: &[&str]) -> Result<(), InquiryError> {
    let found = reason.trim().chars().count();
    if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&found) {
        return Err(InquiryError::ReasonLength { found });
    }
    if reason.contains(|c: char| c.is_control() && c != '\n') {
        return Err(InquiryError::ReasonControl);
    }
    if says_nothing(reason) {
        return Err(InquiryError::ReasonHollow);
    }
    if repeats(reason) {
        return Err(InquiryError::ReasonRepeated);
    }
    if own_words(reason, &[]) < REASON_WORDS_MIN {
        return Err(InquiryError::ReasonHollow);
    }
    match own_words(reason, others) {
        found if found < REASON_WORDS_MIN => Err(InquiryError::ReasonCopied { found }),
        _ => Ok(()),
    }
}

/// Lines of a canonical form.
struct Lines(String);

impl Lines {
    fn text(&mut self, name: &str, value: &str) {
        let value = serde_json::to_string(value).expect("a string has its JSON form");
        self.0.push_str(&format!("{name}={value}\n"));
    }

    fn number(&mut self, name: &str, value: usize) {
        self.0.push_str(&format!("{name}={value}\n"));
    }
}

fn candidates_default() -> usize {
    CANDIDATES_DEFAULT
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 11 - 23);

    fn request() -> Request {
        serde_json::from_value(serde_json::json!({
            "requester": {"name": "Det. A. Ortiz", "badge": "DSN 4711", "agency": "slmpd"},
            "reference": {"kind": "complaint_number", "number": "26-004711"},
            "purpose": {"kind": "crime"},
            "reason": "robbery at Grand and Gravois, suspect on store camera",
            "probe_source": "store camera, exported still",
            "attestations": {"not_solely_protected": true, "shows_person_sought": true,
                "source_as_stated": true},
        }))
        .unwrap()
    }

    /// The request with one field replaced, as it would come through the door.
    fn with(pointer: &str, value: serde_json::Value) -> Request {
        let mut json = serde_json::to_value(request()).unwrap();
        *json.pointer_mut(pointer).unwrap() = value;
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_full_request_passes_and_asks_for_twenty_candidates() {
        assert_eq!(request().check(TODAY, None), Ok(()));
        assert_eq!(
            request().check(TODAY, Some(&NumberPattern::parse("99-999999").unwrap())),
            Ok(())
        );
        assert_eq!(request().candidates, 20);
    }

    #[test]
    fn each_hollow_field_is_refused_beside_its_name() {
        use serde_json::json;
        let other = |description: &str, supervisor: &str| {
            json!({"kind": "other", "description": description, "supervisor": supervisor,
                "supervisor_badge": "DSN 77", "supervisor_agency": "slmpd"})
        };
        let order = |court: &str, number: &str, date: &str| {
            json!({"kind": "court_order", "court": court, "number": number,
            "date": date})
        };
        for (pointer, value, field) in [
            ("/requester/name", json!("Detective"), "requester.name"),
            ("/requester/name", json!("n/a"), "requester.name"),
            ("/requester/badge", json!("unknown"), "requester.badge"),
            ("/requester/badge", json!("0000"), "requester.badge"),
            ("/reference/number", json!("pending"), "reference.number"),
            ("/reference/number", json!("00-000000"), "reference.number"),
            (
                "/reference",
                json!({"kind": "other", "description": "n/a", "number": "77"}),
                "reference.number",
            ),
            ("/purpose", other("test", "Sgt. B. Malik"), "purpose.description"),
            ("/purpose", other("art theft register", "supervisor"), "purpose.supervisor"),
            ("/purpose", other("art theft register", "det a ortiz"), "purpose.supervisor"),
            ("/purpose", order("none", "2611-CR00077", "2026-11-20"), "purpose.court"),
            ("/purpose", order("22nd Circuit", "tbd", "2026-11-20"), "purpose.number"),
            ("/purpose", order("22nd Circuit", "2611-CR00077", "2026-11-24"), "purpose.date"),
            ("/reason", json!("robbery"), "reason"),
            ("/reason", json!("test case, see above, unknown"), "reason"),
            ("/reason", json!("robbery robbery robbery robbery"), "reason"),
            (
                "/reason",
                json!("robbery at Grand and Gravois. Robbery at Grand and Gravois."),
                "reason",
            ),
            ("/reason", json!("26-004711 / store camera, exported still"), "reason"),
            ("/reason", json!("robbery at Grand\u{7} and Gravois"), "reason"),
            ("/probe_source", json!("n/a"), "probe_source"),
            ("/probe_source", json!("camera camera"), "probe_source"),
            ("/probe_source", json!("26 004711"), "probe_source"),
            ("/candidates", json!(0), "candidates"),
            ("/candidates", json!(REVIEWED_CANDIDATES_MAX + 1), "candidates"),
            ("/attestations/not_solely_protected", json!(false), "attestations"),
            ("/attestations/shows_person_sought", json!(false), "attestations"),
            ("/attestations/source_as_stated", json!(false), "attestations"),
        ] {
            let refused = with(pointer, value.clone())
                .check(TODAY, None)
                .expect_err(&format!("{pointer} {value}"));
            assert_eq!(refused.field(), Some(field), "{value}: {refused}");
        }
    }

    #[test]
    fn a_full_other_purpose_and_a_court_order_of_today_pass() {
        use serde_json::json;
        for purpose in [
            json!({"kind": "other", "description": "register of art thefts",
                "supervisor": "Sgt. B. Malik", "supervisor_badge": "DSN 77",
                "supervisor_agency": "slmpd"}),
            json!({"kind": "court_order", "court": "22nd Circuit", "number": "2611-CR00077",
                "date": "2026-11-23"}),
        ] {
            assert_eq!(with("/purpose", purpose).check(TODAY, None), Ok(()));
        }
    }

    #[test]
    fn a_complaint_number_must_fit_its_agencys_pattern_and_another_identifier_need_not() {
        let pattern = NumberPattern::parse("99-999999").unwrap();
        let wrong = with("/reference/number", "2026-4711".into());
        assert_eq!(wrong.check(TODAY, None), Ok(()));
        let said = wrong.check(TODAY, Some(&pattern)).unwrap_err().to_string();
        assert!(
            said.contains("'2026-4711'") && said.contains("slmpd") && said.contains("99-999999"),
            "{said}"
        );
        let other = with(
            "/reference",
            serde_json::json!({"kind": "other", "description": "FBI case", "number": "2026-4711"}),
        );
        assert_eq!(other.check(TODAY, Some(&pattern)), Ok(()));
    }

    #[test]
    fn purposes_off_the_list_or_short_of_their_particulars_do_not_parse() {
        for wrong in [
            r#"{"kind":"curiosity"}"#,
            r#"{"kind":"other","description":"line-up"}"#,
            r#"{"kind":"court_order","court":"22nd Circuit","number":"77"}"#,
            r#"{"kind":"court_order","court":"22nd Circuit","number":"77","date":"soon"}"#,
        ] {
            assert!(serde_json::from_str::<Purpose>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_attestation_that_is_not_said_does_not_parse() {
        for unsaid in ["not_solely_protected", "shows_person_sought", "source_as_stated"] {
            let mut json = serde_json::to_value(request()).unwrap();
            json["attestations"].as_object_mut().unwrap().remove(unsaid);
            assert!(serde_json::from_value::<Request>(json).is_err(), "{unsaid}");
        }
    }

    #[test]
    fn the_canonical_form_is_this_to_the_byte_and_no_value_can_add_a_line() {
        let request = with("/reason", "robbery at \"Grand\"\ncandidates=1 é".into());
        assert_eq!(
            request.canonical(),
            r#"smrt inquiry v1
requester.name="Det. A. Ortiz"
requester.badge="DSN 4711"
requester.agency="slmpd"
reference.kind="complaint_number"
reference.number="26-004711"
purpose.kind="crime"
reason="robbery at \"Grand\"\ncandidates=1 é"
probe_source="store camera, exported still"
candidates=20
attested.not_solely_protected=1
attested.shows_person_sought=1
attested.source_as_stated=1
"#
        );
        let order = with(
            "/purpose",
            serde_json::json!({"kind": "court_order", "court": "22nd", "number": "77",
                "date": "2026-01-02"}),
        );
        let purpose = [
            r#"purpose.kind="court_order""#,
            r#"purpose.court="22nd""#,
            r#"purpose.number="77""#,
            r#"purpose.date="2026-01-02""#,
            "",
        ];
        assert!(order.canonical().contains(&purpose.join("\n")));
    }
}
