//! On a box with real bookings, a program that poses as a security key is enrolled by nobody,
//! whatever it says of itself; a key is, whose maker vouches for a model that the site lists.

use std::fs;
use std::sync::Arc;

use serde_json::json;
use smrt::api::wire::ChallengeView;
use smrt::audit::LeafKind;
use smrt::audit::touch::Aaguid;
use smrt::client::console_session::shared_key;
use smrt::client::software_key::{KeyBehaviour, Statement};
use smrt::store::StateKind;
use smrt::tls::key_maker::KeyMaker;

use crate::desks::{Hand, relying_party};
use crate::site::{EXIT_CONFIG, MODEL, Site};

const OTHER: Aaguid = Aaguid([0x43; 16]);

/// A site whose box serves as a real one, and lists one model of this maker.
fn real_site(maker: &KeyMaker) -> Site {
    let mut site = Site::new();
    site.set_ceilings(1, 60, 200);
    site.be_real(maker);
    site.appoint_for(StateKind::Real);
    site
}

fn list(site: &Site, models: &str) {
    let config = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), config + models).unwrap();
}

#[test]
fn no_program_that_poses_as_a_key_is_enrolled_where_bookings_are_real() {
    let maker = Arc::new(KeyMaker::of_a_root("Maker", MODEL).unwrap());
    let site = real_site(&maker);
    let daemon = site.start("real");
    let hand = Hand::new(&daemon, &site.console_identity("admin-1"));
    let (person, code) = ("commander", site.code_of("commander"));
    let enrols = |says: Aaguid, statement: Statement| {
        let order = json!({"person": person, "code": code});
        let asked = hand.post("/v1/enrolment/challenge", &order);
        let asked: ChallengeView = serde_json::from_slice(&asked.body).unwrap();
        let behaviour = KeyBehaviour { aaguid: Some(says), statement, ..KeyBehaviour::default() };
        let key = shared_key().unwrap();
        let made = key.lock().unwrap().register_as(&asked.challenge, &relying_party(), &behaviour);
        let nonce = hex::encode(asked.nonce);
        hand.post(
            "/v1/enrolment",
            &json!({"person": person, "code": code, "nonce": nonce, "registration": made}),
        )
    };
    let by = |maker: KeyMaker| Statement::By(Arc::new(maker));
    let poses = [
        (MODEL, Statement::None, "key-not-vouched-for", "nobody vouches for the security key"),
        (MODEL, Statement::OfItself, "key-not-vouched-for", "vouches for itself alone"),
        (MODEL, Statement::U2f, "key-not-vouched-for", "answered by U2F"),
        (MODEL, Statement::OfOtherBytes, "key-not-vouched-for", "is not signed by the certificate"),
        (MODEL, Statement::Own, "key-not-vouched-for", "and its maker says another"),
        (Aaguid::SOFTWARE, Statement::Own, "key-not-listed", "maker is not listed"),
        (
            MODEL,
            by(KeyMaker::of_a_root("Maker", MODEL).unwrap()),
            "key-not-listed",
            "maker is not listed",
        ),
        (
            MODEL,
            by(KeyMaker::of_one_certificate("Maker", Some(MODEL)).unwrap()),
            "key-not-listed",
            "maker is not listed",
        ),
        (
            MODEL,
            by(KeyMaker::of_one_certificate("Maker", None).unwrap()),
            "key-not-listed",
            "maker is not listed",
        ),
        (OTHER, Statement::By(maker.clone()), "key-not-vouched-for", "and its maker says another"),
    ];
    let tries = poses.len();
    for (says, statement, kind, words) in poses {
        let status = if kind == "key-not-listed" { 409 } else { 403 };
        enrols(says, statement).is_problem(status, kind, words);
    }
    assert_eq!(enrols(MODEL, Statement::By(maker)).status, 201, "the maker's own key is taken");
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(site.refusals(LeafKind::LogOnRefused).len(), tries);
    let enrolled: Vec<_> =
        site.log().into_iter().filter(|(kind, _)| *kind == LeafKind::KeyEnrolled).collect();
    let [(_, enrolled)] = &enrolled[..] else { panic!("one was enrolled: {enrolled:?}") };
    assert_eq!(enrolled["key"]["aaguid"], MODEL.to_string());
    let said = enrolled["registration"]["attestation_object"].as_str().unwrap();
    assert!(said.len() > 500, "what it said of itself, with its maker's certificates, is kept");
}

#[test]
fn a_real_box_neither_starts_by_keys_that_are_no_hardware_nor_passes_the_check() {
    let site = real_site(&KeyMaker::of_a_root("Maker", MODEL).unwrap());
    let checked = site.check();
    assert_eq!(checked.status, Some(0), "{checked:?}");
    assert!(checked.stdout.contains("security keys: Its keys"), "{checked:?}");
    let (good, all) = (fs::read_to_string(site.config()).unwrap(), site.key_models());
    let (software, chromium) = all.split_once("[[key_model]]\nname = \"Chromium\"").unwrap();
    for (models, what) in [
        (software.to_owned(), "this project's software key"),
        (format!("[[key_model]]\nname = \"Keys\"{chromium}"), "Chromium's virtual authenticator"),
    ] {
        list(&site, &models);
        let checked = site.check();
        assert_eq!(checked.status, Some(EXIT_CONFIG), "{checked:?}");
        assert!(checked.stdout.contains(&format!("keys of {what} are listed")), "{checked:?}");
        let ended = site.try_start(None).err().expect("it is a real box");
        assert_eq!(ended.status, Some(EXIT_CONFIG), "{ended:?}");
        assert!(ended.stderr.contains(what), "{ended:?}");
        fs::write(site.config(), &good).unwrap();
    }
    // Nobody enrols anything where nothing is listed.
    let none = good.split_once("[[key_model]]").unwrap().0;
    fs::write(site.config(), none).unwrap();
    let checked = site.check();
    assert_eq!(checked.status, Some(EXIT_CONFIG), "{checked:?}");
    assert!(checked.stdout.contains("nobody can enrol a key"), "{checked:?}");
}
