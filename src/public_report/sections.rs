//! Sections of the page: the figures in words, plots and tables.

use maud::{Markup, html};

use super::opened::{BY_AGENCY, OUTCOMES, PURPOSES};
use super::parts::{counts, figure, lacking, parts, spanned, table, text, two_ways, words};
use super::plot::{Bars, Timeline};
use super::report::PublicReport;
use super::times::{minute, parse};
use crate::audit::LeafKind;
use crate::calendar::Time;
use crate::inquiry::Disposition;
use crate::limits::RELEASE_TO_PURGE_DAYS_MAX;
use crate::wording::{capital, number};

fn section(id: &str, title: &str, body: Markup) -> Markup {
    html! { section aria-labelledby=(id) { h2 id=(id) { (title) } (body) } }
}

/// An agency's name as the site's list has it; nothing of it is known here but that.
fn agency(name: &str) -> String {
    if name.starts_with("not_") { words(name) } else { name.to_owned() }
}

/// A disposition, or what stands in its place.
fn disposition(name: &str) -> String {
    Disposition::named(name).map_or_else(|| words(name), |known| capital(known.words()))
}

pub(super) fn inquiries(report: &PublicReport) -> Markup {
    let (totals, opened) = (&report.totals.inquiries, &report.opened.inquiries);
    let months: Vec<(&str, [u64; 3])> = report
        .totals
        .months
        .iter()
        .map(|month| {
            let of = |kind: LeafKind| month.kinds.get(kind.name()).copied().unwrap_or(0);
            (
                month.month.as_str(),
                [of(LeafKind::Answered), of(LeafKind::Interrupted), month.searches_refused],
            )
        })
        .collect();
    let bars = Bars {
        title: "Searches by month",
        description: &format!(
            "{} answered, {} interrupted and {} refused over {} months; the table below has each \
             month.",
            number(totals.answered),
            number(totals.interrupted),
            number(totals.refused),
            months.len()
        ),
        unit: "searches",
        legend: &["answered", "interrupted", "refused"],
        bars: months.iter().map(|(month, parts)| ((*month).to_owned(), parts.to_vec())).collect(),
        limit: None,
        id: "by-month",
    };
    let rows: Vec<_> = months
        .iter()
        .map(|(month, parts)| {
            ((*month).to_owned(), parts.iter().map(|&count| text(number(count))).collect())
        })
        .collect();
    let mut agencies: Vec<&str> = opened.agencies.cells.keys().map(String::as_str).collect();
    agencies.sort_by_key(|name| name.starts_with("not_"));
    section(
        "inquiries",
        "Inquiries",
        html! {
            p {
                "A detective or officer asks, an operator searches with one photo, for one stated \
                 purpose, reason and case. "
                (number(totals.asked)) " searches were asked for: " (number(totals.answered))
                    " were answered, " (number(totals.interrupted)) " interrupted, and "
                (number(totals.waiting)) " waited when the period ended. Another "
                    (number(totals.refused)) " were refused. "
                "Answers held " (number(totals.candidates))
                    " candidates; " (number(totals.empty_answers))
                    " held none. A candidate\u{2019}s photo was opened "
                    (number(totals.photo_views)) " times."
            }
            (figure("Searches by month", "By when they were answered, interrupted or refused",
                bars.svg()))
            (table("Searches by month, in numbers", None,
                &["Month", "Answered", "Interrupted", "Refused"], &rows, None))
            h3 { "By purpose and by agency" }
            p { "The purposes are a closed list. The agency is the one that employs whoever \
                asked." }
            (lacking(opened.details))
            (two_ways("Searches by purpose and outcome", None, "Purpose", &opened.purposes,
                &PURPOSES, &OUTCOMES, words))
            (two_ways("Searches by agency and outcome", None, "Agency", &opened.agencies, &agencies,
                &OUTCOMES, |name| if agencies.contains(&name) { agency(name) }
                else { words(name) }))
            (two_ways("Searches by purpose and agency", Some("All outcomes together"), "Purpose",
                &opened.purposes_by_agency, &PURPOSES, &agencies,
                |name| if PURPOSES.contains(&name) { words(name) } else { agency(name) }))
        },
    )
}

