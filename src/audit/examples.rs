//! Examples: a detail of each kind of leaf, as it might be, for tests and for `LEAVES.md`.

use time::macros::date;

use super::touch::{
    Aaguid, ActApproval, Base64Url, Credential, FaceBox, PublicKey, Registration, SearchApproval,
    Touch, Verb,
};
use super::{Actor, Alarm, Detail, LeafKind, Refusal, SampleFinding, Sealed, Shown, Unusable};
use crate::booking::{Identifier, Text, VersionId};
use crate::calendar::{Span, Time};
use crate::ids::{Digest, InquiryId, ModelId};
use crate::inquiry::{
    self, Attestations, Component, CopyOrder, Disposition, Handover, Observation, Outcome, Purpose,
    Reference, Request, Requester, Seen, Upshot,
};
use crate::roster::{OffReason, Person, Role};
use crate::rule::Rule;

const VERSION: VersionId = VersionId([0x2a; 16]);

fn text(words: &str) -> Text {
    Text::parse(words).expect("an example's words are a text")
}

fn id(name: &str) -> Identifier {
    Identifier::parse(name).expect("an example's name is an identifier")
}

fn actor(certificate: &str) -> Actor {
    Actor {
        certificate: certificate.to_owned(),
        fingerprint: "0".repeat(64),
        person: None,
        agency: None,
    }
}

/// A person at a console.
fn at(certificate: &str, person: &str) -> Actor {
    Actor { person: Some(id(person)), agency: Some(id("slmpd")), ..actor(certificate) }
}

fn approval(verb: Verb, person: &str) -> ActApproval {
    ActApproval {
        verb,
        log: "fusion.example/smrt".to_owned(),
        person: id(person),
        device: id("rtcc-1"),
        certificate_sha256: Digest([0; 32]),
        what_sha256: Digest([0; 32]),
        expires: 1_795_449_660,
        nonce: [0; 32],
    }
}

fn registration() -> Box<Registration> {
    let (client_data, attestation_object) = (bytes(b"{}"), bytes(&[0xa0]));
    Box::new(Registration { client_data, attestation_object })
}

fn touch() -> Touch {
    Touch {
        credential: bytes(&[0x0f; 32]),
        authenticator_data: bytes(&[0; 37]),
        client_data: bytes(b"{}"),
        signature: bytes(&[0; 70]),
    }
}

fn bytes<const BYTES_MAX: usize>(bytes: &[u8]) -> Base64Url<BYTES_MAX> {
    Base64Url::new(bytes).expect("an example's bytes are few")
}

fn key() -> Credential {
    Credential {
        id: bytes(&[0x0f; 32]),
        public_key: PublicKey::EdDsa([9; 32]),
        sign_count: 0,
        aaguid: Aaguid([0; 16]),
    }
}

fn person() -> Person {
    Person {
        id: id("operator-1"),
        name: text("R. Diaz"),
        badge: text("4711"),
        agency: id("slmpd"),
        role: Role::OperatorExaminer,
        trained_until: date!(2027 - 06 - 30),
        temporary_until_cs: None,
    }
}

fn request() -> Request {
    Request {
        requester: Requester {
            name: text("Det. A. Ortiz"),
            badge: text("2210"),
            agency: id("slmpd"),
        },
        reference: Reference::ComplaintNumber { number: text("26-004711") },
        purpose: Purpose::Crime,
        reason: "robbery at Grand and Gravois, suspect on store camera".to_owned(),
        probe_source: text("store camera"),
        candidates: 20,
        attestations: Attestations {
            not_solely_protected: true,
            shows_person_sought: true,
            source_as_stated: true,
        },
    }
}

/// An agency's feed.
fn feed() -> Actor {
    actor("smrt:agency/slmpd/feed")
}

fn console() -> Actor {
    actor("smrt:device/rtcc-1")
}

fn admin() -> Actor {
    actor("smrt:device/admin-1")
}

fn auditor() -> Actor {
    actor("smrt:device/audit-1")
}

/// A digest, shortened to zeros.
fn digest() -> String {
    "0".repeat(64)
}

/// The name of a search, an inquiry or a grant.
fn search() -> String {
    "0f".repeat(16)
}

fn words(words: &str) -> String {
    words.to_owned()
}

