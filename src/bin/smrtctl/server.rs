//! The options that every command with a server shares.

use std::path::PathBuf;

use clap::Args;
use smrt::client::{Client, ClientError, Credentials};

/// Where the server is and who calls.
#[derive(Args)]
pub(crate) struct Server {
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

impl Server {
    pub(crate) fn client(self) -> Result<Client, ClientError> {
        Client::open(&Credentials {
            server: self.server,
            ca: self.ca,
            cert: self.cert,
            key: self.key,
        })
    }
}
