//! `smrtd run`: open the state folder, report ready, serve, stop.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;
use smrt::api;
use smrt::config::Config;
use smrt::disk::RealDisk;
use smrt::ledger::{LedgerError, LedgerSetup, ModelSet, SystemClock};
use smrt::roster::Roster;
use smrt::service::{Service, ServiceError};
use smrt::store::{StateKind, StoreError};
use smrt::tls::Acceptor;

use crate::progress::{StartNotifier, took};

/// Exit status of a daemon whose state is unknown: systemd restarts it, and start-up is the
/// recovery.
pub(crate) const EXIT_HALT: i32 = 70;
/// Exit status of a daemon that can't run as configured: not restarted.
pub(crate) const EXIT_CONFIG: i32 = 78;

/// Run the daemon until it is told to stop.
#[derive(clap::Args)]
pub(crate) struct RunCommand {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// What an empty state folder is made for; this can't be changed later.
    #[arg(long, value_enum)]
    create_as: Option<CreateAs>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum CreateAs {
    Real,
    Demo,
    Test,
}

impl From<CreateAs> for StateKind {
    fn from(kind: CreateAs) -> Self {
        match kind {
            CreateAs::Real => Self::Real,
            CreateAs::Demo => Self::Demo,
            CreateAs::Test => Self::Test,
        }
    }
}

/// Why a command failed, for its exit status.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// It can't run as configured.
    #[error("{0:#}")]
    Config(anyhow::Error),
    /// It failed on the way.
    #[error("{0:#}")]
    Failed(anyhow::Error),
}

/// An opened service and its TLS acceptor.
pub(crate) struct Parts {
    pub(crate) service: Arc<Service>,
    pub(crate) acceptor: Arc<Acceptor>,
}

impl RunCommand {
    pub(crate) fn run(self) -> Result<(), RunError> {
        let config = Config::load(&self.config).map_err(config_error)?;
        let parts = open(&config, self.create_as.map(Into::into))?;
        let listener = listener(&config)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
        let service = parts.service.clone();
        runtime.block_on(async {
            let stop = stop_signal().map_err(failed)?;
            watch_dog();
            let rows = service.ledger().gallery().live();
            let (kind, took) = (service.ledger().kind().name(), took(service.ledger().started()));
            log::info!(
                "ready on {address}: {rows} bookings, state folder made as {kind}, opened in {took}"
            );
            let status = format!("{rows} bookings can be found, {kind}");
            // Without systemd this does nothing.
            let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
            println!("ready on {address}");
            serve(parts, listener, stop).await
        })
    }
}

/// Opens everything that the configuration names.
fn open(config: &Config, create_as: Option<StateKind>) -> Result<Parts, RunError> {
    open_with(config, config.read_roster().map_err(config_error)?, create_as)
}

/// Opens everything that the configuration names, with this roster.
pub(crate) fn open_with(
    config: &Config,
    roster: Roster,
    create_as: Option<StateKind>,
) -> Result<Parts, RunError> {
    let acceptor = Arc::new(Acceptor::open(config.server_files()).map_err(config_error)?);
    let service = open_service(config, roster, create_as, acceptor.clone())?;
    acceptor.keep().map_err(failed)?;
    Ok(Parts { service: Arc::new(service), acceptor })
}

fn open_service(
    config: &Config,
    roster: Roster,
    create_as: Option<StateKind>,
    acceptor: Arc<Acceptor>,
) -> Result<Service, RunError> {
    // Told apart from a medium that fails: without the folder no restart helps.
    if let Err(e) = std::fs::read_dir(&config.state) {
        return Err(RunError::Config(
            anyhow::Error::new(e).context(format!("the state folder {}", config.state.display())),
        ));
    }
    let keys = config.security_keys().map_err(config_error)?;
    let master_key = config.read_key("the master key", &config.master_key).map_err(config_error)?;
    let log_key = config.read_key("the log key", &config.log_key).map_err(config_error)?;
    let models = ModelSet::open(
        &config.models,
        config.models_next.as_deref(),
        config.engine,
        config.workers(),
    )
    .map_err(config_error)?;
    let models = Arc::new(
        models
            .with_switch_bytes_max(config.switch_memory_mib.map(|mib| mib.saturating_mul(1 << 20))),
    );
    let setup = LedgerSetup {
        disk: Arc::new(RealDisk),
        state: config.state.clone(),
        create_as,
        origin: config.origin.clone(),
        master_key,
        log_key,
        models,
        clock: Arc::new(SystemClock::default()),
        anchor: config.anchor.clone(),
        reserve_bytes: config.disk_reserve_mib.saturating_mul(1 << 20),
        retention: config.retention(),
    };
    let mut notifier = StartNotifier::new();
    Service::open(setup, roster, keys, acceptor, &mut |progress| notifier.report(progress)).map_err(
        |e| match e {
            ServiceError::Roster(_)
            | ServiceError::NoHardware { .. }
            | ServiceError::Ledger(
                LedgerError::Setup { .. }
                | LedgerError::Behind { .. }
                | LedgerError::Models { .. }
                | LedgerError::Audit(_)
                | LedgerError::Vault(_)
                | LedgerError::Store(StoreError::Format { .. }),
            ) => config_error(e),
            e => failed(e),
        },
    )
}

/// Serves until `stop` resolves, then closes the service.
pub(crate) async fn serve(
    parts: Parts,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let stopping = Arc::new(AtomicBool::new(false));
    let stops = stopping.clone();
    let on_halt: api::OnHalt = Arc::new(move |cause| {
        if stops.load(Ordering::Acquire) {
            // The writer was closed in order; a request that outlasted the drain is cut off and was
            // never acknowledged.
            log::warn!("a request was cut off by the stop: {cause}");
            return;
        }
        log::error!("state unknown, the daemon ends: {cause}");
        std::process::exit(EXIT_HALT);
    });
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    let Parts { service, acceptor } = parts;
    service.tend(on_halt.clone()).map_err(failed)?;
    let accept = move |tcp| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(tcp).await }
    };
    api::serve(listener, accept, api::router(service.clone(), on_halt), stop).await;
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    stopping.store(true, Ordering::Release);
    service.close().map_err(failed)?;
    log::info!("stopped");
    Ok(())
}

/// The socket that systemd hands over, or one at the configured address.
fn listener(config: &Config) -> Result<TcpListener, RunError> {
    if let Some(listener) = listenfd::ListenFd::from_env().take_tcp_listener(0).map_err(failed)? {
        return Ok(listener);
    }
    let address = config.listen.ok_or_else(|| {
        RunError::Config(anyhow::anyhow!(
            "systemd handed no socket over and 'listen' is not configured, wanted one of the two"
        ))
    })?;
    TcpListener::bind(address).map_err(|e| {
        RunError::Config(anyhow::Error::new(e).context(format!("listening on {address}")))
    })
}

fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Reports to systemd's watchdog, where there is one, that the runtime still runs.
fn watch_dog() {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    tokio::spawn(async move {
        let mut beat = tokio::time::interval((limit / 3).max(Duration::from_millis(100)));
        loop {
            beat.tick().await;
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    });
}

fn config_error(e: impl std::error::Error + Send + Sync + 'static) -> RunError {
    RunError::Config(anyhow::Error::new(e))
}

fn failed(e: impl std::error::Error + Send + Sync + 'static) -> RunError {
    RunError::Failed(anyhow::Error::new(e))
}