pub(super) fn refusals(report: &PublicReport) -> Markup {
    const KINDS: [LeafKind; 4] = [
        LeafKind::SearchRefused,
        LeafKind::BookingRefused,
        LeafKind::CallerRefused,
        LeafKind::LogOnRefused,
    ];
    let opened = &report.opened.refusals;
    section(
        "refusals",
        "Refusals by rule",
        html! {
            p { "What is refused is logged with its reason. Refusals of one caller within an hour \
                are gathered in one entry and counted here each for itself." }
            (lacking(opened.details))
            div.pair {
                @for kind in KINDS {
                    @if let Some(shown) = opened.kinds.get(kind.name()) {
                        div { (parts(&format!("{} refused", words(kind.name())), "Rule", shown,
                            words)) }
                    }
                }
            }
        },
    )
}

pub(super) fn reviews(report: &PublicReport) -> Markup {
    let (reviews, reports) = (&report.totals.reviews, &report.totals.reports);
    let results = &report.opened.results;
    section(
        "reviews",
        "Reviews and reports",
        html! {
            p {
                "Every candidate must be looked at by two examiners; before both have finished, \
                 neither of them sees the other\u{2019}s opinion, a score, a rank or a name. "
                (number(reviews.first)) " answers were reviewed by a first examiner and "
                    (number(reviews.second)) " by a second."
            }
            (counts("Reviews and reports", ["Figure", "Number"], &[
                ("Answers with a first review".to_owned(), reviews.first),
                ("Answers with a second, blind review".to_owned(), reviews.second),
                ("Candidates in first reviews".to_owned(), reviews.candidates_first),
                ("Candidates in second reviews".to_owned(), reviews.candidates_second),
                ("Reports issued".to_owned(), reports.issued),
                ("Outcomes recorded".to_owned(), reports.outcomes),
                ("Reports whose outcome is open".to_owned(), reports.open),
            ]))
            h3 { "What they came to" }
            p { "What was found of a single search stands under seal, so that nobody can be \
                singled out by it; these are the sums." }
            (lacking(results.details))
            div.pair {
                div { (parts("Candidates seen by two examiners", "Were they of one mind?",
                    &results.compared, words)) }
                div { (parts("The same by what the second examiner made of them", "Disposition",
                    &results.judged, disposition)) }
                div { (parts("Reports", "Leads in them", &results.reports, words)) }
                div { (parts("Outcomes", "What became of the report", &results.outcomes, words)) }
            }
        },
    )
}

pub(super) fn bookings(report: &PublicReport) -> Markup {
    let (bookings, purges) = (&report.totals.bookings, &report.totals.purges);
    let limit = usize::try_from(RELEASE_TO_PURGE_DAYS_MAX).unwrap_or(usize::MAX);
    let label = |day: usize| {
        if day < limit { format!("{day}\u{2013}{}", day + 1) } else { format!("{limit}+") }
    };
    let bars = Bars {
        title: "Days from notice to purge",
        description: &format!(
            "{} purges followed a notice; {} of them took longer than {RELEASE_TO_PURGE_DAYS_MAX} \
             days. The table below has each day.",
            number(purges.by_days.iter().sum()),
            number(purges.over_limit)
        ),
        unit: "purges, by days since the notice",
        legend: &[],
        bars: purges
            .by_days
            .iter()
            .enumerate()
            .map(|(day, &count)| (label(day), vec![count]))
            .collect(),
        limit: Some((limit, &format!("{RELEASE_TO_PURGE_DAYS_MAX}-day limit"))),
        id: "to-purge",
    };
    let rows: Vec<_> = purges
        .by_days
        .iter()
        .enumerate()
        .map(|(day, &count)| (label(day), vec![text(number(count))]))
        .collect();
    let times = [
        ("Half took up to", purges.median_seconds),
        ("The longest took", purges.longest_seconds),
        ("The oldest notice not purged at the end was", purges.oldest_open_seconds),
    ];
    section(
        "bookings",
        "Bookings and purges",
        html! {
            p {
                (number(bookings.came_in)) " bookings came in; " (number(bookings.replaced))
                    " of them replaced an older version. " (number(bookings.refused))
                    " were refused. "
                (number(bookings.damaged)) " were taken out of search because what is kept of them \
                    was \
                    damaged, " (number(bookings.unusable))
                        " because a new model can\u{2019}t use their photos."
            }
            h3 { "From notice to purge" }
            p {
                "When an agency says that it no longer keeps a booking, no search finds it from \
                 that moment on, and it must be gone within ten days. "
                (number(purges.notices)) " notices came; " (number(purges.over_limit))
                    " purges took longer than ten days, and " (number(purges.open_over_limit))
                    " of "
                (number(purges.open)) " notices not purged at the end were older than that."
            }
            (figure("Days from notice to purge", "Purges of the period, by how long after the \
                notice they were done", bars.svg()))
            div.pair {
                (table("Days from notice to purge, in numbers", None, &["Days", "Purges"], &rows,
                    None))
                dl.facts { @for (name, seconds) in times { dt { (name) } dd { (spanned(seconds)) } }
                    }
            }
            h3 { "By agency" }
            (lacking(report.opened.agencies.details))
            div.pair {
                @for kind in BY_AGENCY {
                    @if let Some(shown) = report.opened.agencies.kinds.get(kind.name()) {
                        div { (parts(&words(kind.name()), "Agency", shown, agency)) }
                    }
                }
            }
        },
    )
}

