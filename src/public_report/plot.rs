//! Plots as SVG, to be seen, printed and read aloud: each has a title and a description, and no
//! colour says anything that a pattern, a word or a place doesn't say too.

use maud::{Markup, html};

use crate::wording::number;

/// Width of a picture, in px of its own.
const WIDTH: f64 = 720.0;
/// Distances of the bars from the picture's edges.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 30.0;
/// Height of the bars' field.
const FIELD: f64 = 210.0;
/// Characters of a picture's width, about.
const CHAR: f64 = 7.0;

/// Fills of a bar's parts, from the lowest up.
const FILLS: [&str; 3] = ["one", "url(#hatch)", "url(#dots)"];

/// A bar chart, each bar of up to three stacked parts.
pub(super) struct Bars<'a> {
    /// For whoever can't see it: what it is.
    pub(super) title: &'a str,
    /// For whoever can't see it: what is to be seen.
    pub(super) description: &'a str,
    /// The unit of the counts.
    pub(super) unit: &'a str,
    /// What the parts are; none where there is one only.
    pub(super) legend: &'a [&'a str],
    /// Each bar's label and the counts of its parts.
    pub(super) bars: Vec<(String, Vec<u64>)>,
    /// A line before the bar of this place, and what it says; bars from there on are beyond it.
    pub(super) limit: Option<(usize, &'a str)>,
    /// Names the picture's own patterns apart from those of others.
    pub(super) id: &'a str,
}

impl Bars<'_> {
    pub(super) fn svg(&self) -> Markup {
        let most = self.bars.iter().map(|(_, parts)| parts.iter().sum()).max().unwrap_or(0);
        let steps = ticks(most);
        let top = *steps.last().expect("there is a tick at nothing and one above");
        let y = |count: u64| TOP + FIELD * (1.0 - float(count) / float(top));
        let pitch = (WIDTH - LEFT - RIGHT) / float(self.bars.len().max(1) as u64);
        let wide = (pitch * 0.72).min(64.0);
        // Only so many labels as have room.
        let longest = self.bars.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(1);
        let every = ((float(longest as u64) * CHAR + 6.0) / pitch).ceil().max(1.0);
        let values = self.legend.is_empty() && pitch > 34.0;
        let fill = |part: usize| {
            if part == 0 {
                "one".to_owned()
            } else {
                FILLS[part.min(2)].replace('#', &format!("#{}-", self.id))
            }
        };
        html! {
            svg viewBox=(format!("0 0 {WIDTH} {}", TOP + FIELD + BOTTOM))
                role="img" aria-labelledby={ (self.id) "-title " (self.id) "-desc" } {
                title id={ (self.id) "-title" } { (self.title) }
                desc id={ (self.id) "-desc" } { (self.description) }
                (patterns(self.id))
                @for (at, name) in self.legend.iter().enumerate() {
                    @let x = LEFT + self.legend[..at].iter().map(|name| float(name.chars().count()
                        as u64) * CHAR + 42.0).sum::<f64>();
                    (bar(x, 6.0, 14.0, 14.0, &fill(at)))
                    text x=(px(x + 20.0)) y="18" { (name) }
                }
                @if self.legend.is_empty() { text.quiet x=(px(LEFT)) y="18" { (self.unit) } }
                @for &step in &steps {
                    path class=(if step == 0 { "axis" } else { "grid" })
                        d=(format!("M{LEFT} {}H{}", px(y(step)), WIDTH - RIGHT)) {}
                    text.quiet x=(px(LEFT - 8.0)) y=(px(y(step) + 4.0))
                        text-anchor="end" { (number(step)) }
                }
                @for (at, (label, parts)) in self.bars.iter().enumerate() {
                    @let middle = LEFT + pitch * (float(at as u64) + 0.5);
                    @let beyond = self.limit.is_some_and(|(limit, _)| at >= limit);
                    @for (part, &count) in parts.iter().enumerate() {
                        @let below: u64 = parts[..part].iter().sum();
                        @if count > 0 {
                            @let kind = if beyond { format!("url(#{}-cross)", self.id) }
                                else { fill(part) };
                            (bar(middle - wide / 2.0, y(below + count), wide,
                                y(below) - y(below + count), &kind))
                        }
                    }
                    @if values {
                        text x=(px(middle)) y=(px(y(parts.iter().sum()) - 6.0))
                            text-anchor="middle" { (number(parts.iter().sum())) }
                    }
                    @if float(at as u64) % every < 1.0 {
                        text.quiet x=(px(middle)) y=(px(TOP + FIELD + 19.0))
                            text-anchor="middle" { (label) }
                    }
                }
                @if let Some((at, words)) = self.limit {
                    @let x = LEFT + pitch * float(at as u64);
                    path.limit d=(format!("M{} {}V{}", px(x), TOP - 12.0, TOP + FIELD)) {}
                    text.limit-words x=(px(x - 8.0)) y=(px(TOP - 4.0)) text-anchor="end" { (words) }
                }
            }
        }
    }
}

/// A span of time, from 0 to 1 of the period; one without an end still lasts.
type Span = (f64, Option<f64>);

/// A timeline: spans of time, one line a kind.
pub(super) struct Timeline<'a> {
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    /// Marks below, each at its place from 0 to 1.
    pub(super) marks: Vec<(f64, String)>,
    /// Each line's label and its spans.
    pub(super) lines: Vec<(String, Vec<Span>)>,
    pub(super) id: &'a str,
}

