//! `smrtctl authority`: the site's own certificates.

use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use smrt::booking::Identifier;
use smrt::roster::CertificateName;
use smrt::tls::authority::Issued;

#[derive(Subcommand)]
pub(crate) enum Authority {
    /// Make a new authority.
    Init {
        #[command(flatten)]
        folder: Folder,
        /// The authority's name, as its certificate says it.
        #[arg(long, default_value = "SMRT site authority")]
        name: String,
    },
    /// Issue a certificate and its key.
    #[command(subcommand)]
    Issue(Issue),
    /// Take a certificate back and write the revocation list.
    Revoke {
        #[command(flatten)]
        folder: Folder,
        /// The serial number in hexadecimal, or the certificate's file.
        certificate: String,
    },
    /// Write the revocation list anew before it is too old to be believed.
    RenewList {
        #[command(flatten)]
        folder: Folder,
    },
    /// List what was issued.
    List {
        #[command(flatten)]
        folder: Folder,
    },
}

#[derive(Subcommand)]
pub(crate) enum Issue {
    /// For the server.
    Server {
        #[command(flatten)]
        folder: Folder,
        /// Host names and IP addresses under which clients call it.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// For an agency's feed.
    Feed {
        #[command(flatten)]
        folder: Folder,
        /// The agency's identifier.
        agency: Identifier,
    },
    /// For a witness of the log that is no agency's feed.
    Witness {
        #[command(flatten)]
        folder: Folder,
        /// The witness' identifier.
        witness: Identifier,
    },
    /// For a console.
    Device {
        #[command(flatten)]
        folder: Folder,
        /// The device's identifier.
        device: Identifier,
    },
}

#[derive(Args)]
pub(crate) struct Folder {
    /// The authority's folder.
    #[arg(long = "dir", value_name = "DIR", env = "SMRT_AUTHORITY")]
    path: PathBuf,
}

impl Authority {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut out = stdout().lock();
        match self {
            Self::Init { folder, name } => {
                let authority = smrt::tls::authority::Authority::init(&folder.path, &name)?;
                writeln!(out, "authority     {}", authority.certificate_path().display())?;
                writeln!(out, "revocations   {}", authority.revocation_list_path().display())?;
            }
            Self::Issue(Issue::Server { folder, names }) => {
                print_issued(&mut out, &folder.open()?.issue_server(&names)?)?
            }
            Self::Issue(Issue::Feed { folder, agency }) => {
                print_issued(&mut out, &folder.open()?.issue(&CertificateName::Feed(agency))?)?
            }
            Self::Issue(Issue::Witness { folder, witness }) => {
                print_issued(&mut out, &folder.open()?.issue(&CertificateName::Witness(witness))?)?;
            }
            Self::Issue(Issue::Device { folder, device }) => {
                print_issued(&mut out, &folder.open()?.issue(&CertificateName::Device(device))?)?;
            }
            Self::Revoke { folder, certificate } => {
                let authority = folder.open()?;
                let revoked = authority.revoke(&certificate)?;
                let already = if revoked.new { "" } else { " already" };
                writeln!(
                    out,
                    "{} ({}) is{already} revoked",
                    revoked.entry.name, revoked.entry.serial
                )?;
                writeln!(
                    out,
                    "revocations   {}: give it to the server",
                    authority.revocation_list_path().display()
                )?;
            }
            Self::RenewList { folder } => {
                let authority = folder.open()?;
                let end = authority.renew_list()?;
                writeln!(
                    out,
                    "revocations   {}: give it to the server; valid until {}",
                    authority.revocation_list_path().display(),
                    end.date()
                )?;
            }
            Self::List { folder } => {
                for entry in folder.open()?.issued()? {
                    let state = entry
                        .revoked
                        .map_or("valid".to_owned(), |when| format!("revoked {}", when.date()));
                    writeln!(
                        out,
                        "{}  until {}  {state:<18}  {}",
                        entry.serial,
                        entry.not_after.date(),
                        entry.name
                    )?;
                }
            }
        }
        Ok(())
    }
}

impl Folder {
    fn open(&self) -> anyhow::Result<smrt::tls::authority::Authority> {
        Ok(smrt::tls::authority::Authority::open(&self.path)?)
    }
}

fn print_issued(out: &mut impl Write, issued: &Issued) -> anyhow::Result<()> {
    writeln!(out, "certificate   {}", issued.certificate.display())?;
    writeln!(out, "private key   {}", issued.key.display())?;
    writeln!(out, "serial        {}", issued.entry.serial)?;
    writeln!(out, "valid until   {}", issued.entry.not_after.date())?;
    Ok(())
}