pub(super) fn audits(report: &PublicReport) -> Markup {
    let audits = &report.totals.audits;
    let findings = report.opened.audits.kinds.get(LeafKind::SampleReviewed.name());
    let rows = [
        ("Samples drawn".to_owned(), audits.samples),
        ("Searches that could be drawn".to_owned(), audits.population),
        ("Searches drawn".to_owned(), audits.drawn),
        ("Reviews of searches drawn".to_owned(), audits.reviewed),
        ("Searches drawn and not yet reviewed".to_owned(), audits.waiting),
        ("Times an audit was overdue".to_owned(), audits.overdue),
        ("Entries whose details were opened for an auditor".to_owned(), audits.details_opened),
        ("Probe photos opened for an auditor".to_owned(), audits.probes_opened),
        ("Exports of the log".to_owned(), audits.exports),
    ];
    section(
        "audits",
        "Audits",
        html! {
            p { "Auditors draw a random sample of searches from the log. The seed of the draw is \
                in the log before anything is drawn, so that anybody can draw it again." }
            (counts("Audits", ["Figure", "Number"], &rows))
            p { "Which search was reviewed and what was found is in the details only, so that no \
                search is pointed at before those it concerns were heard." }
            (lacking(report.opened.audits.details))
            @if let Some(findings) = findings {
                (parts("Findings", "Finding", findings, words))
            }
        },
    )
}

pub(super) fn alarms(report: &PublicReport) -> Markup {
    let alarms = &report.totals.alarms;
    let [from, to] = report.period.bounds();
    let share = |at: Time| share_of(at.since(from).cs(), to.since(from).cs());
    let place = |time: &str| parse(time).map_or(0.0, share);
    let names: std::collections::BTreeSet<&str> =
        alarms.spans.iter().map(|span| span.alarm.as_str()).collect();
    let lines = names.into_iter().map(|name| {
        let spans = alarms.spans.iter().filter(|span| span.alarm == name);
        (
            words(name),
            spans.map(|span| (place(&span.raised), span.cleared.as_deref().map(place))).collect(),
        )
    });
    let marks = report
        .totals
        .months
        .iter()
        .map(|month| (place(&format!("{}-01T00:00:00Z", month.month)), month.month.clone()));
    let timeline = Timeline {
        title: "Alarms on a timeline",
        description: &format!(
            "{} alarms stood at some time in the period; the table below has each with its times.",
            alarms.spans.len()
        ),
        marks: marks.collect(),
        lines: lines.collect(),
        id: "alarm-times",
    };
    let kinds: Vec<_> = alarms
        .kinds
        .iter()
        .map(|(kind, count)| {
            (
                words(kind),
                [count.raised, count.cleared, count.standing]
                    .map(|count| text(number(count)))
                    .to_vec(),
            )
        })
        .collect();
    let spans: Vec<_> = alarms
        .spans
        .iter()
        .map(|span| {
            let cleared = span.cleared.as_deref().map_or("stood at the end".to_owned(), minute);
            (words(&span.alarm), vec![text(minute(&span.raised)), text(cleared)])
        })
        .collect();
    section(
        "alarms",
        "Alarms",
        html! {
            p { "An alarm is raised when the system finds something that people must look after, \
                and cleared when it is right again. Both are entries of the log." }
            @if alarms.spans.is_empty() {
                p { "No alarm stood in the period." }
            } @else {
                (figure("Alarms on a timeline", "From when each was raised to when it was cleared; \
                    a checked bar with an arrow still stood at the end", timeline.svg()))
                (table("Alarms and their times", Some("UTC"), &["Alarm", "Raised", "Cleared"],
                    &spans, None))
                @if alarms.more > 0 { p { "And " (number(alarms.more)) " more." } }
            }
            (table("Alarms by kind", None, &["Alarm", "Raised", "Cleared", "Standing at the end"],
                &kinds, None))
        },
    )
}

