//! Every refusal has its rule: one value of each error that can reach a caller.

use std::collections::BTreeSet;

use time::macros::date;

use super::error::ServiceError;
use crate::audit::AuditError;
use crate::audit::touch::TouchError;
use crate::booking::{BookingError, Identifier, Text, VersionId};
use crate::calendar::Time;
use crate::compare_report::CompareReportError;
use crate::embed::{EmbedError, Format, ModelError};
use crate::face::{EditError, Face, FaceError};
use crate::gallery::GalleryError;
use crate::ids::Digest;
use crate::inquiry::{ActionError, InquiryError, SearchId, Stage};
use crate::ledger::{Fate, Fated, LedgerError};
use crate::roster::{OffReason, PersonError, RosterError};
use crate::rule::Rule;
use crate::store::StoreError;
use crate::vault::VaultError;

/// What the door refuses by itself, before or beside a verb; none of the errors of verbs.
const OF_THE_DOOR: [Rule; 7] = [
    Rule::Json,
    Rule::ContentType,
    Rule::TooLarge,
    Rule::Method,
    Rule::OtherOrigin,
    Rule::CertificateOver,
    Rule::Timeout,
];

fn id() -> Identifier {
    Identifier::parse("diaz").unwrap()
}

fn words(text: &str) -> String {
    text.to_owned()
}

fn io() -> std::io::Error {
    std::io::ErrorKind::TimedOut.into()
}

fn requests() -> Vec<(InquiryError, Rule)> {
    use InquiryError as E;
    let (date, today) = (date!(2027 - 01 - 01), date!(2026 - 01 - 01));
    let pattern = E::ReferencePattern {
        found: Text::parse("26-1").unwrap(),
        agency: id(),
        pattern: words("99-*"),
    };
    vec![
        (E::ReasonLength { found: 3 }, Rule::ReasonLength),
        (E::ReasonHollow, Rule::ReasonHollow),
        (E::ReasonRepeated, Rule::ReasonHollow),
        (E::ReasonCopied { found: 1 }, Rule::ReasonHollow),
        (E::ReasonControl, Rule::ReasonHollow),
        (E::ReferenceHollow, Rule::ReferenceHollow),
        (pattern, Rule::ReferencePattern),
        (E::RequesterHollow, Rule::RequesterHollow),
        (E::BadgeHollow, Rule::RequesterHollow),
        (E::PurposeHollow, Rule::PurposeHollow),
        (E::SupervisorHollow, Rule::SupervisorHollow),
        (E::SupervisorIsRequester, Rule::SupervisorHollow),
        (E::CourtOrderHollow { found: "court" }, Rule::CourtOrderHollow),
        (E::CourtOrderAhead { date, today }, Rule::CourtOrderHollow),
        (E::SourceHollow, Rule::SourceHollow),
        (E::SourceCopied, Rule::SourceHollow),
        (E::NotAttested { statement: "the probe shows the person sought" }, Rule::NotAttested),
        (E::CandidatesReviewed { found: 51 }, Rule::CandidatesNumber),
        (E::Candidates { found: 0 }, Rule::CandidatesNumber),
        (E::Pattern, Rule::Malformed),
    ]
}

