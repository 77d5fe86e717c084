//! The certificate authority against rustls' own verifiers.

use std::sync::Arc;

use rustls::pki_types::UnixTime;
use rustls::server::{WebPkiClientVerifier, danger::ClientCertVerifier};
use rustls::{
    CertificateError, RootCertStore, client::WebPkiServerVerifier,
    client::danger::ServerCertVerifier,
};

use x509_parser::extensions::GeneralName;

use super::*;
use crate::booking::Identifier;

fn feed(agency: &str) -> CertificateName {
    CertificateName::Feed(Identifier::parse(agency).unwrap())
}

fn roots(authority: &Authority) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.certificate_path()).unwrap()).unwrap();
    Arc::new(roots)
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn door(authority: &Authority) -> Arc<dyn ClientCertVerifier> {
    let list =
        CertificateRevocationListDer::from_pem_file(authority.revocation_list_path()).unwrap();
    WebPkiClientVerifier::builder_with_provider(roots(authority), provider())
        .with_crls([list])
        .enforce_revocation_expiration()
        .build()
        .unwrap()
}

fn certificate(issued: &IssuedCertificate) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(&issued.certificate).unwrap()
}

#[test]
fn an_issued_client_is_let_in_and_a_revoked_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::init(folder.path(), "Test site").unwrap();
    let (kept, lost) =
        (authority.issue(&feed("slmpd")).unwrap(), authority.issue(&feed("stlco")).unwrap());
    for issued in [&kept, &lost] {
        door(&authority).verify_client_cert(&certificate(issued), &[], UnixTime::now()).unwrap();
    }
    assert!(authority.revoke(lost.certificate.to_str().unwrap()).unwrap().new);
    door(&authority).verify_client_cert(&certificate(&kept), &[], UnixTime::now()).unwrap();
    let refused =
        door(&authority).verify_client_cert(&certificate(&lost), &[], UnixTime::now()).unwrap_err();
    assert_eq!(refused, rustls::Error::InvalidCertificate(CertificateError::Revoked));
    assert!(
        !authority.revoke(&lost.entry.serial).unwrap().new,
        "a second revocation changes nothing"
    );
    authority.revoke(&kept.entry.serial).unwrap();
    assert!(
        door(&authority).verify_client_cert(&certificate(&kept), &[], UnixTime::now()).is_err()
    );
}

#[test]
fn a_client_of_another_authority_is_refused() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let here = Authority::init(here.path(), "Here").unwrap();
    let there = Authority::init(there.path(), "Here").unwrap();
    let stranger = there.issue(&feed("slmpd")).unwrap();
    assert!(door(&here).verify_client_cert(&certificate(&stranger), &[], UnixTime::now()).is_err());
    assert!(matches!(here.revoke(&stranger.entry.serial), Err(AuthorityError::Unknown { .. })));
}

#[test]
fn a_client_certificate_says_its_name_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::init(folder.path(), "Test site").unwrap();
    let name = CertificateName::Device(Identifier::parse("rtcc-1").unwrap());
    let der = certificate(&authority.issue(&name).unwrap());
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
    let subjects = &parsed.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert!(matches!(subjects[..],
            [GeneralName::URI(uri)] if CertificateName::parse(uri) == Some(name)));
    assert!(!parsed.is_ca());
    let usage = parsed.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth && !usage.any);
}

#[test]
fn a_server_is_known_by_host_name_and_by_address_and_by_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::init(folder.path(), "Test site").unwrap();
    let names = ["smrt.example".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let der = certificate(&authority.issue_server(&names).unwrap());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(roots(&authority), provider()).build().unwrap();
    let verify = |name: &str| {
        verifier
            .verify_server_cert(
                &der,
                &[],
                &ServerName::try_from(name.to_owned()).unwrap(),
                &[],
                UnixTime::now(),
            )
            .is_ok()
    };
    assert!(verify("smrt.example") && verify("127.0.0.1") && verify("::1"));
    assert!(!verify("other.example") && !verify("127.0.0.2"));
    assert!(
        door(&authority).verify_client_cert(&der, &[], UnixTime::now()).is_err(),
        "a server is no client"
    );
    for wrong in ["", "a b", "-", "*"] {
        assert!(
            matches!(
                authority.issue_server(&[wrong.to_owned()]),
                Err(AuthorityError::ServerName { .. })
            ),
            "{wrong}"
        );
    }
    assert!(matches!(authority.issue_server(&[]), Err(AuthorityError::ServerNames { found: 0 })));
}

#[test]
fn dates_are_those_of_the_limits() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::init(folder.path(), "Test site").unwrap();
    let issued = authority.issue(&feed("slmpd")).unwrap();
    let own = CertificateDer::from_pem_file(authority.certificate_path()).unwrap();
    let now = OffsetDateTime::now_utc();
    for (der, days) in [(certificate(&issued), CERTIFICATE_DAYS), (own, AUTHORITY_DAYS)] {
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
        let (from, to) =
            (parsed.validity().not_before.to_datetime(), parsed.validity().not_after.to_datetime());
        assert!(
            (from + Duration::minutes(CERTIFICATE_BACKDATE_MINUTES) - now).abs()
                < Duration::minutes(1)
        );
        assert!((to - Duration::days(days) - now).abs() < Duration::minutes(1));
    }
    assert!(
        (authority.renew_list().unwrap() - Duration::days(REVOCATION_LIST_DAYS) - now).abs()
            < Duration::minutes(1)
    );
}

#[test]
fn the_register_and_the_list_number_survive_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::init(folder.path(), "Test site").unwrap();
    let issued = authority.issue(&feed("slmpd")).unwrap();
    authority.revoke(&issued.entry.serial).unwrap();
    drop(authority);
    let authority = Authority::open(folder.path()).unwrap();
    let register = authority.issued().unwrap();
    assert_eq!(register.len(), 1);
    assert_eq!(
        (&register[0].serial, register[0].name.as_str()),
        (&issued.entry.serial, "smrt:agency/slmpd/feed")
    );
    assert!(register[0].revoked.is_some());
    assert_eq!(authority.list_number().unwrap(), 2);
    authority.renew_list().unwrap();
    assert_eq!(authority.list_number().unwrap(), 3);
    assert!(
        door(&authority).verify_client_cert(&certificate(&issued), &[], UnixTime::now()).is_err(),
        "a renewed list forgets nobody"
    );
    authority.issue(&feed("stlco")).unwrap();
}

#[test]
fn nothing_is_ever_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::init(folder.path(), "Test site").unwrap();
    assert!(matches!(Authority::init(folder.path(), "Again"), Err(AuthorityError::Exists { .. })));
    authority.issue(&feed("slmpd")).unwrap();
    assert!(matches!(authority.issue(&feed("slmpd")), Err(AuthorityError::Exists { .. })));
    assert_eq!(authority.issued().unwrap().len(), 1);
}

#[test]
fn one_process_at_a_time_holds_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::init(folder.path(), "Test site").unwrap();
    assert!(matches!(Authority::open(folder.path()), Err(AuthorityError::Locked { .. })));
    drop(authority);
    Authority::open(folder.path()).unwrap();
}

#[test]
fn a_damaged_register_is_named() {
    let folder = tempfile::tempdir().unwrap();
    drop(Authority::init(folder.path(), "Test site").unwrap());
    fs::write(folder.path().join(REGISTER), "serial,name\n1,2\n").unwrap();
    let Err(AuthorityError::Damaged { path, .. }) = Authority::open(folder.path()) else {
        panic!("a damaged register was accepted")
    };
    assert!(path.ends_with(REGISTER));
}
