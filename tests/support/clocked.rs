//! The box with a clock that only the story moves: the service, its state folder, mutual TLS and
//! HTTP are those of the daemon and run in this process. Certificates are checked by the machine's
//! own clock, so a story may go on for years; the watch looks when time has passed.

use std::net::TcpListener;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use smrt::api;
use smrt::audit::{Detail, Leaf, LeafKind};
use smrt::calendar::{Span, Time};
use smrt::config::Config;
use smrt::disk::RealDisk;
use smrt::embed::{Models, Pool};
use smrt::gallery::EngineChoice;
use smrt::ledger::{Clock, Ledger, LedgerSetup, ModelSet, SystemClock};
use smrt::service::Service;
use smrt::tls::Acceptor;
use time::Date;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::builders::ledger_setup;
use crate::desks::{key_of, logs_on};
use crate::door::Door;
use crate::site::{Site, models, once_free};

/// The models with their workers, held so that no start loads them anew.
pub(crate) static MODEL_SET: LazyLock<(Arc<ModelSet>, Arc<Pool>)> = LazyLock::new(|| {
    let set = ModelSet::open(&models(), None, EngineChoice::Cpu, 2).unwrap();
    let pool = set.pool(Models::id_of(&models()).unwrap()).unwrap().unwrap();
    (Arc::new(set), pool)
});

/// A clock that stands until the story moves it.
#[derive(Debug)]
pub(crate) struct StoryClock {
    now_cs: AtomicU64,
    begun: Time,
}

impl Default for StoryClock {
    /// At the machine's time.
    fn default() -> Self {
        let begun = SystemClock::default().now();
        Self { now_cs: begun.cs().into(), begun }
    }
}

impl StoryClock {
    /// Time passes.
    pub(crate) fn pass(&self, span: Span) {
        self.now_cs.fetch_add(span.cs(), Ordering::AcqRel);
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Time {
        Time::from_cs(self.now_cs.load(Ordering::Acquire))
    }

    fn passed(&self) -> Span {
        self.now().since(self.begun)
    }
}

/// The running box; dropped, its doors shut.
pub(crate) struct Clocked<'s> {
    door: Door<'s>,
    service: Arc<Service>,
    clock: Arc<StoryClock>,
    halted: Arc<Mutex<Option<String>>>,
    runtime: Runtime,
    serving: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl<'s> Deref for Clocked<'s> {
    type Target = Door<'s>;

    fn deref(&self) -> &Door<'s> {
        &self.door
    }
}

impl<'s> Clocked<'s> {
    /// Starts the box of a site at the machine's time.
    pub(crate) fn of(site: &'s Site) -> Self {
        Self::start(site, &Arc::default())
    }