fn steps() -> Vec<(ActionError, Rule)> {
    use ActionError as E;
    let found = VersionId([7; 16]);
    vec![
        (E::Request(InquiryError::ReasonHollow), Rule::ReasonHollow),
        (E::Hollow { field: "reason" }, Rule::FieldHollow),
        (E::Changed { found: 1, wanted: 2 }, Rule::ChangedMeanwhile),
        (E::Ended { stage: Stage::Withdrawn }, Rule::OutOfTurn),
        (E::MayNotOperate { found: id() }, Rule::NotThisRole),
        (E::MayNotExamine { found: id() }, Rule::NotThisRole),
        (E::MayNotCommand { found: id() }, Rule::NotThisRole),
        (E::MayNotAudit { found: id() }, Rule::NotThisRole),
        (E::PartInIt { found: id() }, Rule::NotIndependent),
        (E::OperatorIsRequester, Rule::OperatorIsRequester),
        (E::NotTheOperator { found: id(), wanted: id() }, Rule::NotTheirs),
        (E::NotTheExaminer { found: id(), wanted: id() }, Rule::NotTheirs),
        (E::SecondIsOperator, Rule::NotIndependent),
        (E::FirstAsked, Rule::NotIndependent),
        (E::SecondAsked, Rule::NotIndependent),
        (E::OperatorAnswersForIt, Rule::OperatorIsRequester),
        (E::SecondIsFirst, Rule::NotIndependent),
        (E::NoPartInIt { found: id() }, Rule::NotTheirs),
        (E::ProbeSize { bytes: 0, faces: 0 }, Rule::ProbeSize),
        (E::ProbeSearched, Rule::OutOfTurn),
        (E::NoProbe, Rule::OutOfTurn),
        (E::NoSuchFace { found: 2, faces: 1 }, Rule::NoSuchFace),
        (E::QualitySize, Rule::ProbeSize),
        (E::PoorProbe { shortfalls: words("sharpness") }, Rule::PoorProbe),
        (E::NoFace, Rule::OutOfTurn),
        (E::SearchUnderWay, Rule::OutOfTurn),
        (E::AlreadyAnswered, Rule::OutOfTurn),
        (E::SearchRepeated { found: SearchId([7; 16]) }, Rule::OutOfTurn),
        (E::TooManySearches, Rule::OutOfTurn),
        (E::NoSearchUnderWay, Rule::OutOfTurn),
        (E::TooManyCandidates { found: 9, wanted: 8 }, Rule::CandidatesNumber),
        (E::CandidatesDisordered, Rule::CandidatesNumber),
        (E::NotAnswered, Rule::OutOfTurn),
        (E::FirstClaimed { by: id() }, Rule::OutOfTurn),
        (E::FirstUnfinished, Rule::OutOfTurn),
        (E::SecondClaimed { by: id() }, Rule::OutOfTurn),
        (E::NoReviewUnderWay, Rule::OutOfTurn),
        (E::NotACandidate { found }, Rule::WrongCandidate),
        (E::CandidateReleased { found }, Rule::WrongCandidate),
        (E::AlreadyDispositioned { found }, Rule::WrongCandidate),
        (E::FeatureTwice, Rule::FindingUnfounded),
        (E::LeadUnfounded, Rule::FindingUnfounded),
        (E::NoLeadUnfounded, Rule::FindingUnfounded),
        (E::InconclusiveUnfounded, Rule::FindingUnfounded),
        (E::CandidatesSkipped { left: 2 }, Rule::CandidateSkipped),
        (E::NotReviewed { stage: Stage::Answered }, Rule::OutOfTurn),
        (E::AlreadyIssued, Rule::OutOfTurn),
        (E::NotIssued, Rule::OutOfTurn),
        (E::ReceiverHollow, Rule::OutcomeHollow),
        (E::ChainTooLong, Rule::OutOfTurn),
        (E::NoSuchCopy { found: 0 }, Rule::OutOfTurn),
        (E::CopyOrderOver, Rule::OutOfTurn),
        (E::TooManyCopies, Rule::OutOfTurn),
        (E::ReportWithheld, Rule::ReportWithheld),
        (E::ReportClosed, Rule::NotShown),
        (E::LeadsNumberMissing, Rule::OutcomeHollow),
        (E::LeadsNumberHollow, Rule::OutcomeHollow),
        (E::EvidenceUnmarked, Rule::EvidenceUnmarked),
        (E::EvidenceUnsaid, Rule::OutcomeHollow),
    ]
}

