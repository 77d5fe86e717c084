//! Touches and registrations by keys of both algorithms, and each of them changed in every bit;
//! hostile bytes.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use proptest::prelude::*;
use serde_json::json;

use super::data::{ATTESTED, EXTENSIONS, PRESENT, VERIFIED};
use super::*;

const CHALLENGE: Challenge = [7; 32];
const CHALLENGE_TEXT: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
const ORIGIN: &str = "https://smrt.fusion.example";
const ID: [u8; 20] = [0x1d; 20];
const AAGUID: [u8; 16] = [0xaa; 16];

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    fn both() -> [Self; 2] {
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        [Self::P256(p256), Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap())]
    }

    /// The COSE_Key, written out by hand.
    fn cose(&self) -> Vec<u8> {
        match self {
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                let head = hex::decode("a5010203262001215820").unwrap();
                [&head, &point[1..33], &[0x22, 0x58, 0x20], &point[33..]].concat()
            }
            Self::Ed25519(pair) => {
                [&hex::decode("a4010103272006215820").unwrap(), pair.public_key().as_ref()].concat()
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    fn credential(&self) -> Credential {
        let registration = registration(&attestation_object(&attested(&self.cose(), &[])));
        verify_registration(&registration, &CHALLENGE, &console()).unwrap()
    }

    /// A signed touch with this client data and these extensions.
    fn touch(&self, client_data: &[u8], extensions: &[u8]) -> Touch {
        let flag = if extensions.is_empty() { 0 } else { EXTENSIONS };
        let data = [&authenticator_data(PRESENT | VERIFIED | flag, 9)[..], extensions].concat();
        let signature = self.sign(&[&data, digest(&SHA256, client_data).as_ref()].concat());
        Touch {
            credential: base64(&ID),
            authenticator_data: base64(&data),
            client_data: base64(client_data),
            signature: base64(&signature),
        }
    }
}

fn console() -> RelyingParty {
    RelyingParty::new(ORIGIN).unwrap()
}

fn base64<const BYTES_MAX: usize>(bytes: &[u8]) -> Base64Url<BYTES_MAX> {
    Base64Url::new(bytes).unwrap()
}

fn client_data(ceremony: &str) -> String {
    format!(
        "{{\"type\":\"{ceremony}\",\"challenge\":\"{CHALLENGE_TEXT}\",\"origin\":\"{ORIGIN}\",\
         \"crossOrigin\":false}}"
    )
}

fn authenticator_data(flags: u8, count: u32) -> Vec<u8> {
    [digest(&SHA256, b"smrt.fusion.example").as_ref(), &[flags], &count.to_be_bytes()].concat()
}

fn attested(cose: &[u8], extensions: &[u8]) -> Vec<u8> {
    attested_as(&ID, cose, extensions)
}

fn attested_as(id: &[u8], cose: &[u8], extensions: &[u8]) -> Vec<u8> {
    let flag = if extensions.is_empty() { 0 } else { EXTENSIONS };
    let head = authenticator_data(PRESENT | VERIFIED | ATTESTED | flag, 3);
    let length = u16::try_from(id.len()).unwrap().to_be_bytes();
    [&head, &AAGUID[..], &length, id, cose, extensions].concat()
}

fn attestation_object(data: &[u8]) -> Vec<u8> {
    with_statement(b"\x64none", &[0xa0], data)
}

fn with_statement(format: &[u8], statement: &[u8], data: &[u8]) -> Vec<u8> {
    let head = match u8::try_from(data.len()) {
        Ok(length) => vec![0x58, length],
        Err(_) => [&[0x59], &u16::try_from(data.len()).unwrap().to_be_bytes()[..]].concat(),
    };
    [b"\xa3\x63fmt", format, b"\x67attStmt", statement, b"\x68authData", &head, data].concat()
}

fn registration(object: &[u8]) -> Registration {
    Registration {
        client_data: base64(client_data("webauthn.create").as_bytes()),
        attestation_object: base64(object),
    }
}

fn registered(object: &[u8]) -> Result<Credential, TouchError> {
    verify_registration(&registration(object), &CHALLENGE, &console())
}

/// Every way to change one bit.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..8 * bytes.len()).map(|bit| {
        let mut changed = bytes.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        changed
    })
}