impl Timeline<'_> {
    pub(super) fn svg(&self) -> Markup {
        const LINE: f64 = 34.0;
        const LABELS: f64 = 176.0;
        let bottom = 8.0 + LINE * float(self.lines.len() as u64);
        let x = |at: f64| LABELS + (WIDTH - LABELS - 24.0) * at.clamp(0.0, 1.0);
        let every = self.marks.len().div_ceil(9).max(1);
        html! {
            svg viewBox=(format!("0 0 {WIDTH} {}", bottom + 32.0))
                role="img" aria-labelledby={ (self.id) "-title " (self.id) "-desc" } {
                title id={ (self.id) "-title" } { (self.title) }
                desc id={ (self.id) "-desc" } { (self.description) }
                (patterns(self.id))
                @for (place, label) in self.marks.iter().step_by(every) {
                    path.grid d=(format!("M{} 8V{}", px(x(*place)), bottom)) {}
                    text.quiet x=(px(x(*place))) y=(px(bottom + 20.0))
                        text-anchor="middle" { (label) }
                }
                path.axis d=(format!("M{LABELS} {bottom}H{}", WIDTH - 24.0)) {}
                @for (at, (label, spans)) in self.lines.iter().enumerate() {
                    @let middle = 8.0 + LINE * (float(at as u64) + 0.5);
                    text x=(px(LABELS - 12.0)) y=(px(middle + 4.0)) text-anchor="end" { (label) }
                    @for (from, to) in spans {
                        @let end = to.unwrap_or(1.0);
                        @let wide = (x(end) - x(*from)).max(5.0);
                        (bar(x(*from), middle - 8.0, wide, 16.0,
                            &if to.is_some() { "one".to_owned() }
                            else { format!("url(#{}-cross)", self.id) }))
                        @if to.is_none() {
                            path.bad d=(format!("M{} {}l12 10l-12 10z", px(x(1.0)),
                                px(middle - 10.0))) {}
                        }
                    }
                }
            }
        }
    }
}

/// A bar by its upper left corner; a fill that isn't a class is a pattern, and has an edge.
fn bar(x: f64, y: f64, wide: f64, high: f64, fill: &str) -> Markup {
    html! {
        @if fill == "one" {
            rect.one x=(px(x)) y=(px(y)) width=(px(wide)) height=(px(high)) {}
        } @else {
            rect.paper x=(px(x)) y=(px(y)) width=(px(wide)) height=(px(high)) {}
            rect x=(px(x)) y=(px(y)) width=(px(wide)) height=(px(high)) fill=(fill) {}
            rect.box x=(px(x + 0.5)) y=(px(y + 0.5)) width=(px((wide - 1.0).max(0.0)))
                height=(px((high - 1.0).max(0.0))) {}
        }
    }
}

/// Hatches, dots and crosses.
fn patterns(id: &str) -> Markup {
    html! {
        defs {
            pattern id={ (id) "-hatch" }
                width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                path.line-two d="M0 0V6" {}
            }
            pattern id={ (id) "-dots" }
                width="6" height="6" patternUnits="userSpaceOnUse"
                { circle.three cx="3" cy="3" r="1.8" {} }
            pattern id={ (id) "-cross" } width="8" height="8" patternUnits="userSpaceOnUse" {
                path.bad d="M0 0h3v3h-3zM4 4h3v3h-3z" {}
            }
        }
    }
}

/// Whole round numbers from nothing to at least this many.
fn ticks(most: u64) -> Vec<u64> {
    let mut step = 1_u64;
    for factor in [2, 5, 10].into_iter().cycle() {
        if most.div_ceil(step) <= 5 {
            break;
        }
        let decade = 10_u64.pow(step.ilog10());
        step = match factor {
            2 => decade * 2,
            5 => decade * 5,
            _ => decade.saturating_mul(10),
        };
    }
    (0..=most.div_ceil(step).max(1)).map(|at| at * step).collect()
}

/// A place in tenths of a px.
fn px(place: f64) -> String {
    format!("{place:.1}")
}

#[expect(clippy::cast_precision_loss, reason = "counts that a picture shows are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_most() {
        assert_eq!(ticks(0), [0, 1]);
        assert_eq!(ticks(3), [0, 1, 2, 3]);
        assert_eq!(ticks(9), [0, 2, 4, 6, 8, 10]);
        assert_eq!(ticks(47), [0, 10, 20, 30, 40, 50]);
        assert_eq!(ticks(1_200), [0, 500, 1_000, 1_500]);
    }

    #[test]
    fn a_plot_of_nothing_is_a_plot() {
        let nothing = Bars {
            title: "t",
            description: "d",
            unit: "u",
            legend: &[],
            bars: Vec::new(),
            limit: None,
            id: "n",
        };
        let line = Timeline {
            title: "t",
            description: "d",
            marks: Vec::new(),
            lines: Vec::new(),
            id: "l",
        };
        for svg in [nothing.svg(), line.svg()].map(|svg| svg.into_string()) {
            assert!(
                svg.contains("role=\"img\"")
                    && svg.contains("<title")
                    && !svg.contains("NaN")
                    && !svg.contains("inf"),
                "{svg}"
            );
        }
    }
}
