//! Metrics: the box's figures as OpenMetrics 1.0, which Prometheus reads. Every figure is a count
//! or a size; none has a label that could name an agency, a person, a device or a booking.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::on;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::app::{Answer, Call};
use super::route::Method::Get;
use super::route::{Access, CONSOLES, Route};
use crate::gallery::GalleryStats;
use crate::ledger::Started;
use crate::limits::REQUESTS_IN_FLIGHT_MAX;
use crate::service::Figures;

pub(super) const ROUTES: &[Route] =
    &[Route::new(Get, "/v1/metrics", Access::Certificates(CONSOLES), |m| on(m, get_metrics))];

/// What `text` gives, as HTTP names it.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A gauge or counter with one label.
type Labelled<M> = Family<[(&'static str, &'static str); 1], M>;
type Fraction = Gauge<f64, AtomicU64>;
type Whole = Gauge<u64, AtomicU64>;

/// The box's figures, for consoles: counts and sizes only, OpenMetrics text as Prometheus reads it.
#[utoipa::path(get, path = "/v1/metrics",
    responses((status = 200, content_type = "application/openmetrics-text", body = String)))]
pub(super) async fn get_metrics(call: Call) -> Answer<impl IntoResponse> {
    let permits = call.app.permits.clone();
    let figures = call.by_certificate(|service, caller| service.figures(caller)).await?;
    let at_work = REQUESTS_IN_FLIGHT_MAX - permits.available_permits();
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text(&figures, at_work as u64)))
}

/// The figures, and how many requests are at work, as text.
fn text(figures: &Figures, requests: u64) -> String {
    let mut registry = Registry::with_prefix("smrt");
    let build = Info::new([
        ("version", figures.version),
        ("engine", figures.engine),
        ("state", figures.state),
    ]);
    let what = "The software, its engine and what the state folder was made for";
    registry.register("build", what, build);
    let what = "Rows given to the gallery since the start";
    registry.register("gallery_rows", what, whole(figures.rows));
    registry.register("gallery_live_rows", "Rows that a search may find", whole(figures.live_rows));
    register_memory(&mut registry, &figures.gallery, figures.rows);
    register_passes(&mut registry, &figures.gallery);
    register_log(&mut registry, figures);
    register_queues(&mut registry, figures, requests);
    register_start(&mut registry, &figures.started);
    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes whatever is written to it");
    text
}

fn register_memory(registry: &mut Registry, gallery: &GalleryStats, rows: u64) {
    let memory = Labelled::<Whole>::default();
    memory.get_or_create(&[("kind", "host")]).set(gallery.host_bytes);
    memory.get_or_create(&[("kind", "device")]).set(gallery.device_bytes);
    let what = "Memory that the gallery's rows take";
    registry.register_with_unit("gallery_memory", what, Unit::Bytes, memory);
    let row = (gallery.host_bytes + gallery.device_bytes).checked_div(rows).unwrap_or(0);
    let what = "Memory that one row takes, on average";
    registry.register_with_unit("gallery_row_memory", what, Unit::Bytes, whole(row));
}

fn register_passes(registry: &mut Registry, gallery: &GalleryStats) {
    registry.register("gallery_probes", "Probes compared with the gallery", count(gallery.probes));
    registry.register("gallery_passes", "Passes over the gallery's rows", count(gallery.passes));
    let what = "Codes that the passes read";
    registry.register_with_unit("gallery_read", what, Unit::Bytes, count(gallery.bytes_read));
    let what = "Rows scored exactly after a pass had narrowed them down";
    registry.register("gallery_rescored_rows", what, count(gallery.rescored));
    let what = "How often more rows came close than a list holds";
    registry.register("gallery_fallbacks", what, count(gallery.fallbacks));
    let what = "How often the gaps of purged rows were closed";
    registry.register("gallery_compactions", what, count(gallery.compactions));
}

fn register_log(registry: &mut Registry, figures: &Figures) {
    registry.register("log_leaves", "Leaves in the log", whole(figures.leaves));
    let written = Labelled::<Counter>::default();
    for (&kind, &leaves) in &figures.leaves_written {
        written.get_or_create(&[("kind", kind)]).inc_by(leaves);
    }
    let what = "Leaves written since the start, by what happened";
    registry.register("log_written_leaves", what, written);
}

fn register_queues(registry: &mut Registry, figures: &Figures, requests: u64) {
    registry.register("requests_in_flight", "Requests at work, this one included", whole(requests));
    let queues = Labelled::<Whole>::default();
    for (resource, waiting) in figures.queues {
        queues.get_or_create(&[("resource", resource)]).set(waiting);
    }
    let what = "Requests that wait for a resource or that it is at work for";
    registry.register("queue_length", what, queues);
}

fn register_start(registry: &mut Registry, started: &Started) {
    let stages = Labelled::<Fraction>::default();
    for (stage, took) in &started.stages {
        stages.get_or_create(&[("stage", stage.name())]).set(took.as_secs_f64());
    }
    let what = "What each stage of the last start took";
    registry.register_with_unit("start_stage", what, Unit::Seconds, stages);
    let what = "What opening the state folder took at the last start";
    registry.register_with_unit("start", what, Unit::Seconds, seconds(started.whole));
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
