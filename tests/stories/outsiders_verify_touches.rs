//! Software that isn't ours verifies touches: PyPI's `webauthn` accepts each that an approval was
//! given by, the challenge computed anew from the detail alone, and refuses each of them once
//! anything in it is changed. Our own check says the same of all.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use smrt::audit::touch::{
    self, ActApproval, Challenge, Credential, FaceBox, RelyingParty, SearchApproval, Touch, Verb,
    verify_registration,
};
use smrt::booking::Identifier;
use smrt::client::software_key::{KeyBehaviour, SoftwareKey};
use smrt::ids::{Digest, InquiryId, ModelId};

use crate::photos::{OBAMA, OBAMA_LATER, edition, photo, root, small};
use crate::site::{self, CONSOLE, Site, booking, number, request};

const LOG: &str = "fusion.example/smrt";
const ORIGIN: &str = "https://smrt.fusion.example:8443";
/// So many are accepted, and so many refused.
const CASES: usize = 100;
const WANTED: &str = "python3 -m venv target/webauthn && target/webauthn/bin/python -m pip install \
    --require-hashes \
                      -r tests/webauthn/requirements.txt, as tests/run does";

/// What the program says of one detail.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    leaf: Option<u64>,
    accepted: bool,
    why: Option<String>,
}

/// What of a detail our own check reads.
#[derive(Deserialize)]
struct Touched<Approval> {
    approval: Approval,
    touch: Touch,
    key: Credential,
}

/// A person with a security key.
struct Person {
    name: String,
    key: SoftwareKey,
    kept: Credential,
}

/// A change, and what it must be refused for.
type Change<'c> = (&'c str, &'c str, String);

impl Person {
    fn new(name: &str) -> Self {
        let key = SoftwareKey::new().unwrap();
        let kept =
            verify_registration(&key.register(&[0; 32], &console()), &[0; 32], &console()).unwrap();
        Self { name: name.to_owned(), key, kept }
    }

    /// The touch, and the key as it was kept before.
    fn touch(&mut self, challenge: &Challenge, habits: &KeyBehaviour) -> (Touch, Credential) {
        let touch = self.key.touch_as(challenge, &console(), habits).unwrap();
        let before = self.kept.clone();
        if let Ok(count) = touch::verify(&touch, challenge, &before, &console()) {
            self.kept.sign_count = count;
        }
        (touch, before)
    }

    /// The detail of a search that was approved.
    fn asks(&mut self, n: u8, habits: &KeyBehaviour) -> Value {
        let approval = search(&self.name, n);
        let (touch, key) = self.touch(&approval.challenge(), habits);
        let actor = json!({"certificate": "smrt:device/rtcc-1",
            "fingerprint": approval.certificate_sha256});
        json!({"detail": "asked", "actor": actor, "approval": approval, "touch": touch, "key": key})
    }

    /// The detail of something else that was.
    fn acts(&mut self, n: u8) -> Value {
        let approval = act(&self.name, n);
        let (touch, key) = self.touch(&approval.challenge(), &KeyBehaviour::default());
        json!({"detail": "logged_on", "person": self.name, "approval": approval, "touch": touch,
            "key": key})
    }
}

fn console() -> RelyingParty {
    RelyingParty::new(ORIGIN).unwrap()
}

fn id(name: &str) -> Identifier {
    Identifier::parse(name).unwrap()
}

fn search(operator: &str, n: u8) -> SearchApproval {
    SearchApproval {
        log: LOG.to_owned(),
        inquiry: InquiryId([n; 16]),
        revision: u64::from(n) << 40,
        fields_sha256: Digest([n ^ 1; 32]),
        probe_sha256: Digest([n ^ 2; 32]),
        searched_sha256: Digest([n ^ 3; 32]),
        face: FaceBox { left: i32::from(n) - 50, top: -1, width: 200, height: 260 },
        edits: [
            "crop 10 20 300 400",
            "text \"quoted\" \\ \u{8}\u{c}\n\r\t\u{1f}\u{7f} \u{e9} \u{2028} \u{1f600}",
            "",
            "rotate 2.5",
            "exposure",
        ][..usize::from(n % 6).min(5)]
            .iter()
            .map(|edit| (*edit).to_owned())
            .collect(),
        candidates: 20,
        operator: id(operator),
        device: id("rtcc-1"),
        certificate_sha256: Digest([n ^ 4; 32]),
        model: ModelId([5; 32]),
        expires: 1_795_449_600 + u64::from(n),
        nonce: [n ^ 6; 32],
    }
}

