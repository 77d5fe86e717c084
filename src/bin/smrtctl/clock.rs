//! `smrtctl clock`: an administrator's word on the clock of the box.

use std::io::{Write, stdout};

use clap::Subcommand;

use crate::server::Server;

#[derive(Subcommand)]
pub(crate) enum Clock {
    /// Say what the site's time source says. Where the clock of the box agrees, it is believed
    /// again, and holds and extensions expire.
    Confirm {
        #[command(flatten)]
        server: Server,
        /// Its time now, as in 2026-11-23T16:00:00Z.
        #[arg(long, value_name = "TIME")]
        time_source: String,
    },
}

impl Clock {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self::Confirm { server, time_source } = self;
        server.client()?.confirm_clock(&time_source)?;
        writeln!(stdout(), "the clock of the box is believed again")?;
        Ok(())
    }
}
