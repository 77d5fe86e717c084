//! `smrtctl revocation-list`: bring the authority's newest revocation list to a server.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Context;
use smrt::api::wire::RevocationListView;

use crate::server::ServerOptions;

/// Bring the authority's newest revocation list to the server, from any machine whose certificate
/// stands in the roster. It counts at once; only one that the authority signed and that is newer
/// than the server's own is taken.
#[derive(clap::Args)]
pub(crate) struct RevocationListCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// The list, as `authority renew-list` and `authority revoke` write it.
    list: PathBuf,
}

impl RevocationListCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let list = std::fs::read(&self.list)
            .with_context(|| format!("the revocation list {}", self.list.display()))?;
        let RevocationListView { is_new, number, ends_cs, revoked, .. } =
            self.server.client()?.bring_list(&list)?;
        writeln!(
            stdout(),
            "{}: list {}, which revokes {revoked} certificates and ends on {}",
            if is_new { "taken" } else { "in force already" },
            number.as_deref().unwrap_or("without a number"),
            ends_cs.date()
        )?;
        Ok(())
    }
}