fn act(person: &str, n: u8) -> ActApproval {
    ActApproval {
        verb: Verb::ALL[usize::from(n) % Verb::ALL.len()],
        log: LOG.to_owned(),
        person: id(person),
        device: id("rtcc-1"),
        certificate_sha256: Digest([4; 32]),
        what_sha256: Digest([n; 32]),
        expires: 1_795_449_600 + u64::from(n),
        nonce: [n ^ 7; 32],
    }
}

/// Details as a line each of an export.
pub(crate) fn export(details: &[String]) -> String {
    let line = |(leaf, detail): (usize, &String)| {
        format!("{}\n", json!({"leaf": leaf, "salt": "00".repeat(32), "detail": detail}))
    };
    details.iter().enumerate().map(line).collect()
}

/// What the independent program says of the details of an export, and whether it found nothing
/// wrong.
pub(crate) fn independent_verdicts(
    details: &Path,
    origin: &str,
    log: &str,
) -> (Vec<Verdict>, bool) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("webauthn/bin/python");
    assert!(python.is_file(), "{} is not there: {WANTED}", python.display());
    let output = Command::new(python)
        .arg(root().join("tests/webauthn/verify.py"))
        .args(["--origin", origin, "--log", log])
        .arg(details)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "the verifier can't work: {WANTED}\n{said}"
    );
    let verdicts = String::from_utf8(output.stdout).unwrap();
    (
        verdicts.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        output.status.success(),
    )
}

fn verdicts_of(name: &str, details: &[String]) -> (Vec<Verdict>, bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, export(details)).unwrap();
    independent_verdicts(&path, ORIGIN, LOG)
}

/// Whether our own check, which an auditor runs as well, accepts a detail by itself.
fn ours(detail: &str) -> bool {
    fn read<Approval: DeserializeOwned>(detail: &str) -> Option<Touched<Approval>> {
        serde_json::from_str(detail).ok()
    }
    fn holds<Approval>(touched: &Touched<Approval>, log: &str, challenge: Challenge) -> bool {
        log == LOG && touch::verify(&touched.touch, &challenge, &touched.key, &console()).is_ok()
    }
    let Ok(parts) = serde_json::from_str::<Value>(detail) else { return false };
    if parts["detail"] == "asked" {
        let fingerprint =
            parts["actor"]["fingerprint"].as_str().and_then(|digits| hex::decode(digits).ok());
        read::<SearchApproval>(detail).is_some_and(|touched| {
            let approval = &touched.approval;
            fingerprint.as_deref() == Some(&approval.certificate_sha256.0[..])
                && holds(&touched, &approval.log, approval.challenge())
        })
    } else {
        read::<ActApproval>(detail).is_some_and(|touched| {
            holds(&touched, &touched.approval.log, touched.approval.challenge())
        })
    }
}

// Changes

fn put(detail: &Value, pointer: &str, value: Value) -> String {
    let mut changed = detail.clone();
    let place = changed.pointer_mut(pointer).unwrap();
    assert_ne!(*place, value, "{pointer} is not changed");
    *place = value;
    changed.to_string()
}

fn without(detail: &Value, object: &str, name: &str) -> String {
    let mut changed = detail.clone();
    changed.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    changed.to_string()
}

/// One bit of a byte string in base64url.
fn flipped(detail: &Value, pointer: &str, at: usize) -> String {
    let mut bytes =
        URL_SAFE_NO_PAD.decode(detail.pointer(pointer).unwrap().as_str().unwrap()).unwrap();
    bytes[at] ^= 1 << (at % 8);
    put(detail, pointer, json!(URL_SAFE_NO_PAD.encode(bytes)))
}