/// A detail of a kind, as it might be.
pub(crate) fn example(kind: LeafKind) -> Detail {
    let all = [
        the_box(),
        bookings(),
        searches(),
        reviews(),
        callers(),
        accounts(),
        model(),
        the_log(),
        audits(),
    ];
    let mut examples = all.into_iter().flatten();
    examples.find(|detail| detail.kind() == kind).expect("each kind of leaf has its example")
}

fn the_box() -> Vec<Detail> {
    vec![
        Detail::Started {
            software: words("0.1.0"),
            state: words("real"),
            model: digest(),
            engine: words("gpu"),
            device: words("NVIDIA L4"),
            roster_sha256: digest(),
        },
        Detail::Stopped { software: words("0.1.0") },
        Detail::AlarmRaised {
            alarm: Alarm::Unwitnessed,
            what: words("leaves from 4711 on are not cosigned by a quorum after 60 minutes"),
        },
        Detail::AlarmCleared {
            alarm: Alarm::Unwitnessed,
            what: words("a quorum has cosigned what was late"),
        },
        Detail::ClockStepped { behind_cs: Span::default(), ahead_cs: Span::hours(2) },
        Detail::ClockConfirmed {
            actor: admin(),
            time_source: words("2026-11-23 16:00:00.0 +00:00:00"),
        },
        Detail::LogRestored {
            software: words("0.1.0"),
            backup_leaves: 4_000,
            supplied_leaves: 4_711,
            checkpoint: words("(a signed note)"),
        },
        Detail::OriginOpened {
            software: words("0.1.0"),
            former: words("fusion.example/smrt"),
            backup_leaves: 4_000,
            backup_root: digest(),
            cosigned: words("(a signed note)"),
        },
    ]
}

fn bookings() -> Vec<Detail> {
    vec![
        Detail::BookingIn {
            actor: feed(),
            agency: id("slmpd"),
            version: VERSION,
            replaces: None,
            photo_commitment: digest(),
        },
        Detail::BookingRefused {
            actor: feed(),
            rule: Rule::NoFace,
            reason: words("no face found, wanted a photo with a face"),
        },
        Detail::Released {
            actor: feed(),
            agency: id("slmpd"),
            versions: vec![VERSION],
            reason: words("expunged by order of the court"),
        },
        Detail::Purged {
            agency: id("slmpd"),
            version: VERSION,
            assurance: words("key overwritten, medium not proven"),
        },
        Detail::HoldNoticed {
            actor: feed(),
            agency: id("slmpd"),
            version: VERSION,
            order: None,
            reason: words("evidence in a pending case"),
        },
        Detail::HoldDecided {
            actor: admin(),
            version: VERSION,
            granted: true,
            reason: words("case confirmed by the prosecutor"),
        },
        Detail::ExtensionDecided {
            actor: admin(),
            agency: id("slmpd"),
            version: VERSION,
            granted: true,
            case_number: words("26-CR-77"),
            contact: words("records desk"),
            reason: words("trial date moved"),
            days: 60,
        },
        Detail::Transferred { actor: admin(), version: VERSION, manifest_sha256: digest() },
        Detail::BookingsDamaged { versions: vec![VERSION] },
    ]
}

fn searches() -> Vec<Detail> {
    vec![
        {
            let approval = SearchApproval {
                log: words("fusion.example/smrt"),
                inquiry: InquiryId([0x0f; 16]),
                revision: 3,
                fields_sha256: Digest([0; 32]),
                probe_sha256: Digest([0; 32]),
                searched_sha256: Digest([0; 32]),
                face: FaceBox { left: 120, top: 64, width: 210, height: 260 },
                edits: vec![words("rotate +2.5 degrees")],
                candidates: 20,
                operator: id("operator-1"),
                device: id("rtcc-1"),
                certificate_sha256: Digest([0; 32]),
                model: ModelId([0; 32]),
                expires: 1_795_449_660,
                nonce: [0; 32],
            };
            let (actor, touch, key) = (at("smrt:device/rtcc-1", "operator-1"), touch(), key());
            Detail::Asked {
                actor,
                search: search(),
                inquiry: search(),
                request: request(),
                approval,
                touch,
                key,
            }
        },
        Detail::Answered {
            actor: console(),
            search: search(),
            model: digest(),
            gallery_rows: 250_000,
            candidates: vec![Shown { version: VERSION, score: 0.61 }],
        },
        Detail::Interrupted { search: Some(search()) },
        Detail::SearchRefused {
            actor: console(),
            request: Some(request()),
            rule: Rule::ReasonHollow,
            reason: words("the reason is a placeholder"),
        },
        Detail::PhotoViewed { actor: console(), search: search(), version: VERSION },
        Detail::InquiryOpened { actor: console(), inquiry: search(), request: request() },
    ]
}

