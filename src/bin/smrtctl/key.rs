//! `smrtctl key`: secrets of the server, made on the machine that keeps them.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use aws_lc_rs::rand;
use clap::Subcommand;
use smrt::tls::files::{SECRET_MODE, write_new};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub(crate) enum Key {
    /// Write 32 random bytes to a new file that only its owner may read.
    New {
        /// The file; one that exists is left as it is.
        file: PathBuf,
    },
}

impl Key {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self::New { file } = self;
        let mut key = Zeroizing::new([0; 32]);
        rand::fill(key.as_mut_slice())
            .map_err(|_| anyhow!("the machine gives no random numbers"))?;
        write_new(&file, key.as_slice(), SECRET_MODE)
            .with_context(|| format!("{} was not written", file.display()))
    }
}