fn callers() -> Vec<(ServiceError, Rule)> {
    use ServiceError as E;
    let name = || words("smrt:device/person-session");
    let wrong = RosterError::WrongRole { name: name(), verb: "search", wanted: "a console" };
    let inactive = RosterError::Inactive { agency: id(), reason: "its agreement has ended" };
    let person = |e: PersonError| E::Person(e);
    let role = PersonError::WrongRole { role: "an auditor", verb: "search", wanted: "an operator" };
    vec![
        (E::Roster(RosterError::Unknown { name: name() }), Rule::NotInRoster),
        (E::Roster(inactive), Rule::AgencyNotActive),
        (E::Roster(wrong), Rule::NotThisRole),
        (E::Roster(RosterError::UnknownAgency { agency: id() }), Rule::AgencyNotListed),
        (E::Roster(RosterError::Malformed { what: words("twice") }), Rule::Malformed),
        (person(PersonError::Locked), Rule::LockedOut),
        (person(PersonError::LockedHere { device: id() }), Rule::LockedOut),
        (person(PersonError::Off { why: OffReason::Unused.words() }), Rule::AccountOff),
        (person(role), Rule::NotThisRole),
        (person(PersonError::Untrained { until: date!(2026 - 01 - 31) }), Rule::Untrained),
        (person(PersonError::SamePerson), Rule::OwnAccount),
        (person(PersonError::TooLong), Rule::AccountTerms),
        (person(PersonError::NameTaken { id: id() }), Rule::NameTaken),
        (E::NoSession, Rule::NoSession),
        (E::BannerFirst, Rule::BannerFirst),
        (E::ScreenHidden, Rule::ScreenHidden),
        (E::NoPerson, Rule::UnknownPerson),
        (E::NoKey, Rule::NoKey),
        (E::KeyTaken, Rule::KeyTaken),
        (E::SoftwareKey, Rule::KeyOfSoftware),
        (E::NoHardware { what: "a program" }, Rule::KeyOfSoftware),
        (E::SecondAccount { id: id() }, Rule::SecondAccount),
        (E::NoSuchCode, Rule::WrongCode),
        (E::NotAppointed { why: "there are people already" }, Rule::NotAppointed),
        (E::NotReleased, Rule::NotThisRole),
        (E::NotProven, Rule::NotProven),
        (E::TooManyChallenges { device: id(), most: 9 }, Rule::TooManyChallenges),
        (E::ListUnfit { why: words("it is older") }, Rule::RevocationListUnfit),
        (E::ListNotKept { why: words("no room") }, Rule::Failed),
        (E::NoChallenge, Rule::WrongChallenge),
        (E::ChallengeOver, Rule::WrongChallenge),
        (E::ChallengeChanged, Rule::WrongChallenge),
        (E::NoConsole, Rule::NoConsoleName),
        (LedgerError::NotFound { what: "booking" }.into(), Rule::NotFound),
    ]
}

fn touches() -> Vec<(TouchError, Rule)> {
    use TouchError as E;
    let (page, other) = (words("https://a.example"), words("https://b.example"));
    let kind = E::Type { found: words("payment.get"), wanted: "webauthn.get" };
    vec![
        (E::RelyingParty { found: page.clone(), reason: "a path" }, Rule::NoConsoleName),
        (E::Credential, Rule::WrongKey),
        (E::ClientData { reason: words("a comma") }, Rule::MalformedTouch),
        (kind, Rule::MalformedTouch),
        (E::Challenge, Rule::WrongChallenge),
        (E::Origin { found: page, wanted: other }, Rule::WrongPage),
        (E::CrossOrigin, Rule::WrongPage),
        (E::TokenBinding, Rule::MalformedTouch),
        (E::AuthenticatorData("too short"), Rule::MalformedTouch),
        (E::RelyingPartyId, Rule::WrongPage),
        (E::NotPresent, Rule::NotPresent),
        (E::NotVerified, Rule::NotVerified),
        (E::BackupEligible, Rule::KeyCanBeCopied),
        (E::BackedUp, Rule::KeyCanBeCopied),
        (E::ReservedFlags { found: 2 }, Rule::MalformedTouch),
        (E::AttestedInTouch, Rule::MalformedTouch),
        (E::NotAttested, Rule::MalformedTouch),
        (E::Signature, Rule::WrongSignature),
        (E::Counter { found: 1, kept: 2 }, Rule::CounterBack),
        (E::NoStatement, Rule::KeyNotVouchedFor),
        (E::SelfAttested, Rule::KeyNotVouchedFor),
        (E::U2f, Rule::KeyNotVouchedFor),
        (E::StatementFormat { found: words("tpm") }, Rule::KeyNotVouchedFor),
        (E::Statement("no map"), Rule::KeyNotVouchedFor),
        (E::StatementSignature, Rule::KeyNotVouchedFor),
        (E::MakerCertificate("it is an authority's"), Rule::KeyNotVouchedFor),
        (E::OtherAaguid { found: words("0101") }, Rule::KeyNotVouchedFor),
        (E::UnknownMaker { found: words("CN=somebody") }, Rule::KeyNotListed),
        (E::UnlistedModel { found: words("0101") }, Rule::KeyNotListed),
        (E::AttestationObject("no map"), Rule::MalformedTouch),
        (E::CredentialId { found: 3 }, Rule::MalformedTouch),
        (E::Algorithm { found: -257 }, Rule::MalformedTouch),
        (E::PublicKey("no point"), Rule::MalformedTouch),
    ]
}