/// Everything that is approved, in another way than it was touched for.
fn changed_approvals(asked: &Value, acted: &Value) -> Vec<Change<'static>> {
    const CHALLENGE: &str = "challenge was not expected";
    let digest = || json!("77".repeat(32));
    let mut changes = Vec::new();
    for (pointer, value) in [
        ("/approval/inquiry", json!("77".repeat(16))),
        ("/approval/revision", json!(1)),
        ("/approval/fields_sha256", digest()),
        ("/approval/probe_sha256", digest()),
        ("/approval/searched_sha256", digest()),
        ("/approval/face/left", json!(0)),
        ("/approval/face/top", json!(1)),
        ("/approval/face/width", json!(201)),
        ("/approval/face/height", json!(261)),
        ("/approval/edits/0", json!("crop 10 20 300 401")),
        ("/approval/edits", json!([])),
        ("/approval/edits", json!(["crop 10 20 300 400\"\nedit=\"rotate"])),
        ("/approval/candidates", json!(21)),
        ("/approval/operator", json!("operator-9")),
        ("/approval/device", json!("rtcc-9")),
        ("/approval/model", digest()),
        ("/approval/expires", json!(1_795_449_999)),
        ("/approval/nonce", digest()),
    ] {
        changes.push((pointer, CHALLENGE, put(asked, pointer, value)));
    }
    for (pointer, value) in [
        ("/approval/verb", json!("approve-grant")),
        ("/approval/person", json!("operator-9")),
        ("/approval/device", json!("rtcc-9")),
        ("/approval/certificate_sha256", digest()),
        ("/approval/what_sha256", digest()),
        ("/approval/expires", json!(1_795_449_999)),
        ("/approval/nonce", digest()),
    ] {
        changes.push((pointer, CHALLENGE, put(acted, pointer, value)));
    }
    changes.push((
        "a search in another log",
        "another log",
        put(asked, "/approval/log", json!("other.example/smrt")),
    ));
    changes.push((
        "an act in another log",
        "another log",
        put(acted, "/approval/log", json!("other.example/smrt")),
    ));
    changes.push((
        "another device's certificate",
        "another device",
        put(asked, "/approval/certificate_sha256", digest()),
    ));
    changes.push((
        "another device asking",
        "another device",
        put(asked, "/actor/fingerprint", digest()),
    ));
    changes.push((
        "an act for a search",
        "exactly the fields",
        put(asked, "/approval", acted["approval"].clone()),
    ));
    changes.push((
        "a search for an act",
        "exactly the fields",
        put(acted, "/approval", asked["approval"].clone()),
    ));
    changes
}

/// Touches that the key itself made, in a way that doesn't count.
fn wrong_touches(person: &mut Person) -> Vec<Change<'static>> {
    let habits = KeyBehaviour::default;
    let kept = person.kept.sign_count;
    let mut changes = Vec::new();
    for (what, why, habits) in [
        ("nobody touched", "not present", KeyBehaviour { present: false, ..habits() }),
        ("nobody verified", "not verified", KeyBehaviour { verified: false, ..habits() }),
        (
            "a key that can be copied",
            "can be copied",
            KeyBehaviour { backup_eligible: true, ..habits() },
        ),
        (
            "a key that was copied",
            "can be copied",
            KeyBehaviour { backup_eligible: true, backed_up: true, ..habits() },
        ),
        (
            "a reserved flag",
            "flags that a touch has not",
            KeyBehaviour { more_flags: 0x02, ..habits() },
        ),
        (
            "another reserved flag",
            "flags that a touch has not",
            KeyBehaviour { more_flags: 0x20, ..habits() },
        ),
        (
            "a credential in a touch",
            "flags that a touch has not",
            KeyBehaviour { misplaced_credential: true, ..habits() },
        ),
        (
            "another page",
            "origin",
            KeyBehaviour { origin: Some("https://smrt.fusion.example".to_owned()), ..habits() },
        ),
        (
            "a page in a frame",
            "frame in another's",
            KeyBehaviour { cross_origin: true, ..habits() },
        ),
        (
            "another relying party",
            "RP ID",
            KeyBehaviour { rp_id: Some("fusion.example".to_owned()), ..habits() },
        ),
        (
            "another ceremony",
            "type",
            KeyBehaviour { ceremony: Some("webauthn.create".to_owned()), ..habits() },
        ),
        (
            "a counter that stands still",
            "sign count",
            KeyBehaviour { count: Some(kept), ..habits() },
        ),
        (
            "a counter that went back",
            "sign count",
            KeyBehaviour { count: Some(kept - 1), ..habits() },
        ),
    ] {
        changes.push((what, why, person.asks(200, &habits).to_string()));
    }
    changes
}