pub(super) fn witnesses(report: &PublicReport) -> Markup {
    const LABELS: [&str; 8] = [
        "\u{2264} 1 min",
        "\u{2264} 5 min",
        "\u{2264} 15 min",
        "\u{2264} 1 h",
        "\u{2264} 4 h",
        "\u{2264} 24 h",
        "longer",
        "not yet",
    ];
    let Some(witnesses) = &report.witnesses else {
        return section(
            "witnesses",
            "Witnesses",
            html! {
                p { strong { "No cosignatures of witnesses were at hand when this report was \
                    counted." } " That the log was not rewritten rests on its own signature alone \
                        until somebody outside has kept a copy." }
            },
        );
    };
    let spans = witnesses.by_spans.iter().copied().chain([witnesses.open]);
    let bars: Vec<(String, Vec<u64>)> =
        LABELS.iter().zip(spans).map(|(label, count)| ((*label).to_owned(), vec![count])).collect();
    let rows: Vec<_> = bars
        .iter()
        .map(|(label, counts)| {
            (label.clone(), counts.iter().map(|&count| text(number(count))).collect())
        })
        .collect();
    let plot = Bars {
        title: "Time from an entry to its quorum",
        description: &format!(
            "{} entries have a quorum, {} have none yet. The table below has each span.",
            number(witnesses.witnessed),
            number(witnesses.open)
        ),
        unit: "entries, by how soon enough witnesses vouched for them",
        legend: &[],
        bars,
        limit: None,
        id: "to-quorum",
    };
    let attendance: Vec<_> = witnesses
        .attendance
        .iter()
        .map(|(name, attendance)| {
            let kind =
                if attendance.independent { "independent" } else { "an agency that feeds the log" };
            (
                name.clone(),
                vec![
                    text(kind),
                    text(number(attendance.cosigned)),
                    text(number(attendance.missed)),
                ],
            )
        })
        .collect();
    section(
        "witnesses",
        "Witnesses",
        html! {
            p {
                "Witnesses outside keep the log and cosign its checkpoints; once enough of them \
                 have, the entries below can\u{2019}t be changed without their noticing. "
                @if let Some(minutes) = witnesses.within_minutes {
                    "That must happen within " (number(minutes)) " minutes of an entry. " }
                (number(witnesses.witnessed))
                    " entries of the period have their quorum, " (number(witnesses.late))
                    " of them later than that; "
                (number(witnesses.open)) " have none, " (number(witnesses.overdue))
                    " of them for longer than that. Cosignatures up to " (minute(&witnesses.until))
                    " UTC count."
            }
            @if witnesses.contradicting > 0 {
                p.state { (number(witnesses.contradicting)) " signed checkpoints CONTRADICT this \
                    log: it was rewritten, or its key was used elsewhere." }
            }
            (figure("Time from an entry to its quorum",
                "By the cosigned checkpoints that were kept", plot.svg()))
            div.pair {
                (table("Time from an entry to its quorum, in numbers", None, &["Time", "Entries"],
                    &rows, None))
                dl.facts {
                    dt { "Half had it within" } dd { (spanned(witnesses.median_seconds)) }
                    dt { "The longest took" } dd { (spanned(witnesses.longest_seconds)) }
                    dt { "Checkpoints kept" }
                        dd { (number(witnesses.checkpoints))
                        ", " (number(witnesses.witnessed_checkpoints)) " with a quorum" }
                }
            }
            (table("Witnesses and their cosignatures",
                Some("Of the checkpoints kept in the period"),
                &["Witness", "What it is", "Cosigned", "Missed"], &attendance, None))
        },
    )
}