fn photos() -> Vec<(EmbedError, Rule)> {
    use EmbedError as E;
    let face = Face { score: 0.9, frame: [0.0; 4], landmarks: Default::default() };
    let kind = E::Unsupported { format: Format::Png, found: words("12 bits"), wanted: words("8") };
    let outside = E::CropOutside { crop: [0, 0, 90, 90], photo: [60, 60] };
    vec![
        (E::NotAPhoto { found: words("00") }, Rule::PhotoKind),
        (E::Bytes { found: 1 << 30 }, Rule::PhotoTooLarge),
        (E::ProbeBytes { found: 1 << 30 }, Rule::PhotoTooLarge),
        (outside, Rule::EditsOutOfBounds),
        (E::Picture { source: "no room".into() }, Rule::Failed),
        (E::TooLarge { width: 90_000, height: 9 }, Rule::PhotoTooLarge),
        (E::TooSmall { width: 9, height: 9 }, Rule::PhotoTooSmall),
        (E::Memory { format: Format::Jpeg, needed: 9 }, Rule::PhotoTooLarge),
        (E::Truncated { format: Format::Jpeg, found: 9 }, Rule::PhotoDamaged),
        (kind, Rule::PhotoKind),
        (E::Damaged { format: Format::Png, source: "torn".into() }, Rule::PhotoDamaged),
        (E::NoFace, Rule::NoFace),
        (E::FaceTooSmall { found: 3.0 }, Rule::FaceTooSmall),
        (E::FaceUnclear { found: 0.5 }, Rule::FaceUnclear),
        (E::SeveralFaces { faces: vec![face; 2] }, Rule::SeveralFaces),
        (E::NoSuchFace { asked: 4, found: 2 }, Rule::NoSuchFace),
        (E::Busy, Rule::Busy),
        (E::Panicked { reason: words("at most a session") }, Rule::PhotoUnusable),
        (E::Stopped, Rule::Failed),
        (E::Thread { source: io() }, Rule::Failed),
        (E::Model { source: ModelError::Absent { path: "det.onnx".into() } }, Rule::Failed),
        (E::Embedding { source: FaceError::NotFinite { at: 3 } }, Rule::PhotoUnusable),
    ]
}

fn vaults() -> Vec<(VaultError, Rule)> {
    use VaultError as E;
    let digest = E::UploadDigest { found: Digest([1; 32]), announced: Digest([2; 32]) };
    vec![
        (E::UploadSize { found: 0, most: 9 }, Rule::ProbeSize),
        (E::UploadDiffers, Rule::UploadTorn),
        (E::PiecePlace { found: 1, received: 0 }, Rule::UploadTorn),
        (E::PieceSize { offset: 0, found: 1, wanted: 2 }, Rule::UploadTorn),
        (E::PieceDiffers { offset: 0 }, Rule::UploadTorn),
        (E::UploadIncomplete { received: 1, announced: 2 }, Rule::UploadTorn),
        (digest, Rule::UploadTorn),
        (E::Io { what: "sealing a photo", source: io() }, Rule::Failed),
        (E::Unreadable { what: "a photo" }, Rule::Failed),
        (E::Vacant { slot: 3 }, Rule::Failed),
        (E::Full { found: 9 }, Rule::Failed),
        (E::Format { what: "the slots", found: 2, wanted: 1 }, Rule::Failed),
        (E::Missing { name: "bookings" }, Rule::Failed),
        (E::MasterKey { found: 31 }, Rule::Failed),
    ]
}

fn others() -> Vec<(ServiceError, Rule)> {
    use ServiceError as E;
    vec![
        (E::FaceMoved, Rule::FaceMoved),
        (E::NotShown { what: "inquiry" }, Rule::NotShown),
        (E::AtWork, Rule::OneAtATime),
        (E::TooFast { seconds: 10 }, Rule::TooFast),
        (E::Ceiling { found: 31, within: "hour", most: 30 }, Rule::TooMany),
        (E::InDoubt { what: words("a note") }, Rule::LogInDoubt),
        (E::Posted(AuditError::Signature), Rule::CosignatureInvalid),
        (E::NoCosignature { witness: id() }, Rule::CosignatureInvalid),
        (E::NotPending { leaves: 9 }, Rule::NotPending),
        (E::Range { first: 0, end: 9, leaves: 3, most: 9 }, Rule::RangeOutside),
        (E::Sample { rate_ppm: 0, first: 0, end: 9, leaves: 9 }, Rule::RangeOutside),
        (E::ClockDisagrees { seconds: 90 }, Rule::ClockDisagrees),
        (E::Shut { why: words("not witnessed") }, Rule::DoorsShut),
        (E::ListOver { ended: Time::from_seconds(0) }, Rule::RevocationListOver),
        (E::CompareReport(CompareReportError::Proof { what: "asked" }), Rule::Failed),
    ]
}

