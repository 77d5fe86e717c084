//! Milliseconds a batch against the gallery's rows, both logarithmic, as an SVG that reads on light
//! and dark pages alike.

use std::fmt::Write;

use crate::measure::Figure;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 580.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 388.0;
/// Pixels between the middles of two labels, so that neither covers the other.
const LABELS_APART: f64 = 17.0;
/// Legible on white and on near-black: pages don't always tell an image which they are.
const COLOURS: [&str; 5] = ["#2f81f7", "#db6d28", "#1a9c74", "#a371f7", "#d4508c"];
/// Of text and lines that belong to no series.
const GREY: &str = "#6e7681";

/// One line of the plot.
struct Series {
    label: String,
    colour: &'static str,
    dashed: bool,
    /// Rows and milliseconds, by rows.
    points: Vec<(f64, f64)>,
}

/// The plot of some figures, which must be of one kind: one dimension, one k, one engine, one
/// number of threads.
pub(crate) fn draw(figures: &[Figure]) -> Result<String, String> {
    let Some(first) = figures.first() else {
        return Err("no figures, wanted at least those of two galleries".to_owned());
    };
    let kind = |f: &Figure| (f.d, f.k, f.threads, f.engine.clone(), f.data.clone());
    if let Some(other) = figures.iter().find(|figure| kind(figure) != kind(first)) {
        return Err(format!(
            "a plot of {:?} and {:?}, wanted one dimension, k, number of threads, engine and data",
            kind(first),
            kind(other)
        ));
    }
    let series = series(figures);
    let points = || series.iter().flat_map(|series| &series.points);
    let x = Axis::over(points().map(|&(rows, _)| rows), LEFT, RIGHT, 1.0);
    let y = Axis::over(points().map(|&(_, ms)| ms), BOTTOM, TOP, 1.25);
    if x.low >= x.high {
        return Err(format!("one gallery of {} rows, wanted at least two", first.n));
    }
    let threads = if first.threads == 1 {
        "one thread".to_owned()
    } else {
        format!("{} threads", first.threads)
    };
    let place = if first.engine == "gpu" { first.device.clone() } else { threads };
    let title = format!("Exact top-{} of N faces, D = {}, {place}", first.k, first.d);

    let mut svg = String::new();
    let out = &mut svg;
    line(
        out,
        &format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{}">"#,
            escape(&title)
        ),
    );
    line(
        out,
        &format!(
            r#"<g font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" fill="{GREY}">"#
        ),
    );
    line(
        out,
        &format!(
            r#"<text x="{LEFT}" y="22" font-size="15" font-weight="600">{}</text>"#,
            escape(&title)
        ),
    );
    draw_axes(out, &x, &y);
    let ends: Vec<f64> = series
        .iter()
        .map(|series| series.points.last().map_or(BOTTOM, |&(_, ms)| y.place(ms)))
        .collect();
    for (series, label_at) in series.iter().zip(spread(&ends)) {
        draw_series(out, series, &x, &y, label_at);
    }
    line(out, "</g>");
    line(out, "</svg>");
    Ok(svg)
}

/// The grid with its numbers, and what the axes are.
fn draw_axes(out: &mut String, x: &Axis, y: &Axis) {
    for rows in x.ticks(&[1.0, 3.16]) {
        let at = x.place(rows);
        line(
            out,
            &format!(
                r#"<line x1="{at:.1}" y1="{TOP}" x2="{at:.1}" y2="{BOTTOM}" stroke="{GREY}" stroke-opacity="0.25"/>"#
            ),
        );
        line(
            out,
            &format!(
                r#"<text x="{at:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                BOTTOM + 20.0,
                short(rows)
            ),
        );
    }
    for ms in y.ticks(&[1.0, 2.0, 5.0]) {
        let at = y.place(ms);
        line(
            out,
            &format!(
                r#"<line x1="{LEFT}" y1="{at:.1}" x2="{RIGHT}" y2="{at:.1}" stroke="{GREY}" stroke-opacity="0.25"/>"#
            ),
        );
        line(
            out,
            &format!(
                r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{ms}</text>"#,
                LEFT - 8.0,
                at + 4.5
            ),
        );
    }
    line(
        out,
        &format!(
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">N, rows in the gallery</text>"#,
            f64::midpoint(LEFT, RIGHT),
            BOTTOM + 42.0
        ),
    );
    line(
        out,
        &format!(
            r#"<text transform="translate(18 {:.1}) rotate(-90)" text-anchor="middle">milliseconds a batch, median</text>"#,
            f64::midpoint(TOP, BOTTOM)
        ),
    );
}