/// Parts of one detail in another.
fn swapped_parts(asked: &Value, other: &Value) -> Vec<Change<'static>> {
    let mut renamed = asked.clone();
    renamed["touch"] = other["touch"].clone();
    renamed["touch"]["credential"] = asked["touch"]["credential"].clone();
    let mut replaced = asked.clone();
    (replaced["touch"], replaced["key"]) = (other["touch"].clone(), other["key"].clone());
    vec![
        ("another's touch", "by another key", put(asked, "/touch", other["touch"].clone())),
        (
            "another's touch under this key's name",
            "challenge was not expected",
            renamed.to_string(),
        ),
        ("another's touch and key", "challenge was not expected", replaced.to_string()),
        ("another's key", "by another key", put(asked, "/key", other["key"].clone())),
        (
            "another's public key",
            "webauthn:",
            put(asked, "/key/public_key", other["key"]["public_key"].clone()),
        ),
        (
            "another's signature",
            "webauthn:",
            put(asked, "/touch/signature", other["touch"]["signature"].clone()),
        ),
        (
            "another's approval",
            "another device",
            put(asked, "/approval", other["approval"].clone()),
        ),
    ]
}

/// The same said in a way that isn't the one in which it is written.
fn other_forms(asked: &Value) -> Vec<Change<'static>> {
    let text = asked.to_string();
    let padded = format!("{}=", asked["touch"]["client_data"].as_str().unwrap());
    // The last of the 43 digits of 32 bytes carries two bits that are none of theirs.
    let id = asked["key"]["id"].as_str().unwrap();
    let spare = |digit: char| char::from(u8::try_from(digit).unwrap() + 1);
    let loose = format!("{}{}", &id[..42], spare(id.chars().last().unwrap()));
    let capitals = asked["approval"]["model"].as_str().unwrap().replacen('0', "A", 1);
    vec![
        ("no touch", "no touch", without(asked, "", "touch")),
        ("no approval", "no approval", without(asked, "", "approval")),
        ("no key", "no key", without(asked, "", "key")),
        ("no nonce", "exactly the fields", without(asked, "/approval", "nonce")),
        ("no signature", "exactly the fields", without(asked, "/touch", "signature")),
        (
            "a field more",
            "exactly the fields",
            text.replacen("\"approval\":{", "\"approval\":{\"verb\":\"search\",", 1),
        ),
        (
            "a name twice",
            "twice in one object",
            text.replacen("\"candidates\":20", "\"candidates\":20,\"candidates\":20", 1),
        ),
        ("a fraction", "no number", text.replacen("\"candidates\":20", "\"candidates\":20.0", 1)),
        (
            "a truth value",
            "no number",
            text.replacen("\"candidates\":20", "\"candidates\":true", 1),
        ),
        (
            "a number in quotes",
            "no number",
            text.replacen("\"candidates\":20", "\"candidates\":\"20\"", 1),
        ),
        ("capital digits", "small letters", put(asked, "/approval/model", json!(capitals))),
        ("padding", "base64url", put(asked, "/touch/client_data", json!(padded))),
        ("bits to spare", "base64url", put(asked, "/touch/credential", json!(loose))),
        (
            "a counter of more than 32 bits",
            "32 bits",
            put(asked, "/key/sign_count", json!(1_u64 << 32)),
        ),
        (
            "a counter that was higher",
            "sign count",
            put(asked, "/key/sign_count", json!(4_000_000_000_u64)),
        ),
        (
            "software that calls itself hardware",
            "software differ",
            put(asked, "/key/software", json!(false)),
        ),
        (
            "another kind of key",
            "software differ",
            put(asked, "/key/aaguid", json!("00000000-0000-0000-0000-000000000000")),
        ),
    ]
}