/// What the ledger refuses or puts off.
fn ledgers() -> Vec<(LedgerError, Rule)> {
    use LedgerError as E;
    let (found, wanted) = (words("a"), words("b"));
    vec![
        (E::TooMany { what: "accounts", most: 9 }, Rule::TableFull),
        (E::NotFound { what: "booking" }, Rule::NotFound),
        (E::Released { leaf: 9 }, Rule::NumberReleased),
        (E::Unreadable, Rule::BookingDamaged),
        (E::NotSuppressed { version: words("00") }, Rule::NotSuppressed),
        (E::NotSwitchable { found, wanted }, Rule::ModelNotSwitched),
        (E::NoSwitch, Rule::NoSwitch),
        (E::Shut, Rule::DoorsShut),
        (E::Busy, Rule::Busy),
        (E::ModelChanged, Rule::Busy),
        (E::Gallery(GalleryError::Busy { len_max: 9 }), Rule::Busy),
        (E::ClockBehind { seconds: 9 }, Rule::ClockBehind),
        (E::DiskLow { free_mib: 1, wanted_mib: 2 }, Rule::DiskFull),
        (E::DiskFull, Rule::DiskFull),
    ]
}

/// What the ledger fails by.
fn failures() -> Vec<(LedgerError, Rule)> {
    use LedgerError as E;
    let (found, wanted) = (words("a"), words("b"));
    let sealed = serde_json::from_str::<u8>("x").unwrap_err();
    let absent = Box::new(ModelError::Absent { path: "det.onnx".into() });
    let failures = [
        E::Gallery(GalleryError::Full { rows: 9 }),
        E::Gallery(GalleryError::Stopped),
        E::Store(StoreError::Corrupt { what: "row" }),
        E::Vector(FaceError::NotFinite { at: 3 }),
        E::Log { what: words("a gap") },
        E::Audit(AuditError::Signature),
        E::Sealed { what: "inquiry", source: sealed },
        E::Setup { found, wanted },
        E::Models { folder: "models".into(), source: absent },
        E::Pool(EmbedError::Stopped),
        E::Io { what: "reading", source: io() },
        E::Halted { cause: words("the device is lost") },
        E::Behind { found: 1, wanted: 2, anchor: "anchor".into() },
        E::Supplied { what: words("a fork") },
    ];
    failures.into_iter().map(|e| (e, Rule::Failed)).collect()
}

/// One value of each error that a verb can end with, and its rule.
fn all() -> Vec<(ServiceError, Rule)> {
    fn of<E: Into<ServiceError>>(errors: Vec<(E, Rule)>) -> Vec<(ServiceError, Rule)> {
        errors.into_iter().map(|(e, rule)| (e.into(), rule)).collect()
    }
    let mut all = of(requests());
    all.extend(of(steps()));
    all.extend(of(touches()));
    all.extend(of(photos()));
    all.extend(of(vaults()));
    all.extend(of(ledgers()));
    all.extend(of(failures()));
    all.extend(callers());
    all.extend(others());
    all
}

#[test]
fn every_error_that_a_verb_can_end_with_has_its_rule() {
    for (error, rule) in all() {
        assert_eq!(error.rule(), rule, "{error}");
    }
}

#[test]
fn every_rule_refuses_something() {
    let mut reached: BTreeSet<Rule> = all().into_iter().map(|(error, _)| error.rule()).collect();
    for rule in OF_THE_DOOR {
        assert!(reached.insert(rule), "{rule:?} is given by a verb too");
    }
    let idle: Vec<_> = Rule::ALL.iter().filter(|rule| !reached.contains(rule)).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn what_is_malformed_or_edited_too_much_has_its_rule_before_a_verb_is_called() {
    let number = BookingError::Number { found: words("?") };
    assert_eq!(number.rule(), Rule::Malformed);
    let edits = EditError::Amount { kind: "rotate", found: 0, least: -1_799, most: 1_800 };
    assert_eq!(edits.rule(), Rule::EditsOutOfBounds);
}

#[test]
fn a_rule_says_whether_the_caller_is_told_why() {
    for (error, rule) in all() {
        let told = match error.fate() {
            Fate::Refuse | Fate::Wait => true,
            Fate::Fail | Fate::Halt => rule == Rule::DiskFull,
        };
        assert_eq!(rule != Rule::Failed, told, "{error}");
    }
}
