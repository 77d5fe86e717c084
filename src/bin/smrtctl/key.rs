//! `smrtctl key`: secret keys of the server and of witnesses, made on the machine that keeps them.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use smrt::crypto::fill_random;
use smrt::tls::files::{SECRET_MODE, write_new};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Write a new secret key, 32 random bytes, to a file that only its owner may read.
    New {
        /// The file; it must not exist yet.
        file: PathBuf,
    },
}

impl KeyCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self::New { file } = self;
        let mut key = Zeroizing::new([0; 32]);
        fill_random(key.as_mut_slice());
        write_new(&file, key.as_slice(), SECRET_MODE)
            .with_context(|| format!("{} was not written", file.display()))
    }
}