#[test]
fn keys_of_both_algorithms_register_and_touch() {
    for pair in Pair::both() {
        let credential = pair.credential();
        assert_eq!(
            (credential.id.as_bytes(), credential.sign_count, credential.aaguid),
            (&ID[..], 3, Aaguid(AAGUID))
        );
        assert_eq!(credential.public_key.to_cose(), pair.cose());
        assert!(!credential.software());
        let touch = pair.touch(client_data("webauthn.get").as_bytes(), &[]);
        assert_eq!(verify(&touch, &CHALLENGE, &credential, &console()), Ok(9));
    }
}

#[test]
fn a_touch_with_any_bit_changed_is_refused() {
    for pair in Pair::both() {
        let credential = pair.credential();
        let touch = pair.touch(client_data("webauthn.get").as_bytes(), &[]);
        let refused = |touch: &Touch| verify(touch, &CHALLENGE, &credential, &console()).is_err();
        for changed in flips(touch.authenticator_data.as_bytes()) {
            assert!(
                refused(&Touch { authenticator_data: base64(&changed), ..touch.clone() }),
                "{}",
                hex::encode(changed)
            );
        }
        for changed in flips(touch.client_data.as_bytes()) {
            assert!(
                refused(&Touch { client_data: base64(&changed), ..touch.clone() }),
                "{}",
                String::from_utf8_lossy(&changed)
            );
        }
        for changed in flips(touch.signature.as_bytes()) {
            assert!(
                refused(&Touch { signature: base64(&changed), ..touch.clone() }),
                "{}",
                hex::encode(changed)
            );
        }
        for changed in flips(&ID) {
            assert!(refused(&Touch { credential: base64(&changed), ..touch.clone() }));
        }
        for length in 0..touch.signature.as_bytes().len() {
            assert!(refused(&Touch {
                signature: base64(&touch.signature.as_bytes()[..length]),
                ..touch.clone()
            }));
        }
    }
}

#[test]
fn a_credential_with_any_bit_of_its_key_changed_does_not_verify() {
    for pair in Pair::both() {
        let touch = pair.touch(client_data("webauthn.get").as_bytes(), &[]);
        let credential = pair.credential();
        for changed in flips(&pair.cose()) {
            let Ok(public_key) = PublicKey::from_cose(&changed) else { continue };
            let changed = Credential { public_key, ..credential.clone() };
            assert_eq!(
                verify(&touch, &CHALLENGE, &changed, &console()),
                Err(TouchError::Signature)
            );
        }
    }
}

