//! The authority's revocation list: which of its certificates stand no more.
//!
//! Invariant: a list counts only if an authority of the site signed it, and an older one never
//! takes the place of a newer one.

use std::collections::HashSet;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::time::ASN1Time;

use crate::calendar::Time;

/// A list that an authority of the site signed.
#[derive(Debug)]
pub(super) struct RevocationList {
    pub(super) der: CertificateRevocationListDer<'static>,
    /// Serial numbers of the certificates that it revokes, as the list has their bytes.
    revoked: HashSet<Vec<u8>>,
    /// Its number, big-endian and led by the number of its bytes, and when it was made, in seconds
    /// since 1970-01-01 UTC: of two lists, the greater is the newer.
    age: (Option<(usize, Vec<u8>)>, i64),
    /// Its number, in digits.
    pub(super) number: Option<String>,
    /// When it was made.
    pub(super) made: Time,
    /// When it ends.
    pub(super) end: Time,
}

impl RevocationList {
    /// Reads a list.
    ///
    /// Errors: why it doesn't count, as one that none of the authorities signed.
    pub(super) fn read(
        der: CertificateRevocationListDer<'static>,
        authorities: &[CertificateDer<'_>],
        provider: &CryptoProvider,
    ) -> Result<Self, &'static str> {
        let (rest, parsed) = CertificateRevocationList::from_der(&der)
            .map_err(|_| "it is not in the form of RFC 5280")?;
        if !rest.is_empty() {
            return Err("something follows its end");
        }
        if !authorities.iter().any(|authority| has_signed(authority, &parsed, provider)) {
            return Err("the site's authority did not sign it");
        }
        let revoked = parsed.iter_revoked_certificates().map(|entry| entry.raw_serial().to_vec());
        let revoked = revoked.collect();
        let age = parsed.crl_number().map(|number| {
            let bytes = number.to_bytes_be();
            (bytes.len(), bytes)
        });
        let (age, made) = ((age, parsed.last_update().timestamp()), time(parsed.last_update()));
        let number = parsed.crl_number().map(ToString::to_string);
        let end = time(parsed.next_update().ok_or("it says nothing of its end")?);
        Ok(Self { revoked, age, number, made, end, der })
    }

    /// How many certificates it revokes.
    pub(super) fn revokes(&self) -> u64 {
        self.revoked.len() as u64
    }

    /// Whether it revokes the certificate of this serial number.
    pub(super) fn names(&self, serial: &[u8]) -> bool {
        self.revoked.contains(serial)
    }

    /// Whether it was made before another one.
    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        self.age < other.age
    }
}

/// What is before 1970 is over in any case.
pub(super) fn time(at: ASN1Time) -> Time {
    Time::from_seconds(u64::try_from(at.timestamp()).unwrap_or(0))
}

/// Whether an authority signed a list, by whichever algorithm its key is for.
fn has_signed(
    authority: &CertificateDer<'_>,
    list: &CertificateRevocationList<'_>,
    provider: &CryptoProvider,
) -> bool {
    let Ok((_, authority)) = parse_x509_certificate(authority) else { return false };
    let key = &authority.public_key().subject_public_key.data;
    let (signed, signature) = (list.tbs_cert_list.as_ref(), &list.signature_value.data);
    list.issuer().as_raw() == authority.subject().as_raw()
        && provider
            .signature_verification_algorithms
            .all
            .iter()
            .any(|algorithm| algorithm.verify_signature(key, signed, signature).is_ok())
}
