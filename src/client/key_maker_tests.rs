//! Which registrations a site takes, by their makers.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::OffsetDateTime;

use super::software_key::{KeyBehaviour, SoftwareKey, Statement};
use crate::audit::touch::{
    Aaguid, KeyModel, KeyModels, Registration, RelyingParty, TouchError, verify_registration,
};
use crate::calendar::Time;
use crate::tls::key_maker::KeyMaker;

const MODEL: Aaguid = Aaguid([0x42; 16]);
const OTHER: Aaguid = Aaguid([0x43; 16]);

fn now() -> Time {
    let seconds = OffsetDateTime::now_utc().unix_timestamp();
    Time::from_seconds(u64::try_from(seconds).unwrap())
}

fn listed(maker: &KeyMaker, aaguids: &[Aaguid]) -> KeyModels {
    let anchor = CertificateDer::from_pem_slice(maker.anchor().as_bytes()).unwrap();
    KeyModels::new(vec![KeyModel::new("Its keys", &anchor, aaguids).unwrap()])
}

/// A registration of a key that says this, and that it is fit but for its statement.
fn registered(aaguid: Aaguid, statement: Statement) -> Registration {
    let console = RelyingParty::new("https://smrt.fusion.example").unwrap();
    let behaviour = KeyBehaviour { aaguid: Some(aaguid), statement, ..KeyBehaviour::default() };
    let made = SoftwareKey::new().unwrap().register_as(&[7; 32], &console, &behaviour);
    verify_registration(&made, &[7; 32], &console).unwrap();
    made
}

fn model_of(models: &KeyModels, made: &Registration) -> Result<(), TouchError> {
    models.model_of(made, now()).map(|_| ())
}

#[test]
fn a_key_is_taken_whose_maker_vouches_for_a_model_that_is_listed() {
    let makers = [
        KeyMaker::of_one_certificate("Batch", Some(MODEL)).unwrap(),
        KeyMaker::of_one_certificate("Batch that names no model", None).unwrap(),
        KeyMaker::of_a_root("Maker", MODEL).unwrap(),
    ];
    for maker in makers.map(Arc::new) {
        let models = listed(&maker, &[OTHER, MODEL]);
        let made = registered(MODEL, Statement::By(maker.clone()));
        assert_eq!(model_of(&models, &made), Ok(()));
        let unlisted = TouchError::UnlistedModel { found: MODEL.to_string() };
        assert_eq!(model_of(&listed(&maker, &[OTHER]), &made), Err(unlisted));
    }
}

#[test]
fn a_key_is_refused_that_nobody_vouches_for_or_not_its_maker_and_the_check_is_named() {
    let maker = Arc::new(KeyMaker::of_a_root("Maker", MODEL).unwrap());
    let models = listed(&maker, &[MODEL, OTHER]);
    let format = |by: Statement| model_of(&models, &registered(MODEL, by)).unwrap_err();
    assert_eq!(format(Statement::None), TouchError::NoStatement);
    assert_eq!(format(Statement::OfItself), TouchError::SelfAttested);
    assert_eq!(format(Statement::U2f), TouchError::U2f);
    assert_eq!(format(Statement::OfOtherBytes), TouchError::StatementSignature);
    // Its certificate names the model of software keys.
    assert!(matches!(format(Statement::Own), TouchError::OtherAaguid { .. }));
    // Anybody makes a certificate that looks like a maker's.
    let same = Arc::new(KeyMaker::of_a_root("Maker", MODEL).unwrap());
    assert!(matches!(format(Statement::By(same)), TouchError::UnknownMaker { .. }));
    let batch = Arc::new(KeyMaker::of_one_certificate("Maker", Some(MODEL)).unwrap());
    assert!(matches!(format(Statement::By(batch)), TouchError::UnknownMaker { .. }));
    // A key of the maker says that it is of another model.
    let other = model_of(&models, &registered(OTHER, Statement::By(maker)));
    assert_eq!(other, Err(TouchError::OtherAaguid { found: OTHER.to_string() }));
    let nobody = KeyModels::default();
    let made = registered(Aaguid::SOFTWARE, Statement::Own);
    assert!(matches!(model_of(&nobody, &made), Err(TouchError::UnknownMaker { .. })));
}

#[test]
fn a_chain_counts_while_all_of_it_is_there_and_valid() {
    let maker = KeyMaker::of_a_root("Maker", MODEL).unwrap();
    let models = listed(&maker, &[MODEL]);
    let maker = Arc::new(maker.without_what_leads_to_its_root());
    let torn = model_of(&models, &registered(MODEL, Statement::By(maker)));
    assert!(matches!(torn, Err(TouchError::UnknownMaker { .. })));
    let maker = Arc::new(KeyMaker::of_a_root("Maker", MODEL).unwrap());
    let (models, made) = (listed(&maker, &[MODEL]), registered(MODEL, Statement::By(maker)));
    assert_eq!(model_of(&models, &made), Ok(()));
    let over = now() + crate::calendar::Span::days(30 * 365);
    assert!(matches!(models.model_of(&made, over), Err(TouchError::UnknownMaker { .. })));
}

#[test]
fn one_that_signs_for_others_signs_no_statement_itself() {
    let maker = KeyMaker::that_is_an_authority("Maker").unwrap();
    let models = listed(&maker, &[MODEL]);
    let made = registered(MODEL, Statement::By(Arc::new(maker)));
    let authority = TouchError::MakerCertificate("it is an authority's");
    assert_eq!(model_of(&models, &made), Err(authority));
}

#[test]
fn keys_that_are_no_hardware_are_known_by_their_makers() {
    let chromium = include_bytes!("../audit/touch/chromium_keys.pem");
    let anchor = CertificateDer::from_pem_slice(chromium).unwrap();
    let models = |aaguid| KeyModels::new(vec![KeyModel::new("A", &anchor, &[aaguid]).unwrap()]);
    assert_eq!(models(MODEL).no_hardware(), Some("Chromium's virtual authenticator"));
    let own = listed(KeyMaker::own(), &[Aaguid::SOFTWARE]);
    assert_eq!(own.no_hardware(), Some("this project's software key"));
    let maker = KeyMaker::of_a_root("Maker", MODEL).unwrap();
    assert_eq!(listed(&maker, &[MODEL]).no_hardware(), None);
    assert!(KeyModel::new("A", b"none", &[MODEL]).is_err());
    assert!(KeyModel::new("A", &anchor, &[]).is_err());
}