/// Bits of what the key and the browser wrote.
fn changed_bytes(asked: &Value) -> Vec<Change<'static>> {
    let places = [
        ("/touch/authenticator_data", [0, 17, 31, 32, 33, 34, 35, 36]),
        ("/touch/client_data", [0, 8, 40, 60, 80, 100, 120, 130]),
        ("/touch/signature", [0, 1, 2, 4, 10, 33, 50, 60]),
        ("/key/public_key", [0, 4, 10, 20, 41, 45, 60, 76]),
    ];
    let of = |(pointer, bytes): (&'static str, [usize; 8])| {
        bytes.map(|at| (pointer, "webauthn:", flipped(asked, pointer, at)))
    };
    places.into_iter().flat_map(of).collect()
}

#[test]
fn an_independent_program_accepts_every_touch_and_refuses_each_tampered_with() {
    let mut people: Vec<Person> = (0..4).map(|n| Person::new(&format!("operator-{n}"))).collect();
    let detail = |n: u8| {
        let person = &mut people[usize::from(n) % 4];
        if n % 5 == 4 { person.acts(n) } else { person.asks(n, &KeyBehaviour::default()) }
    };
    let whole: Vec<Value> = (0..CASES).map(|n| u8::try_from(n).unwrap()).map(detail).collect();
    let texts: Vec<String> = whole.iter().map(Value::to_string).collect();
    let (verdicts, all) = verdicts_of("details.jsonl", &texts);
    for (verdict, text) in verdicts.iter().zip(&texts) {
        assert!(verdict.accepted && ours(text), "{verdict:?}\n{text}");
    }
    assert_eq!((verdicts.len(), all), (CASES, true));

    let (asked, other, acted) = (&whole[15], &whole[16], &whole[9]);
    let mut changes = changed_approvals(asked, acted);
    changes.extend(wrong_touches(&mut people[3]));
    changes.extend(swapped_parts(asked, other));
    changes.extend(other_forms(asked));
    changes.extend(changed_bytes(asked));
    assert_eq!(changes.len(), CASES);
    let texts: Vec<String> = changes.iter().map(|(_, _, text)| text.clone()).collect();
    let (verdicts, all) = verdicts_of("details.jsonl", &texts);
    assert_eq!((verdicts.len(), all), (CASES, false));
    for (verdict, (what, wanted, text)) in verdicts.iter().zip(&changes) {
        let why = verdict.why.as_deref().unwrap_or("nothing");
        let found = why.to_lowercase().contains(&wanted.to_lowercase());
        assert!(
            !verdict.accepted && found,
            "{what} was refused for {why}, wanted {wanted}\n{text}"
        );
        assert!(!ours(text), "our own check accepted {what}\n{text}");
    }
}

#[test]
fn an_independent_program_accepts_a_real_boxs_touches_and_no_tampered_search() {
    let site = Site::staffed();
    let daemon = site.start("test");
    daemon
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Roe, Jane"), &photo(OBAMA))
        .unwrap();
    let probe = edition(&small(OBAMA_LATER), 0);
    let desks = ["rtcc-1", "rtcc-2"].map(|device| daemon.desk(device));
    for n in 0..CASES {
        desks[n % 2].ask(&request(), &probe).unwrap();
    }
    let folder = site.path("exported");
    let words = ["log", "export", folder.to_str().unwrap(), "--details", "all"];
    let exported = daemon.smrtctl(&site.console_identity("audit-1"), &words);
    assert_eq!(exported.status, Some(0), "{exported:?}");
    assert_eq!(daemon.stop(), Some(0), "what follows needs no box");
    let details = folder.join("details.jsonl");
    let (verdicts, all) = independent_verdicts(&details, CONSOLE, site::ORIGIN);
    let refused: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.accepted).collect();
    assert!(all && refused.is_empty(), "{refused:?}");

    let lines = fs::read_to_string(&details).unwrap();
    let opened = lines.lines().map(|line| {
        serde_json::from_str::<Value>(line).unwrap()["detail"].as_str().unwrap().to_owned()
    });
    let asked: Vec<Value> = opened
        .map(|text| serde_json::from_str(&text).unwrap())
        .filter(|detail: &Value| detail["detail"] == "asked")
        .collect();
    assert_eq!(asked.len(), CASES);
    assert!(
        verdicts.len() > CASES + 6,
        "log-ons, grants and approvals are among {} touches",
        verdicts.len()
    );
    let tampered = |(n, detail): (usize, &Value)| match n % 10 {
        0 => flipped(detail, "/touch/signature", 8 + n % 40),
        1 => flipped(detail, "/touch/authenticator_data", n % 37),
        2 => flipped(detail, "/touch/client_data", 20 + n % 60),
        3 => flipped(detail, "/key/public_key", 10 + n % 60),
        4 => put(
            detail,
            "/approval/revision",
            json!(detail["approval"]["revision"].as_u64().unwrap() + 1),
        ),
        5 => put(detail, "/approval/operator", json!("somebody")),
        6 => put(detail, "/approval/probe_sha256", json!("77".repeat(32))),
        7 => put(detail, "/approval/inquiry", json!("77".repeat(16))),
        8 => put(
            detail,
            "/approval/face/left",
            json!(detail["approval"]["face"]["left"].as_i64().unwrap() - 1),
        ),
        _ => put(detail, "/approval/model", json!("77".repeat(32))),
    };
    let path = site.path("tampered.jsonl");
    fs::write(&path, export(&asked.iter().enumerate().map(tampered).collect::<Vec<_>>())).unwrap();
    let (verdicts, all) = independent_verdicts(&path, CONSOLE, site::ORIGIN);
    let accepted: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.accepted).collect();
    assert!(!all && verdicts.len() == CASES && accepted.is_empty(), "{accepted:?}");
}

