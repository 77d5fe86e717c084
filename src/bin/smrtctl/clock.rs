//! `smrtctl clock`: an administrator confirms the server's clock.

use std::io::{Write, stdout};

use clap::Subcommand;

use crate::server::ServerOptions;

#[derive(Subcommand)]
pub(crate) enum ClockCommand {
    /// Confirm the server's clock by the site's time source, after the clock jumped. Where both
    /// agree, holds and extensions expire again.
    Confirm {
        #[command(flatten)]
        server: ServerOptions,
        /// The time source's time now, such as 2026-11-23T16:00:00Z.
        #[arg(long, value_name = "TIME")]
        time_source: String,
    },
}

impl ClockCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self::Confirm { server, time_source } = self;
        server.client()?.confirm_clock(&time_source)?;
        writeln!(stdout(), "the server's clock is confirmed")?;
        Ok(())
    }
}