fn reviews() -> Vec<Detail> {
    vec![
        Detail::Reviewed {
            actor: at("smrt:device/rtcc-2", "examiner-2"),
            inquiry: search(),
            findings: vec![inquiry::Finding {
                candidate: VERSION,
                disposition: Disposition::Lead,
                observations: vec![Observation {
                    feature: Component::ALL[0].features()[0],
                    seen: Seen::Similarity,
                }],
                note: None,
            }],
            released: Vec::new(),
            disagreements: 0,
        },
        Detail::ReportIssued {
            actor: console(),
            inquiry: search(),
            report_sha256: digest(),
            leads: vec![VERSION],
        },
        Detail::OutcomeRecorded {
            actor: console(),
            inquiry: search(),
            outcome: Outcome {
                upshot: Upshot::NoLeadFollowed,
                independent_evidence: None,
                leads_number: None,
            },
        },
        Detail::InquiryClosed {
            actor: console(),
            inquiry: search(),
            withdrawn: false,
            reason: words("outcome recorded"),
        },
        Detail::EvidenceMarked {
            actor: at("smrt:device/rtcc-1", "operator-1"),
            inquiry: search(),
            handover: Handover {
                received_by: text("Det. A. Ortiz"),
                of: text("Circuit Attorney"),
                leads_number: Some(text("26-1187")),
            },
        },
        Detail::ReportGiven {
            actor: at("smrt:device/rtcc-1", "operator-1"),
            inquiry: search(),
            report_sha256: "0".repeat(64),
        },
        Detail::CopyOrdered {
            actor: at("smrt:device/admin-1", "commander"),
            inquiry: search(),
            order: CopyOrder {
                received_by: text("Clerk V. Brandt"),
                of: text("Circuit Court"),
                reason: words("discovery in the case against the person found"),
            },
            approval: approval(Verb::OrderCopy, "commander"),
            touch: touch(),
        },
        Detail::CopyGiven {
            actor: at("smrt:device/audit-1", "auditor-1"),
            inquiry: search(),
            report_sha256: digest(),
            approval: approval(Verb::GiveCopy, "auditor-1"),
            touch: touch(),
        },
    ]
}

fn callers() -> Vec<Detail> {
    vec![
        Detail::CallerRefused {
            actor: console(),
            rule: Rule::NotInRoster,
            reason: words("certificate name 'smrt:device/rtcc-1' is not in the roster"),
        },
        Detail::RefusalsGathered {
            actor: console(),
            hour_cs: TIME,
            refusals: 7,
            kept: vec![Refusal {
                time_cs: TIME,
                rule: Rule::NoFace,
                reason: words("no face found, wanted a photo with a face"),
                request: None,
            }],
        },
        Detail::LoggedOn {
            actor: at("smrt:device/rtcc-1", "operator-1"),
            approval: approval(Verb::LogOn, "operator-1"),
            touch: touch(),
        },
        Detail::LoggedOff { actor: at("smrt:device/rtcc-1", "operator-1"), why: words("by hand") },
        Detail::LogOnRefused {
            actor: console(),
            person: Some(id("operator-1")),
            rule: Rule::WrongKey,
            reason: words("the touch is by another security key than was asked for"),
        },
        Detail::LockedOut { person: id("operator-1"), device: Some(id("rtcc-1")), tries: 5 },
        Detail::Unlocked {
            actor: at("smrt:device/admin-1", "admin-a"),
            person: id("operator-1"),
            approval: approval(Verb::ReleaseLock, "admin-a"),
            touch: touch(),
        },
        Detail::UnlockedAtBox { person: id("commander") },
        Detail::ListTaken {
            actor: feed(),
            list_sha256: digest(),
            number: Some(words("12")),
            ends_cs: Time::from_seconds(1_798_041_660),
            revoked: 3,
        },
    ]
}