#[test]
fn what_a_browser_may_add_is_taken_and_what_it_may_not_is_refused() {
    let [pair, _] = Pair::both();
    let credential = pair.credential();
    let verdict =
        |json: &str| verify(&pair.touch(json.as_bytes(), &[]), &CHALLENGE, &credential, &console());
    let with = |more: &str| client_data("webauthn.get").replace("}", &format!("{more}}}"));
    for more in [
        r#","other_keys_can_be_added_here":"x""#,
        r#","tokenBinding":{"status":"supported"}"#,
        r#","more":{"a":[1,null]}"#,
    ] {
        assert_eq!(verdict(&with(more)), Ok(9), "{more}");
    }
    assert_eq!(verdict(&client_data("webauthn.get").replace(",\"crossOrigin\":false", "")), Ok(9));
    assert_eq!(
        verdict(&with(r#","topOrigin":"https://smrt.fusion.example""#)),
        Err(TouchError::CrossOrigin)
    );
    assert_eq!(
        verdict(&with(r#","tokenBinding":{"status":"present","id":"x"}"#)),
        Err(TouchError::TokenBinding)
    );
    let padded = client_data("webauthn.get").replace(CHALLENGE_TEXT, &format!("{CHALLENGE_TEXT}="));
    assert_eq!(verdict(&padded), Err(TouchError::Challenge));
    for wrong in [
        with(r#","origin":"https://smrt.fusion.example""#),
        with(r#","crossOrigin":"no""#),
        client_data("webauthn.get").replace("\"crossOrigin\":false", "\"crossOrigin\":0"),
        client_data("webauthn.get").replace("\"origin\":\"https://smrt.fusion.example\",", ""),
        format!("\u{feff}{}", client_data("webauthn.get")),
        client_data("webauthn.get") + "{}",
        format!(r#"["webauthn.get","{CHALLENGE_TEXT}","{ORIGIN}",false,null,null]"#),
        format!("{{\"a\":{}", "[".repeat(4_000)),
        String::new(),
    ] {
        assert!(matches!(verdict(&wrong), Err(TouchError::ClientData { .. })), "{wrong}");
    }
}

#[test]
fn extensions_are_passed_over_and_nothing_may_stand_behind_them() {
    let [pair, _] = Pair::both();
    let credential = pair.credential();
    let json = client_data("webauthn.get");
    let map = hex::decode("a26b6372656450726f74656374026161f5").unwrap();
    assert_eq!(
        verify(&pair.touch(json.as_bytes(), &map), &CHALLENGE, &credential, &console()),
        Ok(9)
    );
    assert!(registered(&attestation_object(&attested(&pair.cose(), &map))).is_ok());
    for wrong in
        [&map[..map.len() - 1], &[&map[..], &[0]].concat(), &[0x80], &[0xa1, 0x01], &[0xbf, 0xff]]
    {
        let touched =
            verify(&pair.touch(json.as_bytes(), wrong), &CHALLENGE, &credential, &console());
        assert!(matches!(touched, Err(TouchError::AuthenticatorData(_))), "{}", hex::encode(wrong));
        let registered = registered(&attestation_object(&attested(&pair.cose(), wrong)));
        assert!(
            matches!(registered, Err(TouchError::AuthenticatorData(_))),
            "{}",
            hex::encode(wrong)
        );
    }
}

#[test]
fn statements_of_every_format_are_taken_and_none_is_believed() {
    let [pair, _] = Pair::both();
    let data = attested(&pair.cose(), &[]);
    // Algorithm, signature, and a list of one certificate, none of which would hold.
    let packed = hex::decode("a363616c67266373696743010203637835638141ff").unwrap();
    assert_eq!(
        registered(&with_statement(b"\x66packed", &packed, &data)).unwrap(),
        pair.credential()
    );
    for wrong in [
        with_statement(b"\x42\x01\x02", &[0xa0], &data),
        with_statement(b"\x64none", &[], &data),
        [&attestation_object(&data)[..], &[0]].concat(),
        [
            b"\xa4\x63fmt\x64none\x63fmt\x64none\x67attStmt\xa0\x68authData\x58",
            &[u8::try_from(data.len()).unwrap()][..],
            &data,
        ]
        .concat(),
        b"\xa2\x63fmt\x64none\x67attStmt\xa0".to_vec(),
        b"\xa0".to_vec(),
        Vec::new(),
    ] {
        assert!(
            matches!(registered(&wrong), Err(TouchError::AttestationObject(_))),
            "{}",
            hex::encode(wrong)
        );
    }
}

#[test]
fn a_registration_cut_short_anywhere_is_refused() {
    for pair in Pair::both() {
        let data = attested(&pair.cose(), &[]);
        for length in 0..data.len() {
            assert!(registered(&attestation_object(&data[..length])).is_err(), "{length}");
        }
        let object = attestation_object(&data);
        for length in 0..object.len() {
            assert!(
                matches!(registered(&object[..length]), Err(TouchError::AttestationObject(_))),
                "{length}"
            );
        }
        assert!(registered(&attestation_object(&[&data[..], &[0]].concat())).is_err());
    }
}

#[test]
fn ids_are_long_enough_not_to_be_guessed_and_no_longer_than_the_standard_has_them() {
    let [pair, _] = Pair::both();
    for (length, fits) in
        [(0, false), (15, false), (16, true), (1_023, true), (1_024, false), (65_000, false)]
    {
        let data = attested_as(&vec![1; length], &pair.cose(), &[]);
        if length == 65_000 {
            assert!(Base64Url::<ATTESTATION_OBJECT_BYTES_MAX>::new(data).is_none());
            continue;
        }
        let wanted =
            if fits { Ok(length) } else { Err(TouchError::CredentialId { found: length }) };
        assert_eq!(
            registered(&attestation_object(&data)).map(|credential| credential.id.as_bytes().len()),
            wanted
        );
    }
}

#[test]
fn keys_of_other_algorithms_off_the_curve_or_of_small_order_are_refused() {
    let [p256, ed25519] = Pair::both().map(|pair| pair.cose());
    let cose = |digits: &str| PublicKey::from_cose(&hex::decode(digits).unwrap());
    // RSA, ES384, and the newer names of the same two curves, which nobody asks for.
    assert_eq!(
        cose("a4010303390100204301000121430100ff"),
        Err(TouchError::Algorithm { found: -257 })
    );
    assert_eq!(
        cose(&format!("a501020338222002215830{0}225830{0}", "01".repeat(48))),
        Err(TouchError::Algorithm { found: -35 })
    );
    assert_eq!(
        PublicKey::from_cose(&[&[0xa5, 0x01, 0x02, 0x03, 0x28], &p256[5..]].concat()),
        Err(TouchError::Algorithm { found: -9 })
    );
    let malformed =
        |bytes: &[u8]| matches!(PublicKey::from_cose(bytes), Err(TouchError::PublicKey(_)));
    let off_curve = [&p256[..10], &[1; 32], &[0x22, 0x58, 0x20], &[1; 32]].concat();
    let infinity = [&p256[..10], &[0; 32], &[0x22, 0x58, 0x20], &[0; 32]].concat();
    let beyond_the_field = [&p256[..10], &[0xff; 32], &p256[42..]].concat();
    // The second coordinate as a mere sign.
    let compressed = [&p256[..42], &[0x22, 0xf5]].concat();
    let other_order = [&[0xa5, 0x03, 0x26, 0x01, 0x02], &p256[5..]].concat();
    let one_more = [&[0xa6], &p256[1..], &[0x24, 0x01]].concat();
    let p256_as_eddsa = [&ed25519[..4], &[0x26], &ed25519[5..]].concat();
    for wrong in [
        &off_curve,
        &infinity,
        &beyond_the_field,
        &compressed,
        &other_order,
        &one_more,
        &p256_as_eddsa,
    ] {
        assert!(malformed(wrong), "{}", hex::encode(wrong));
    }
    for length in 0..p256.len() {
        assert!(malformed(&p256[..length]), "{length}");
    }
    assert!(malformed(&[&p256[..], &[0]].concat()) && malformed(&[&ed25519[..], &[0]].concat()));
    for sign in [0x00, 0x80] {
        for y in [0, 1] {
            let mut point = [0; 32];
            (point[0], point[31]) = (y, sign);
            assert!(malformed(&[&ed25519[..10], &point].concat()));
        }
    }
}

#[test]
fn a_credential_survives_json_and_cannot_lie_about_being_software() {
    let [pair, _] = Pair::both();
    let credential = pair.credential();
    let json = serde_json::to_value(&credential).unwrap();
    assert_eq!((&json["sign_count"], &json["software"]), (&json!(3), &json!(false)));
    assert_eq!(json["aaguid"], "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa");
    assert_eq!(serde_json::from_value::<Credential>(json.clone()).unwrap(), credential);
    for (field, value) in [
        ("software", json!(true)),
        ("aaguid", json!(Aaguid::SOFTWARE)),
        ("aaguid", json!("AAAAAAAA-aaaa-aaaa-aaaa-aaaaaaaaaaaa")),
        ("aaguid", json!("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")),
        ("id", json!("AAAA")),
        ("id", json!("HR0dHR0dHR0dHR0dHR0dHR0dHR0=")),
        ("id", json!("HR0dHR0dHR0dHR0dHR0dHR0dHR1")),
        ("public_key", json!("AAAA")),
        ("sign_count", json!(1_u64 << 32)),
        ("private_key", json!("")),
    ] {
        let mut wrong = json.clone();
        wrong[field] = value;
        assert!(serde_json::from_value::<Credential>(wrong).is_err(), "{field}");
    }
}

#[test]
fn keys_are_bound_to_a_name_and_never_to_an_address() {
    for (origin, id) in [
        ("https://smrt.fusion.example", "smrt.fusion.example"),
        ("https://smrt.fusion.example:8443", "smrt.fusion.example"),
        ("https://smrt", "smrt"),
        ("http://localhost:8080", "localhost"),
        ("https://localhost:8080", "localhost"),
    ] {
        let relying_party = RelyingParty::new(origin).unwrap();
        assert_eq!((relying_party.origin(), relying_party.id()), (origin, id));
    }
    for wrong in [
        "",
        "smrt.fusion.example",
        "https://",
        "https://smrt.fusion.example/",
        "https://smrt.fusion.example:443",
        "http://localhost:80",
        "https://smrt.fusion.example:",
        "https://smrt.fusion.example:0",
        "https://smrt.fusion.example:08443",
        "https://smrt.fusion.example:70000",
        "https://SMRT.fusion.example",
        "https://smrt..example",
        "https://smrt.example.",
        "https://-smrt.example",
        "https://user@smrt.example",
        "https://10.1.2.3",
        "https://10.1.2.3:8443",
        "https://[::1]:8443",
        "http://smrt.fusion.example",
        "http://127.0.0.1:8080",
        "ftp://localhost",
    ] {
        assert!(
            matches!(RelyingParty::new(wrong), Err(TouchError::RelyingParty { .. })),
            "{wrong}"
        );
    }
}

#[test]
fn bytes_in_json_have_one_form_and_a_bound() {
    let read = |text: &str| {
        serde_json::from_value::<Base64Url<4>>(json!(text)).map(|bytes| bytes.as_bytes().to_vec())
    };
    assert_eq!(read("-_8").unwrap(), [0xfb, 0xff]);
    assert_eq!(serde_json::to_value(base64::<4>(&[0xfb, 0xff])).unwrap(), "-_8");
    for wrong in ["+/8", "-_8=", "-_9", "-", "AAAAAAA", " -_8"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_a_real_browser_returned_is_taken_and_its_other_keys_are_refused() {
    let relying_party = RelyingParty::new("http://localhost:8765").unwrap();
    let mut verdicts = Vec::new();
    // Five keys of Chromium 156's virtual authenticator, each with its registration and two
    // touches,
    // for the challenge of 32 bytes 7 at `http://localhost:8765`.
    for line in include_str!("chromium_keys.jsonl").lines() {
        let recorded: serde_json::Value = serde_json::from_str(line).unwrap();
        let read =
            |value: &serde_json::Value| serde_json::from_value::<Touch>(value.clone()).unwrap();
        let touches: Vec<Touch> =
            recorded["touches"].as_array().unwrap().iter().map(read).collect();
        let registration: Registration =
            serde_json::from_value(recorded["registration"].clone()).unwrap();
        let verdict =
            verify_registration(&registration, &CHALLENGE, &relying_party).map(|credential| {
                assert_eq!(verify(&touches[0], &CHALLENGE, &credential, &relying_party), Ok(2));
                let touched = Credential { sign_count: 2, ..credential.clone() };
                assert_eq!(verify(&touches[1], &CHALLENGE, &touched, &relying_party), Ok(3));
                assert_eq!(
                    verify(&touches[0], &CHALLENGE, &touched, &relying_party),
                    Err(TouchError::Counter { found: 2, kept: 2 })
                );
                credential.aaguid.to_string()
            });
        verdicts.push((recorded["what"].as_str().unwrap().to_owned(), verdict));
    }
    // Asked for no attestation, the browser hides what kind of key it is.
    let hidden = "00000000-0000-0000-0000-000000000000";
    let wanted = [
        ("ES256", Ok(hidden)),
        ("EdDSA", Ok(hidden)),
        ("ES256, attested", Ok("01020304-0506-0708-0102-030405060708")),
        ("no verification", Err(TouchError::NotVerified)),
        ("backup eligible", Err(TouchError::BackupEligible)),
    ];
    assert_eq!(
        verdicts,
        wanted.map(|(what, verdict)| (what.to_owned(), verdict.map(str::to_owned)))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_whatever_bring_the_reader_down(
        bytes in proptest::collection::vec(any::<u8>(), 0..200)
    ) {
        let _ = PublicKey::from_cose(&bytes);
        let _ = AuthenticatorData::parse(&bytes);
        drop(AttestationObject::parse(&bytes));
        let _ = registered(&bytes);
        prop_assert!(check_client_data(&bytes, GET, &CHALLENGE, &console()).is_err());
    }

    #[test]
    fn no_bytes_within_a_registration_bring_the_reader_down(
        at in 0..300_usize,
        bytes in proptest::collection::vec(any::<u8>(), 1..12),
        written_over in any::<bool>(),
    ) {
        let cose = [&hex::decode("a4010103272006215820").unwrap()[..], &[9; 32]].concat();
        let mut object = attestation_object(&attested(&cose, &[]));
        let at = at % object.len();
        let end = if written_over { (at + bytes.len()).min(object.len()) } else { at };
        object.splice(at..end, bytes);
        let _ = registered(&object);
    }
}
