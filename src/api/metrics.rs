//! The box's figures in the text form that the Prometheus ecosystem reads, OpenMetrics 1.0. Every
//! figure is a count or a size; none has a label that could name an agency, a person, a device or a
//! booking.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::service::Figures;

/// What `text` gives, as HTTP names it.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A gauge or counter with one label.
type Labelled<M> = Family<[(&'static str, &'static str); 1], M>;
type Fraction = Gauge<f64, AtomicU64>;
type Whole = Gauge<u64, AtomicU64>;

/// The figures, and how many requests are at work, as text.
pub(super) fn text(figures: &Figures, requests: u64) -> String {
    let Figures { gallery, .. } = figures;
    let mut registry = Registry::with_prefix("smrt");
    let build = Info::new([
        ("version", figures.version),
        ("engine", figures.engine),
        ("state", figures.state),
    ]);
    registry.register(
        "build",
        "The software, its engine and what the state folder was made for",
        build,
    );

    registry.register(
        "gallery_rows",
        "Rows given to the gallery since the start",
        whole(figures.rows),
    );
    registry.register("gallery_live_rows", "Rows that a search may find", whole(figures.live_rows));
    let memory = Labelled::<Whole>::default();
    memory.get_or_create(&[("kind", "host")]).set(gallery.host_bytes);
    memory.get_or_create(&[("kind", "device")]).set(gallery.device_bytes);
    registry.register_with_unit(
        "gallery_memory",
        "Memory that the gallery's rows take",
        Unit::Bytes,
        memory,
    );
    let row = (gallery.host_bytes + gallery.device_bytes).checked_div(figures.rows).unwrap_or(0);
    registry.register_with_unit(
        "gallery_row_memory",
        "Memory that one row takes, on average",
        Unit::Bytes,
        whole(row),
    );
    registry.register("gallery_probes", "Probes compared with the gallery", count(gallery.probes));
    registry.register("gallery_passes", "Passes over the gallery's rows", count(gallery.passes));
    registry.register_with_unit(
        "gallery_read",
        "Codes that the passes read",
        Unit::Bytes,
        count(gallery.bytes_read),
    );
    registry.register(
        "gallery_rescored_rows",
        "Rows scored exactly after a pass had narrowed them down",
        count(gallery.rescored),
    );
    let fallbacks = "How often more rows came close than a list holds";
    registry.register("gallery_fallbacks", fallbacks, count(gallery.fallbacks));
    registry.register(
        "gallery_compactions",
        "How often the gaps of purged rows were closed",
        count(gallery.compactions),
    );

    registry.register("log_leaves", "Leaves in the log", whole(figures.leaves));
    let written = Labelled::<Counter>::default();
    for (&kind, &leaves) in &figures.leaves_written {
        written.get_or_create(&[("kind", kind)]).inc_by(leaves);
    }
    registry.register(
        "log_written_leaves",
        "Leaves written since the start, by what happened",
        written,
    );

    registry.register("requests_in_flight", "Requests at work, this one included", whole(requests));
    let queues = Labelled::<Whole>::default();
    for (resource, waiting) in figures.queues {
        queues.get_or_create(&[("resource", resource)]).set(waiting);
    }
    registry.register(
        "queue_length",
        "Requests that wait for a resource or that it is at work for",
        queues,
    );

    let stages = Labelled::<Fraction>::default();
    for (stage, took) in &figures.started.stages {
        stages.get_or_create(&[("stage", stage.name())]).set(took.as_secs_f64());
    }
    registry.register_with_unit(
        "start_stage",
        "What each stage of the last start took",
        Unit::Seconds,
        stages,
    );
    let whole_start = seconds(figures.started.whole);
    registry.register_with_unit(
        "start",
        "What opening the state folder took at the last start",
        Unit::Seconds,
        whole_start,
    );

    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes whatever is written to it");
    text
}

fn whole(value: u64) -> Whole {
    let gauge = Whole::default();
    gauge.set(value);
    gauge
}

fn count(value: u64) -> Counter {
    let counter = Counter::default();
    counter.inc_by(value);
    counter
}

fn seconds(value: Duration) -> Fraction {
    let gauge = Fraction::default();
    gauge.set(value.as_secs_f64());
    gauge
}
