//! Options of every command that asks a server: its address, and the certificates of both ends.

use std::path::PathBuf;

use clap::Args;
use smrt::client::{Client, ClientError, Credentials};

/// The server's address, and the certificates of both ends.
#[derive(Args)]
pub(crate) struct ServerOptions {
    /// The server's address, https://host:port.
    #[arg(long, env = "SMRT_SERVER", value_name = "URL")]
    server: String,
    /// The site authority's certificate: the only one trusted.
    #[arg(long, env = "SMRT_CA", value_name = "FILE")]
    ca: PathBuf,
    /// This caller's certificate.
    #[arg(long, env = "SMRT_CERT", value_name = "FILE")]
    cert: PathBuf,
    /// The private key of that certificate.
    #[arg(long, env = "SMRT_KEY", value_name = "FILE")]
    key: PathBuf,
}

impl ServerOptions {
    pub(crate) fn client(self) -> Result<Client, ClientError> {
        Client::open(&Credentials {
            server: self.server,
            ca: self.ca,
            cert: self.cert,
            key: self.key,
        })
    }
}