#[test]
fn a_touch_holds_once_and_a_key_is_one_persons_and_counts_upwards() {
    let mut person = Person::new("operator-1");
    let details: Vec<Value> = (0..3).map(|n| person.asks(n, &KeyBehaviour::default())).collect();
    person.name = "operator-2".to_owned();
    let anothers = person.asks(3, &KeyBehaviour::default());
    let mut thief = Person::new("operator-1");
    let mut stolen = thief.asks(4, &KeyBehaviour::default());
    stolen["key"]["id"] = details[0]["key"]["id"].clone();
    stolen["touch"]["credential"] = details[0]["key"]["id"].clone();
    let lines = [&details[1], &details[0], &details[1], &anothers, &stolen, &details[2]]
        .map(Value::to_string);
    let (verdicts, all) = verdicts_of("details.jsonl", &lines);
    let wanted = [
        None,
        Some("the key's counter was higher before"),
        Some("the same approval was used before"),
        Some("the same key was another, or another person's, before"),
        Some("the same key was another, or another person's, before"),
        None,
    ];
    assert_eq!(verdicts.iter().map(|verdict| verdict.why.as_deref()).collect::<Vec<_>>(), wanted);
    assert_eq!(
        verdicts.iter().map(|verdict| verdict.leaf).collect::<Vec<_>>(),
        (0..6).map(Some).collect::<Vec<_>>()
    );
    assert!(!all);
}

#[test]
fn lines_that_are_no_details_are_refused_and_details_without_touches_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("details.jsonl");
    let mut person = Person::new("operator-1");
    let line = |detail: Value| json!({"leaf": 1, "salt": "00", "detail": detail}).to_string();
    let lines = [
        "{".to_owned(),
        "[]".to_owned(),
        line(person.asks(0, &KeyBehaviour::default())),
        line(json!("[]")),
        "[".repeat(100_000),
        line(json!(json!({"detail": "stopped", "software": "0.1.0"}).to_string())),
        line(json!(person.asks(1, &KeyBehaviour::default()).to_string())),
    ];
    fs::write(&path, lines.join("\n")).unwrap();
    let (verdicts, all) = independent_verdicts(&path, ORIGIN, LOG);
    assert_eq!(
        verdicts.iter().map(|verdict| verdict.accepted).collect::<Vec<_>>(),
        [false, false, false, false, false, true]
    );
    assert!(!all);
    // An export without a touch proves nothing, and isn't told as if it did.
    fs::write(&path, format!("{}\n", lines[5])).unwrap();
    let (verdicts, all) = independent_verdicts(&path, ORIGIN, LOG);
    assert_eq!((verdicts.len(), all), (0, false));
}
