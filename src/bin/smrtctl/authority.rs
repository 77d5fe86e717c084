//! `smrtctl authority`: the site's certificate authority, for the server, feeds, consoles and
//! witnesses.

use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use smrt::booking::Identifier;
use smrt::roster::CertificateName;
use smrt::tls::authority::{Authority, IssuedCertificate};

#[derive(Subcommand)]
pub(crate) enum AuthorityCommand {
    /// Make a new certificate authority in a folder.
    Init {
        #[command(flatten)]
        folder: Folder,
        /// The authority's name in its certificate.
        #[arg(long, default_value = "SMRT site authority")]
        name: String,
    },
    /// Issue a certificate and its key.
    #[command(subcommand)]
    Issue(IssueCommand),
    /// Revoke a certificate and write the revocation list.
    Revoke {
        #[command(flatten)]
        folder: Folder,
        /// The serial number in hexadecimal, or the certificate's file.
        certificate: String,
    },
    /// Write the revocation list again before it expires; the server refuses an expired one.
    RenewList {
        #[command(flatten)]
        folder: Folder,
    },
    /// List the issued certificates.
    List {
        #[command(flatten)]
        folder: Folder,
    },
}

#[derive(Subcommand)]
pub(crate) enum IssueCommand {
    /// For the server.
    Server {
        #[command(flatten)]
        folder: Folder,
        /// Host names and IP addresses by which clients reach it.
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
    /// For a witness of the log that is not an agency.
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

impl AuthorityCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut out = stdout().lock();
        match self {
            Self::Init { folder, name } => {
                let authority = Authority::init(&folder.path, &name)?;
                writeln!(out, "authority     {}", authority.certificate_path().display())?;
                writeln!(out, "revocations   {}", authority.revocation_list_path().display())?;
            }
            Self::Issue(IssueCommand::Server { folder, names }) => {
                print_issued(&mut out, &folder.open()?.issue_server(&names)?)?
            }
            Self::Issue(IssueCommand::Feed { folder, agency }) => {
                print_issued(&mut out, &folder.open()?.issue(&CertificateName::Feed(agency))?)?
            }
            Self::Issue(IssueCommand::Witness { folder, witness }) => {
                print_issued(&mut out, &folder.open()?.issue(&CertificateName::Witness(witness))?)?;
            }
            Self::Issue(IssueCommand::Device { folder, device }) => {
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
                    "revocations   {}: copy it to the server",
                    authority.revocation_list_path().display()
                )?;
            }
            Self::RenewList { folder } => {
                let authority = folder.open()?;
                let end = authority.renew_list()?;
                writeln!(
                    out,
                    "revocations   {}: copy it to the server; valid until {}",
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
    fn open(&self) -> anyhow::Result<Authority> {
        Ok(Authority::open(&self.path)?)
    }
}

fn print_issued(out: &mut impl Write, issued: &IssuedCertificate) -> anyhow::Result<()> {
    writeln!(out, "certificate   {}", issued.certificate.display())?;
    writeln!(out, "private key   {}", issued.key.display())?;
    writeln!(out, "serial        {}", issued.entry.serial)?;
    writeln!(out, "valid until   {}", issued.entry.not_after.date())?;
    Ok(())
}