/// A line for each batch, and one for a single reading of what the scan reads at the best bandwidth
/// measured, where one was.
fn series(figures: &[Figure]) -> Vec<Series> {
    let mut batches: Vec<usize> = figures.iter().map(|figure| figure.batch).collect();
    batches.sort_unstable();
    batches.dedup();
    let by_rows = |mut points: Vec<(f64, f64)>| {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    };
    let mut series: Vec<Series> = batches
        .iter()
        .zip(COLOURS.into_iter().cycle())
        .map(|(&batch, colour)| {
            let points = figures
                .iter()
                .filter(|figure| figure.batch == batch)
                .map(|figure| (f64::from(figure.n), figure.ms))
                .collect();
            let label = if batch == 1 { "1 probe".to_owned() } else { format!("{batch} probes") };
            Series { label, colour, dashed: false, points: by_rows(points) }
        })
        .collect();
    let once = figures.iter().filter(|figure| figure.batch == batches[0]);
    let floor = once.filter_map(|figure| {
        Some((f64::from(figure.n), crate::float(figure.bytes_read) / figure.bandwidth_best? / 1e6))
    });
    let floor = by_rows(floor.collect());
    if !floor.is_empty() {
        series.push(Series {
            label: "memory floor".to_owned(),
            colour: GREY,
            dashed: true,
            points: floor,
        });
    }
    series
}

fn draw_series(out: &mut String, series: &Series, x: &Axis, y: &Axis, label_at: f64) {
    let colour = series.colour;
    let places: Vec<(f64, f64)> =
        series.points.iter().map(|&(rows, ms)| (x.place(rows), y.place(ms))).collect();
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let dashes = if series.dashed { r#" stroke-dasharray="5 5""# } else { "" };
    line(
        out,
        &format!(
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"{dashes}/>"#,
            path.join(" ")
        ),
    );
    if !series.dashed {
        for (x, y) in &places {
            line(out, &format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.5" fill="{colour}"/>"#));
        }
    }
    let Some(&(_, ms)) = series.points.last() else { return };
    let label = format!("{}: {} ms", series.label, three_digits(ms));
    line(
        out,
        &format!(
            r#"<text x="{:.1}" y="{:.1}" fill="{colour}">{label}</text>"#,
            RIGHT + 10.0,
            label_at + 4.5
        ),
    );
}

/// A logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// From the least to the greatest value, by `margin` wider at both ends.
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64, margin: f64) -> Self {
        let (low, high) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        Self { low: low / margin, high: high * margin, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * (value / self.low).ln() / (self.high / self.low).ln()
    }

    /// Those multiples of the powers of ten that the axis covers.
    fn ticks(&self, multiples: &[f64]) -> Vec<f64> {
        let decades = (-6..12).map(|power| 10f64.powi(power));
        let ticks = decades.flat_map(|decade| {
            multiples.iter().map(move |multiple| three_digits(multiple * decade))
        });
        ticks.filter(|&tick| (self.low..=self.high).contains(&tick)).collect()
    }
}

/// Places near `wanted`, in the same order, none nearer to another than labels may be.
fn spread(wanted: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let mut places = wanted.to_vec();
    // Each pass moves neighbours apart by what they lack; a few labels are settled soon.
    for _ in 0..100 {
        for pair in order.windows(2) {
            let lacking = LABELS_APART - (places[pair[1]] - places[pair[0]]);
            if lacking > 0.0 {
                places[pair[0]] -= lacking / 2.0;
                places[pair[1]] += lacking / 2.0;
            }
        }
    }
    places
}

fn three_digits(value: f64) -> f64 {
    let scale = 10f64.powi(2).max(1.0) / 10f64.powf(value.log10().floor());
    (value * scale).round() / scale
}

/// `100k`, `1M`.
fn short(rows: f64) -> String {
    match rows {
        rows if rows >= 1e6 => format!("{}M", rows / 1e6),
        rows if rows >= 1e3 => format!("{}k", rows / 1e3),
        rows => format!("{rows}"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn line(out: &mut String, line: &str) {
    let Ok(()) = writeln!(out, "{line}") else { unreachable!("a string takes every line") };
}
