//! Refusal codes: the closed list of rules by which somebody is refused something.
//!
//! Each error that can reach a caller names its rule. The code stands in the leaf of the refusal,
//! is the `type` of the answer's problem, and is what the public report counts by; so a reworded
//! sentence changes none of them. Codes are for ever: one that nothing gives any more is not given
//! to another rule.

macro_rules! rules {
    ($($rule:ident = $code:literal $words:literal;)+) => {
        /// The rule by which something is refused, put off or failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
        pub enum Rule {
            $(
                #[doc = $words]
                #[serde(rename = $code)]
                $rule,
            )+
        }

        impl Rule {
            /// All rules.
            pub const ALL: &'static [Self] = &[$(Self::$rule,)+];

            /// The rule of a code.
            pub fn of(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$rule),)+
                    _ => None,
                }
            }

            /// Its code, in leaves, problems and figures.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$rule => $code,)+
                }
            }

            /// Its words, for people who read figures.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$rule => $words,)+
                }
            }
        }
    };
}

rules! {
    // Callers
    NotInRoster = "not-in-roster" "Caller not on the site’s list";
    CertificateOver = "certificate-over" "Certificate revoked or ended";
    AgencyNotListed = "agency-not-listed" "Agency not on the site’s list";
    AgencyNotActive = "agency-not-active" "Agency’s agreement not in force";
    NotThisRole = "not-this-role" "Not for this caller’s role";
    NotTheirs = "not-theirs" "Not the caller’s own";
    NotFound = "not-found" "Nothing of that name for this caller";
    Untrained = "untrained" "Training out of date";
    OwnAccount = "own-account" "Decision on one’s own account";

    // The form of a request
    Malformed = "malformed" "Not in the form that is wanted";
    Json = "json" "JSON of another form";
    ContentType = "content-type" "Content of another type";
    TooLarge = "too-large" "Larger than is taken";
    Method = "method" "Another method than the path takes";
    OtherOrigin = "other-origin" "From a page that is not the box’s own";
    Timeout = "timeout" "Took too long";

    // What a request states
    ReasonLength = "reason-length" "Reason too short or too long";
    ReasonHollow = "reason-hollow" "Reason was a placeholder";
    ReferenceHollow = "reference-hollow" "No real complaint number or identifier";
    ReferencePattern = "reference-pattern" "Complaint number not as its agency writes them";
    RequesterHollow = "requester-hollow" "Requester was a placeholder";
    OperatorIsRequester = "operator-is-requester" "Operator’s own request";
    PurposeHollow = "purpose-hollow" "Purpose was a placeholder";
    SupervisorHollow = "supervisor-hollow" "Supervisor was a placeholder";
    CourtOrderHollow = "court-order-hollow" "Court order was a placeholder";
    SourceHollow = "source-hollow" "Source of the photo was a placeholder";
    NotAttested = "not-attested" "A statement was not attested";
    CandidatesNumber = "candidates-number" "Too many candidates asked for";
    FieldHollow = "field-hollow" "Another field was a placeholder";

    // The steps of an inquiry
    ChangedMeanwhile = "changed-meanwhile" "Changed meanwhile";
    OutOfTurn = "out-of-turn" "Out of turn";
    NotShown = "not-shown" "Not shown at this stage";
    NotIndependent = "not-independent" "Examiner not independent";
    PoorProbe = "poor-probe" "Poor photo without a recorded reason";
    FaceMoved = "face-moved" "Face chosen under another model";
    EditsOutOfBounds = "edits-out-of-bounds" "Edits out of bounds";
    CandidateSkipped = "candidate-skipped" "A candidate was skipped";
    FindingUnfounded = "finding-unfounded" "Finding without what it stands on";
    WrongCandidate = "wrong-candidate" "Not a candidate to be judged now";
    OutcomeHollow = "outcome-hollow" "Outcome was a placeholder";
    EvidenceUnmarked = "evidence-unmarked" "Identification without a handover as evidence";
    ReportWithheld = "report-withheld" "Report withheld after a release";
    OneAtATime = "one-at-a-time" "Another search at work";
    TooFast = "too-fast" "Too soon after the last search";
    TooMany = "too-many" "Too many searches";
    TableFull = "table-full" "No room for more of them";

    // Uploads of probes
    ProbeSize = "probe-size" "Photo too large or with too many faces";
    UploadTorn = "upload-torn" "Photo’s upload torn";

    // Bookings
    NumberReleased = "number-released" "Booking had been released";
    BookingDamaged = "booking-damaged" "Booking damaged";
    NotSuppressed = "not-suppressed" "Booking not suppressed";

    // Photos
    NoFace = "no-face" "No face found";
    SeveralFaces = "several-faces" "Several faces, none chosen";
    NoSuchFace = "no-such-face" "No such face";
    FaceTooSmall = "face-too-small" "Face too small";
    FaceUnclear = "face-unclear" "Face unclear";
    PhotoTooSmall = "photo-too-small" "Photo too small";
    PhotoTooLarge = "photo-too-large" "Photo too large";
    PhotoDamaged = "photo-damaged" "Photo damaged";
    PhotoUnusable = "photo-unusable" "Photo unusable";
    PhotoKind = "photo-kind" "Not a kind of photo that is read";

    // Accounts and sessions
    NoSession = "no-session" "No session";
    BannerFirst = "banner-first" "Banner not acknowledged";
    ScreenHidden = "screen-hidden" "Session’s screen hidden";
    UnknownPerson = "unknown-person" "No account of that name";
    WrongCode = "wrong-code" "Wrong appointment code";
    NotProven = "not-proven" "Name and key do not belong together";
    TooManyChallenges = "too-many-challenges" "Too many touches asked for at a device";
    LockedOut = "locked-out" "Account locked";
    AccountOff = "account-off" "Account off";
    AccountTerms = "account-terms" "Temporary account for too long";
    NameTaken = "name-taken" "Name of another account";
    SecondAccount = "second-account" "Second account of a person";
    NotAppointed = "not-appointed" "Not appointed at the box";
    NoKey = "no-key" "No security key";
    KeyTaken = "key-taken" "Security key of another person";
    KeyOfSoftware = "key-of-software" "Key of software";

    // Security keys
    WrongChallenge = "wrong-challenge" "Key touched for another request";
    WrongKey = "wrong-key" "Another security key";
    WrongSignature = "wrong-signature" "Wrong signature";
    NotPresent = "not-present" "Key not touched";
    NotVerified = "not-verified" "Key’s user not verified";
    CounterBack = "counter-back" "Key’s counter went back";
    KeyCanBeCopied = "key-can-be-copied" "Key can be copied";
    KeyNotVouchedFor = "key-not-vouched-for" "No maker vouches for the key";
    KeyNotListed = "key-not-listed" "Key of a model that is not listed";
    WrongPage = "wrong-page" "Key touched on another page";
    MalformedTouch = "malformed-touch" "Key’s answer malformed";
    NoConsoleName = "no-console-name" "No name that keys could be bound to";

    // The model
    ModelNotSwitched = "model-not-switched" "Model not to be switched";
    NoSwitch = "no-switch" "No switch of the model under way";

    // The log and the clock
    LogInDoubt = "log-in-doubt" "Log in doubt";
    CosignatureInvalid = "cosignature-invalid" "Cosignature not valid";
    NotPending = "not-pending" "Not the checkpoint to be cosigned";
    RangeOutside = "range-outside" "Range outside the log";
    RevocationListUnfit = "revocation-list-unfit" "Revocation list not taken";
    ClockDisagrees = "clock-disagrees" "Clock and time source apart";

    // No fault of the caller
    Busy = "busy" "Too much at work";
    DoorsShut = "doors-shut" "Doors shut";
    ClockBehind = "clock-behind" "Clock behind";
    RevocationListOver = "revocation-list-over" "Revocation list over";
    DiskFull = "disk-full" "Disk full";
    Failed = "failed" "Failure of the box";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_by_its_code_which_is_its_alone() {
        for &rule in Rule::ALL {
            assert_eq!(Rule::of(rule.code()), Some(rule));
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.code());
        }
        let mut codes: Vec<_> = Rule::ALL.iter().map(|rule| rule.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Rule::ALL.len());
        assert_eq!(Rule::of("other"), None);
    }

    #[test]
    fn a_code_is_its_rules_name_in_small_letters_with_dashes() {
        for &rule in Rule::ALL {
            let mut kebab = String::new();
            for (at, letter) in format!("{rule:?}").char_indices() {
                if at > 0 && letter.is_ascii_uppercase() {
                    kebab.push('-');
                }
                kebab.push(letter.to_ascii_lowercase());
            }
            assert_eq!(rule.code(), kebab);
        }
    }
}