    /// Starts the box of a site by this clock.
    pub(crate) fn start(site: &'s Site, clock: &Arc<StoryClock>) -> Self {
        let config = Config::load(&site.config()).unwrap();
        let setup = || LedgerSetup {
            origin: config.origin.clone(),
            master_key: config.read_key("the master key", &config.master_key).unwrap(),
            log_key: config.read_key("the log key", &config.log_key).unwrap(),
            clock: clock.clone(),
            retention: config.retention(),
            ..ledger_setup(Arc::new(RealDisk), &config.state, MODEL_SET.0.clone())
        };
        let roster = || config.read_roster().unwrap();
        let acceptor = Arc::new(Acceptor::open(config.server_files()).unwrap());
        let service = once_free(|| {
            let (keys, acceptor) = (config.security_keys().unwrap(), acceptor.clone());
            Service::open(setup(), roster(), keys, acceptor, &mut |_| {})
        });
        let service = Arc::new(service);
        let halted: Arc<Mutex<Option<String>>> = Arc::default();
        let told = halted.clone();
        let on_halt: api::OnHalt =
            Arc::new(move |cause| *told.lock().unwrap() = Some(cause.to_owned()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let router = api::router(service.clone(), on_halt);
        let (stop, stopped) = oneshot::channel();
        let accept = move |tcp| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(tcp).await }
        };
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            // Dropped is as good as sent.
            api::serve(listener, accept, router, async move { drop(stopped.await) }).await;
        };
        let serving = Some((stop, runtime.spawn(serve)));
        let (door, clock) = (Door { site, address }, clock.clone());
        let clocked = Self { door, service, clock, halted, runtime, serving };
        clocked.look();
        clocked
    }

    /// Time passes, and the watch looks.
    pub(crate) fn pass(&self, span: Span) {
        self.pass_unseen(span);
        self.look();
    }

    /// Time passes before the watch comes by.
    pub(crate) fn pass_unseen(&self, span: Span) {
        self.clock.pass(span);
    }

    /// The watch comes by.
    pub(crate) fn look(&self) {
        self.service.keep_watch().unwrap();
    }

    /// Time passes up to this hour of the next day, UTC, and the watch looks.
    pub(crate) fn pass_to_hour(&self, hour: u64) {
        let now = self.now();
        let then = Time::EPOCH + Span::days(now.days() + 1) + Span::hours(hour);
        self.pass(then.since(now));
    }

    /// So many days pass, in which these people log on often enough to keep their accounts.
    pub(crate) fn days_with(&self, mut days: u64, people: &[&str]) {
        while days > 0 {
            let some = days.min(80);
            self.pass(Span::days(some));
            for person in people {
                logs_on(self, "admin-1", person, &key_of(self, person)).unwrap();
            }
            days -= some;
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// The day of the box.
    pub(crate) fn today(&self) -> Date {
        self.now().date()
    }

    /// Stops the box, and starts it again by the same clock.
    pub(crate) fn restart(self) -> Self {
        let (site, clock) = (self.door.site, self.clock.clone());
        self.stop();
        Self::start(site, &clock)
    }

    /// The log and what else is kept, for looking on.
    pub(crate) fn ledger(&self) -> &Ledger {
        self.service.ledger()
    }

    /// The kinds and details of all leaves so far.
    pub(crate) fn log(&self) -> Vec<(LeafKind, Option<serde_json::Value>)> {
        let ledger = self.service.ledger();
        let leaves = ledger.log().unwrap();
        (0..)
            .zip(leaves)
            .map(|(at, leaf)| (Leaf::from_bytes(&leaf).unwrap().kind, ledger.detail(at).unwrap()))
            .collect()
    }

    /// The bytes of a leaf.
    pub(crate) fn leaf(&self, at: usize) -> Vec<u8> {
        self.service.ledger().log().unwrap().swap_remove(at)
    }

    /// The details of the leaves of a kind.
    pub(crate) fn details(&self, of: LeafKind) -> Vec<serde_json::Value> {
        self.log()
            .into_iter()
            .filter(|(kind, _)| *kind == of)
            .filter_map(|(_, detail)| detail)
            .collect()
    }

    /// The reasons of all refusals, those that wait to be gathered included.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let reason = |detail: &serde_json::Value| detail["reason"].as_str().unwrap().to_owned();
        let mut reasons = Vec::new();
        for (kind, detail) in self.log() {
            match detail {
                Some(detail) if kind.is_refusal() => reasons.push(reason(&detail)),
                Some(detail) if kind == LeafKind::RefusalsGathered => {
                    reasons.extend(detail["kept"].as_array().unwrap().iter().map(reason))
                }
                _ => {}
            }
        }
        for waiting in self.service.ledger().gathered().unwrap() {
            if let Detail::RefusalsGathered { kept, .. } = waiting {
                reasons.extend(kept.into_iter().map(|refusal| refusal.reason));
            }
        }
        reasons
    }

    /// Stops the box as the daemon stops.
    pub(crate) fn stop(mut self) {
        self.shut();
        self.service.close().unwrap();
    }

    fn shut(&mut self) {
        if let Some((stop, serving)) = self.serving.take() {
            drop(stop);
            self.runtime.block_on(serving).unwrap();
        }
        let halted = self.halted.lock().unwrap();
        assert!(halted.is_none(), "the state is unknown: {halted:?}");
    }
}

impl Drop for Clocked<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.shut();
        }
    }
}