pub(super) fn gallery(report: &PublicReport) -> Markup {
    let (gallery, site) = (&report.totals.gallery, &report.opened.site);
    let rate = |rate: Option<f64>| {
        rate.map_or_else(|| text("\u{2013}"), |rate| text(format!("{rate:.3}")))
    };
    section(
        "gallery",
        "Gallery and model",
        html! {
            dl.facts {
                dt { "Bookings that came in and were not released" }
                    dd { (number(gallery.standing)) }
                @if let Some(rows) = site.gallery_rows {
                    dt { "Photos that the last search was compared with" } dd { (number(rows)) } }
                @if let Some(rows) = gallery.rows_at_last_start {
                    dt { "Photos in the gallery at the last start" } dd { (number(rows)) } }
                dt { "Starts of the system" } dd { (number(gallery.starts)) }
                dt { "Changes of the model" } dd { (number(gallery.model_switches)) }
                dt { "Digest of the model in use" }
                    dd { @match &site.model { Some(model) => code { (model) }, None => "not known" }
                    }
                @if let Some(software) = &site.software {
                    dt { "Software" } dd { "SMRT " (software) } }
            }
            h3 { "Measured error rates" }
            @match &report.measured {
                None => p { "No error rates of this very model were added to this report. Rates of \
                    another model say nothing about this one." },
                Some(measured) => {
                    p {
                        "Measured with this model on " strong { (measured.data_set) }
                            ": " (number(measured.enrolled))
                            " photos enrolled, " (number(measured.mated))
                            " searches for somebody enrolled, "
                        (number(measured.non_mated))
                            " for somebody who was not; " (number(measured.failed))
                            " photos had no usable face. These rates are not counted from the log, \
                             and casework differs from any test set."
                    }
                    div.pair {
                        (table("How often the right person was among the first",
                            Some("Share of searches for somebody enrolled"),
                            &["Among the first", "Share"], &[
                            ("1".to_owned(), vec![rate(measured.rank1)]),
                                ("10".to_owned(), vec![rate(measured.rank10)]),
                            ("20".to_owned(), vec![rate(measured.rank20)]),
                                ("50".to_owned(), vec![rate(measured.rank50)]),
                        ], None))
                        (table("How often the right person was missed", Some("Within the first 20, \
                            at a threshold that so many searches for nobody enrolled \
                            exceed"), &["False alarms", "Missed"], &[
                            ("1 in 10".to_owned(), vec![rate(measured.fnir_at_10)]),
                                ("1 in 20".to_owned(), vec![rate(measured.fnir_at_5)]),
                                ("1 in 100".to_owned(), vec![rate(measured.fnir_at_1)]),
                        ], None))
                    }
                }
            }
        },
    )
}

/// Every kind of entry, as the log has it.
pub(super) fn entries(report: &PublicReport) -> Markup {
    let words_of = |name: &str| {
        LeafKind::ALL.iter().find(|kind| kind.name() == name).map_or("", |kind| kind.gist())
    };
    let rows: Vec<_> = report
        .totals
        .kinds
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(name, &count)| {
            (words_of(name).to_owned(), vec![html! { code { (name) } }, text(number(count))])
        })
        .collect();
    let none = report.totals.kinds.values().filter(|count| **count == 0).count();
    section(
        "entries",
        "All entries of the period",
        html! {
            p {
                (number(report.totals.leaves)) " entries were written. " (none)
                    " kinds of entries have none in this period. "
                @if report.totals.unknown > 0 { (number(report.totals.unknown)) " are of kinds \
                    that the software that counted doesn\u{2019}t know." }
            }
            (table("Entries by kind", None, &["What it says", "Kind", "Entries"], &rows,
                Some(("All".to_owned(), vec![html! {}, text(number(report.totals.leaves))]))))
        },
    )
}

#[expect(clippy::cast_precision_loss, reason = "a place on a picture")]
fn share_of(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