fn accounts() -> Vec<Detail> {
    vec![
        Detail::RosterChanged {
            by: vec![id("admin-a"), id("commander")],
            what: words("operator-3 enrolled"),
            roster_sha256: digest(),
        },
        Detail::PolicyChanged {
            by: vec![id("commander")],
            version: words("4"),
            policy_sha256: digest(),
        },
        Detail::GrantAsked {
            actor: at("smrt:device/admin-1", "admin-a"),
            grant: search(),
            person: person(),
            key: Some(key()),
            registration: Some(registration()),
            approval: approval(Verb::Grant, "admin-a"),
            touch: touch(),
        },
        Detail::GrantApproved {
            actor: at("smrt:device/rtcc-2", "commander"),
            grant: search(),
            person: id("operator-1"),
            approval: approval(Verb::ApproveGrant, "commander"),
            touch: touch(),
        },
        Detail::GrantDeclined {
            actor: Some(at("smrt:device/rtcc-2", "commander")),
            grant: search(),
            person: id("operator-1"),
            reason: words("no training record"),
        },
        Detail::Appointed {
            person: Person { id: id("commander"), role: Role::Commander, ..person() },
        },
        Detail::KeyEnrolled {
            actor: at("smrt:device/rtcc-2", "commander"),
            person: id("commander"),
            key: key(),
            registration: registration(),
            approval: approval(Verb::Enrol, "commander"),
        },
        Detail::AccountOff {
            actor: Some(at("smrt:device/admin-1", "admin-a")),
            person: id("operator-1"),
            why: OffReason::Unassociated,
        },
        Detail::AccountReviewed {
            actor: at("smrt:device/admin-1", "admin-a"),
            person: id("operator-1"),
        },
    ]
}

fn model() -> Vec<Detail> {
    vec![
        Detail::ModelSwitchBegun {
            actor: admin(),
            from: digest(),
            to: digest(),
            bookings: 250_000,
            accept_failed: 0,
        },
        Detail::ModelSwitched {
            from: digest(),
            to: digest(),
            bookings: 249_990,
            suppressed: 10,
            found_again: 2,
        },
        Detail::ModelSwitchGivenUp {
            actor: admin(),
            from: digest(),
            to: digest(),
            embedded: 1_000,
            failed: 3,
        },
        Detail::BookingsSuppressed {
            model: digest(),
            bookings: vec![Unusable { version: VERSION, reason: words("no face") }],
        },
    ]
}

fn the_log() -> Vec<Detail> {
    vec![
        Detail::LogRead { actor: actor("smrt:witness/court"), hour_cs: TIME },
        Detail::DetailsOpened { actor: auditor(), first: 4_700, end: 4_711 },
        Detail::ProbeOpened { actor: auditor(), inquiry: search() },
        Detail::Exported { actor: auditor(), leaves: 4_711 },
        Detail::DetailsExpired { first: 0, end: 4_096, kept_days: 1_096 },
        Detail::ProbesExpired {
            inquiries: vec![search()],
            kept_days: 1_096,
            assurance: words("key overwritten, medium not proven"),
        },
    ]
}

fn audits() -> Vec<Detail> {
    vec![
        Detail::SampleSeeded {
            actor: auditor(),
            seed: 20_261_123,
            rate_ppm: 50_000,
            first: 0,
            end: 4_711,
        },
        Detail::SampleDrawn { actor: auditor(), leaves: vec![33, 1_204] },
        Detail::SampleReviewed {
            actor: auditor(),
            asked: 33,
            finding: SampleFinding::InOrder,
            note: words("reason fits the case file"),
            routed_to: None,
        },
        Detail::PublicReport { actor: console(), report_sha256: digest() },
        Detail::FindingsRead { actor: feed(), first: 4_700, end: 4_701 },
        {
            let note =
                words("two refused log-ons at desk 2, told apart with the person; nothing else");
            Detail::LogReviewed {
                actor: at("smrt:device/audit-1", "auditor-1"),
                first: 4_000,
                end: 4_711,
                note,
            }
        },
        Detail::SealedRead {
            actor: at("smrt:device/rtcc-1", "operator-1"),
            what: Sealed::Probe,
            inquiry: Some(search()),
            hour_cs: TIME,
        },
    ]
}

/// 2026-11-23, 16:00 UTC.
pub(super) const TIME: Time = Time::from_cs(179_544_960_000);
