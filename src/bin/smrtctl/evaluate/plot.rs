//! Plot of the accuracy as one SVG with two curves: mates found by rank, and misses against false
//! alarms.

use std::fmt::Write;

use super::outcome::SearchResults;

/// A panel's inner size and its distance from the picture's edge, in px.
const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 40.0;
/// From the left edge of one panel to that of the next.
const PITCH: f64 = WIDTH + 100.0;
/// The last rank shown.
const RANK_MAX: u32 = 50;
/// The least rate that a logarithmic axis shows.
const RATE_MIN: f64 = 0.001;

/// The picture.
pub(super) fn svg(outcome: &SearchResults) -> String {
    let by_rank: Vec<[f64; 2]> = (1..=RANK_MAX)
        .filter_map(|rank| {
            outcome.found_within(rank as usize).map(|found| [f64::from(rank), found])
        })
        .collect();
    let by_alarms: Vec<[f64; 2]> = (0..=120)
        .map(|step| 10f64.powf(f64::from(step) / 40.0 - 3.0))
        .filter_map(|rate| {
            outcome.threshold(rate).and_then(|t| outcome.missed_at(t)).map(|missed| [rate, missed])
        })
        .collect();
    // The lower edge of the first panel is the tenth below the worst, so that the curve fills it.
    let floor = by_rank.iter().map(|p| p[1]).fold(0.99, f64::min);
    let floor = ((floor * 20.0 - 1e-9).floor() / 20.0).max(0.0);
    let ranks = Panel {
        title: "Mate found within rank",
        x: Axis {
            label: "rank",
            from: 1.0,
            to: f64::from(RANK_MAX),
            log: false,
            ticks: vec![1.0, 10.0, 20.0, 30.0, 40.0, 50.0],
        },
        y: Axis {
            label: "share of mated probes",
            from: floor,
            to: 1.0,
            log: false,
            ticks: linear_ticks(floor),
        },
        points: by_rank,
    };
    let rates = || vec![0.001, 0.01, 0.1, 1.0];
    let alarms = Panel {
        title: "Misses against false alarms",
        x: Axis {
            label: "false alarms (FPIR)",
            from: RATE_MIN,
            to: 1.0,
            log: true,
            ticks: rates(),
        },
        y: Axis {
            label: "misses within the first 20 (FNIR)",
            from: RATE_MIN,
            to: 1.0,
            log: true,
            ticks: rates(),
        },
        points: by_alarms,
    };
    let (width, height) = (LEFT + 2.0 * PITCH - 70.0, TOP + HEIGHT + 60.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"#fff\"/>\n"
    );
    ranks.draw(LEFT, &mut out);
    alarms.draw(LEFT + PITCH, &mut out);
    out.push_str("</svg>\n");
    out
}

struct Panel {
    title: &'static str,
    x: Axis,
    y: Axis,
    points: Vec<[f64; 2]>,
}

struct Axis {
    label: &'static str,
    from: f64,
    to: f64,
    log: bool,
    ticks: Vec<f64>,
}

impl Axis {
    /// Where a value lies between the ends, 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let at = |v: f64| if self.log { v.max(self.from).log10() } else { v };
        ((at(value) - at(self.from)) / (at(self.to) - at(self.from))).clamp(0.0, 1.0)
    }
}

impl Panel {
    fn draw(&self, left: f64, out: &mut String) {
        let bottom = TOP + HEIGHT;
        let middle = left + WIDTH / 2.0;
        let x = |v: f64| left + WIDTH * self.x.place(v);
        let y = |v: f64| bottom - HEIGHT * self.y.place(v);
        let mut line = |text: std::fmt::Arguments<'_>| {
            writeln!(out, "{text}").expect("a string takes all that is written")
        };
        line(format_args!(
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-size=\"14\">{}</text>",
            TOP - 14.0,
            self.title
        ));
        for &tick in &self.x.ticks {
            let at = x(tick);
            line(format_args!("<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>"));
            line(format_args!(
                "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{tick}</text>",
                bottom + 18.0
            ));
        }
        for &tick in &self.y.ticks {
            let at = y(tick);
            line(format_args!("<path d=\"M{left} {at:.1}H{}\" stroke=\"#ddd\"/>", left + WIDTH));
            line(format_args!(
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 6.0,
                at + 4.0,
                rounded(tick)
            ));
        }
        line(format_args!(
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            bottom + 38.0,
            self.x.label
        ));
        let (across, along) = (left - 46.0, TOP + HEIGHT / 2.0);
        line(format_args!(
            "<text x=\"{across}\" y=\"{along}\" text-anchor=\"middle\" transform=\"rotate(-90 \
             {across} {along})\">{}</text>",
            self.y.label
        ));
        line(format_args!(
            "<rect x=\"{left}\" y=\"{TOP}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"none\" \
             stroke=\"#444\"/>"
        ));
        let points: Vec<String> =
            self.points.iter().map(|p| format!("{:.1},{:.1}", x(p[0]), y(p[1]))).collect();
        line(format_args!(
            "<polyline fill=\"none\" stroke=\"#0b5cad\" stroke-width=\"2\" points=\"{}\"/>",
            points.join(" ")
        ));
    }
}

/// Five steps from `floor` to 1.
fn linear_ticks(floor: f64) -> Vec<f64> {
    (0..=5).map(|step| floor + (1.0 - floor) * f64::from(step) / 5.0).collect()
}

/// A tick as people write it: no trailing noise of binary fractions.
fn rounded(tick: f64) -> f64 {
    (tick * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_both_curves_and_stays_inside_its_frame() {
        let outcome = SearchResults {
            mated: (1..=60).map(|at| Some((at, 1.0 - at as f64 / 100.0))).chain([None]).collect(),
            non_mated: (0..100).map(|at| Some(f64::from(at) / 200.0)).collect(),
        };
        let svg = svg(&outcome);
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(!svg.contains("NaN") && !svg.contains("inf") && svg.contains("FNIR"));
        let nothing = SearchResults { mated: Vec::new(), non_mated: Vec::new() };
        assert!(!super::svg(&nothing).contains("NaN"));
    }
}
