//! The page of the public report: one HTML file without a script and with nothing from elsewhere,
//! readable on paper, in the dark, on a phone and aloud.

use maud::{DOCTYPE, Markup, html};

use super::parts::{part, raw};
use super::report::PublicReport;
use super::sections;
use super::times::{minute, span};
use crate::ids::Digest;
use crate::inquiry::NOTE;
use crate::wording::number;

const STYLE: &str = include_str!("page.css");
/// The page asks for nothing, and may not.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The imprint: what the page says beside the figures.
#[derive(Clone, Debug, Default)]
pub struct Imprint {
    /// Who publishes it.
    pub publisher: Option<String>,
    /// Where to ask about it.
    pub contact: Option<String>,
    /// The leaf that holds the digest of the report's JSON.
    pub leaf: Option<u64>,
    /// The name of the JSON's file, which lies beside the page.
    pub json_name: Option<String>,
}

/// The page.
pub fn page(report: &PublicReport, imprint: &Imprint) -> String {
    let last = report.period.to().previous_day().unwrap_or(report.period.to());
    let title = format!("Mugshot comparison: public report, {} to {last}", report.period.from());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (raw(STYLE)) }
            }
            body {
                a.skip href="#figures" { "To the figures" }
                (head(report, imprint, &last.to_string()))
                main id="figures" {
                    (glance(report))
                    (sections::inquiries(report))
                    (sections::refusals(report))
                    (sections::reviews(report))
                    (sections::bookings(report))
                    (sections::audits(report))
                    (sections::alarms(report))
                    (sections::witnesses(report))
                    (sections::gallery(report))
                    (check(report, imprint))
                    (sections::entries(report))
                }
                footer {
                    p.quiet { "Made by SMRT from the log " code { (report.log.origin) }
                        ", " (number(report.log.leaves))
                        " entries. The page is one file: it loads nothing, runs nothing and says \
                         nothing of its readers." }
                }
            }
        }
    };
    page.into_string()
}

fn head(report: &PublicReport, imprint: &Imprint, last: &str) -> Markup {
    const PLACES: [(&str, &str); 11] = [
        ("glance", "At a glance"),
        ("inquiries", "Inquiries"),
        ("refusals", "Refusals"),
        ("reviews", "Reviews and reports"),
        ("bookings", "Bookings and purges"),
        ("audits", "Audits"),
        ("alarms", "Alarms"),
        ("witnesses", "Witnesses"),
        ("gallery", "Gallery and model"),
        ("check", "Check this report"),
        ("entries", "All entries"),
    ];
    let until = report
        .log
        .newest
        .as_deref()
        .filter(|newest| newest.get(..10).is_some_and(|day| day < last));
    html! {
        header {
            p.over { @if let Some(publisher) = &imprint.publisher { (publisher) }
                @else { "Real Time Crime Center" } }
            h1 { "Mugshot comparison: public report" }
            p.lede {
                time datetime=(report.period.from()) { (report.period.from()) }
                    " to " time datetime=(last) { (last) } ", days in UTC"
            }
            @match report.opened.site.state.as_deref() {
                Some("real") => {}
                Some("demo") => p.state { "DEMO. These figures come from a demonstration on public \
                    photos: no police data, no casework." }
                Some("test") => p.state { "TEST. These figures come from a test system: no police \
                    data, no casework." }
                _ => p.state { "It could not be told whether these figures come from a real system \
                    or from a test." }
            }
            p {
                "Police agencies of the region ask the Real Time Crime Center which booking photos \
                 look similar to a photo in a case. "
                "What comes back are " strong { "leads, never identifications" } ": two people \
                 must compare every candidate by eye, the second without knowing what the first \
                 found, and nobody learns a candidate\u{2019}s name before both have. "
                "This page says how often that was done, for what, what was refused, what became \
                 of the data, and how well the system was watched. "
                "The commander of the Real Time Crime Center is responsible for it and publishes \
                 it under the special order on mugshot comparison."
            }
            blockquote { p { (NOTE) } }
            @if let Some(until) = until {
                p { strong { "The newest entry of the log is of " (minute(until)) "." }
                    " Days after that have no figures yet." }
            }
            nav aria-label="Sections"
                { ul { @for (place, name) in PLACES { li { a href={ "#" (place) } { (name) } } } } }
        }
    }
}

fn tile(name: &str, figure: String, more: &str) -> Markup {
    html! { div { dt { (name) } dd.big { (figure) } dd.small { (more) } } }
}

fn glance(report: &PublicReport) -> Markup {
    let totals = &report.totals;
    let (reviews, purges) = (&totals.reviews, &totals.purges);
    let disagreed = part(&report.opened.results.compared, "disagreed");
    let standing: u64 = totals.alarms.kinds.values().map(|count| count.standing).sum();
    let raised: u64 = totals.alarms.kinds.values().map(|count| count.raised).sum();
    let longest = purges
        .longest_seconds
        .map_or("none yet".to_owned(), |seconds| format!("longest {}", span(seconds)));
    html! {
        section aria-labelledby="glance" {
            h2 id="glance" { "At a glance" }
            dl.tiles {
                (tile("Searches answered", number(totals.inquiries.answered),
                    &format!("of {} asked for", number(totals.inquiries.asked))))
                (tile("Searches refused", number(totals.inquiries.refused),
                    "before anything was compared"))
                (tile("Candidates shown", number(totals.inquiries.candidates),
                    &format!("{} answers without any", number(totals.inquiries.empty_answers))))
                (tile("Examiners disagreed", disagreed,
                    &format!("of {} candidates seen by two", number(reviews.candidates_second))))
                (tile("Reports issued", number(totals.reports.issued),
                    &format!("{} without any lead",
                    part(&report.opened.results.reports, "without_lead"))))
                (tile("Outcomes still open", number(totals.reports.open),
                    "reports of which nobody has said yet what came of them"))
                (tile("Notices of release", number(purges.notices),
                    &format!("purged: {}; {longest}",
                    number(purges.purged - purges.replaced.min(purges.purged)))))
                (tile("Purges over ten days", number(purges.over_limit),
                    &format!("and {} notices still open for longer",
                    number(purges.open_over_limit))))
                (tile("Audited searches", number(totals.audits.reviewed),
                    &format!("{} drawn, {} waiting", number(totals.audits.drawn),
                    number(totals.audits.waiting))))
                (tile("Alarms", number(raised),
                    &format!("{} standing at the end", number(standing))))
                @match &report.witnesses {
                    Some(witnesses) => (tile("Entries witnessed late",
                        number(witnesses.late + witnesses.overdue),
                        &format!("of {} in the period", number(totals.leaves))))
                    None => (tile("Entries in the log", number(totals.leaves),
                        "no cosignatures were at hand"))
                }
                (tile("Bookings that can be found", number(totals.gallery.standing),
                    "came in and were not released"))
            }
        }
    }
}

/// The section on checking: what the figures are, what they aren't, and how to count them again.
fn check(report: &PublicReport, imprint: &Imprint) -> Markup {
    let json = imprint.json_name.as_deref().unwrap_or("report.json");
    let sha256 = Digest::of(&report.to_bytes());
    let command = format!("smrtctl report public --verify LOG {json}");
    html! {
        section aria-labelledby="check" {
            h2 id="check" { "Check this report" }
            p {
                "Each search, booking, release, purge, review, report and audit leaves an entry in \
                 a log that nobody can quietly rewrite: each checkpoint fixes every entry before \
                 it, "
                "the log\u{2019}s key signs each checkpoint, and witnesses outside keep and cosign \
                 them. The figures here are counts over that log and nothing else."
            }
            dl.facts {
                dt { "Log" } dd { code { (report.log.origin) } }
                dt { "Entries counted over" } dd { (number(report.log.leaves)) }
                dt { "Root hash over them" } dd { code { (report.log.root) } }
                @if let Some(newest) = &report.log.newest {
                    dt { "Newest entry" } dd { (minute(newest)) " UTC" } }
                dt { "SHA-256 of the figures" } dd { code { (sha256) } }
                @if let Some(leaf) = imprint.leaf {
                    dt { "Held by the log in entry" } dd { (number(leaf)) } }
                dt { "The same figures as data" } dd { a href=(json) { (json) } }
                @if let Some(contact) = &imprint.contact { dt { "Questions" } dd { (contact) } }
            }
            h3 { "Count it again" }
            p { "Take a copy of the log, from the site or from any of its witnesses, put it into a \
                folder, and run, without any network:" }
            pre tabindex="0" { code { (command) } }
            p {
                "It counts every figure again that the log alone gives: all numbers \
                 under \u{201c}totals\u{201d} in the data, and those of the witnesses. "
                "Who also holds the log\u{2019}s opened details, as auditors do, puts them into \
                 the same folder; then the same command counts everything else too, the hidden \
                 counts included. "
                "It says which figures agree, which it could not count, and names each one that \
                 comes out otherwise."
            }
            h3 { "What is not shown, and why" }
            p {
                "Counts that anybody can make from the public log stand here as they are. Counts \
                 by purpose, agency or rule need sealed details, so they follow a rule: "
                "a count from 1 to " (report.count_min - 1)
                    " is shown as \u{201c}1 to " (report.count_min - 1)
                    "\u{201d}, so that nobody can be singled out; zero is shown as zero; "
                "and where a small count could be worked out by subtracting others from a sum, the \
                 next smallest count, or a sum, is \u{201c}withheld\u{201d} as well. "
                "A table that can\u{2019}t be protected so is left out."
            }
            h3 { "What the figures don\u{2019}t say" }
            ul {
                li { "A search is counted by when it was asked for, a purge by when it was done, \
                    and what was open by the end of the last day." }
                li { "A lead says nothing about guilt, and no figure here says how many leads \
                    were right: that is decided outside the system." }
                li { "Software doesn\u{2019}t see a false reason that is typed well, a photo taken \
                    of a screen, or what is done with a lead later." }
                li { "\u{201c}Ten days\u{201d} is the time within which a booking must be gone \
                    after its agency\u{2019}s notice; it is out of every search from the moment of \
                    the notice. The purge runs by itself within two days." }
                li { "Agencies stand under the short names that the site\u{2019}s list has for \
                    them." }
                li { "The page names no person, no device, no booking and no case." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::error_rates::ErrorRates;
    use crate::public_report::sample::{MODEL, SampleLog, year, year_2026};

    fn imprint() -> Imprint {
        Imprint {
            publisher: Some("Real Time Crime Center, Example City".to_owned()),
            contact: Some("rtcc@example.org".to_owned()),
            leaf: Some(16_004),
            json_name: Some("2026.json".to_owned()),
        }
    }

    fn measured() -> ErrorRates {
        let json = format!(
            r#"{{"data_set": "1,000 public photos of well-known people", "model": "{MODEL}", "enrolled": 506, "mated": 250, "non_mated": 244, "failed": 0,
            "rank1": 0.976, "rank10": 0.984, "rank20": 0.988, "rank50": null, "fnir_at_fpir_0.1": 0.028, "fnir_at_fpir_0.05": 0.032,
            "fnir_at_fpir_0.01": 0.04, "threshold_at_fpir_0.1": 0.3, "threshold_at_fpir_0.05": 0.3, "threshold_at_fpir_0.01": 0.4}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    /// What stands between two texts, each time.
    fn between<'t>(text: &'t str, begin: &'t str, end: &'t str) -> impl Iterator<Item = &'t str> {
        text.split(begin).skip(1).map(move |rest| rest.split(end).next().unwrap())
    }

    #[test]
    fn a_years_page_names_nobody_loads_nothing_and_can_be_read_aloud() {
        let mut report = year().witnessed_report(year_2026());
        report.add(measured()).unwrap();
        let page = page(&report, &imprint());
        // For eyes: SMRT_REPORT_PAGES=DIR keeps the page and its JSON there.
        if let Some(folder) = std::env::var_os("SMRT_REPORT_PAGES") {
            let folder = std::path::Path::new(&folder);
            std::fs::write(folder.join("2026.html"), &page).unwrap();
            std::fs::write(folder.join("2026.json"), report.to_json()).unwrap();
        }
        for absent in [
            "<script",
            "http:",
            "https:",
            " src=",
            "url(http",
            "@import",
            "NaN",
            "smrt:device",
            "Ortiz",
            "Grand and Gravois",
            "004711",
        ] {
            assert!(!page.contains(absent), "{absent}");
        }
        for present in [
            "lang=\"en\"",
            NOTE,
            "leads, never identifications",
            "TEST.",
            "1 to 4",
            "10-day limit",
            "smrtctl report public --verify LOG 2026.json",
        ] {
            assert!(page.contains(present), "{present}");
        }
        assert_eq!(page.matches("<table").count(), page.matches("<caption").count());
        assert!(
            between(&page, "<th", ">")
                .all(|head| head.starts_with("ead") || head.contains("scope="))
        );
        assert_eq!(page.matches("<svg").count(), 4);
        assert!(
            between(&page, "<svg", ">")
                .all(|svg| svg.contains("role=\"img\"") && svg.contains("aria-labelledby"))
        );
        let levels: Vec<u8> = between(&page, "<h", ">")
            .filter_map(|head| head.chars().next()?.to_digit(10))
            .map(|n| u8::try_from(n).unwrap())
            .collect();
        assert!(
            levels[0] == 1 && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1 && pair[1] > 1),
            "{levels:?}"
        );
        let mut ids: Vec<&str> = between(&page, " id=\"", "\"").collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
        assert!(between(&page, "href=\"#", "\"").all(|id| ids.binary_search(&id).is_ok()));
    }

    /// The sentences of the page's running text, each once, its figures written as N.
    fn sentences(page: &str) -> BTreeSet<String> {
        let paragraphs = between(page, "<p", "</p>").filter(|rest| rest.starts_with([' ', '>']));
        let items = between(page.split("</nav>").nth(1).unwrap(), "<li", "</li>");
        let texts = paragraphs.chain(items).map(|rest| rest.split_once('>').unwrap().1);
        let sentences = texts.flat_map(|text| {
            let (mut plain, mut within_tag) = (String::new(), false);
            for c in text.chars() {
                match c {
                    '<' | '>' => within_tag = c == '<',
                    _ if within_tag => {}
                    ',' if plain.ends_with('N') => {}
                    '0'..='9' if plain.ends_with('N') => {}
                    '0'..='9' => plain.push('N'),
                    _ => plain.push(c),
                }
            }
            plain.split_inclusive(". ").map(|one| one.trim().to_owned()).collect::<Vec<_>>()
        });
        sentences.collect()
    }

    #[test]
    fn each_sentence_on_the_page_has_what_holds_it() {
        let claims = include_str!("CLAIMS.md");
        let rows: Vec<Vec<&str>> = claims
            .lines()
            .filter_map(|line| line.strip_prefix("| "))
            .map(|row| row.trim_end_matches(" |").split(" | ").collect())
            .collect();
        let mut report = year().witnessed_report(year_2026());
        report.add(measured()).unwrap();
        let whole = page(&report, &imprint());
        let bare = page(&year().report(year_2026(), |_| false), &Imprint::default());
        let empty = page(&SampleLog::default().report(year_2026(), |_| true), &Imprint::default());
        // What hardly ever stands there.
        report.opened.site.state = Some("demo".to_owned());
        report.log.newest = Some("2026-03-04T05:06:07Z".to_owned());
        (report.totals.alarms.more, report.totals.unknown) = (1, 1);
        report.witnesses.as_mut().unwrap().contradicting = 1;
        let odd = page(&report, &imprint());
        let said: BTreeSet<String> =
            [whole, bare, empty, odd].iter().flat_map(|page| sentences(page)).collect();
        let unheld: Vec<&String> = said
            .iter()
            .filter(|said| said.ends_with(['.', ':']))
            .filter(|said| !rows.iter().any(|row| row[0] == said.as_str()))
            .collect();
        assert!(unheld.is_empty(), "CLAIMS.md lacks:\n{unheld:#?}");
        let unsaid: Vec<&&str> = rows
            .iter()
            .map(|row| &row[0])
            .filter(|row| **row != "sentence" && !said.contains(**row))
            .collect();
        assert!(unsaid.is_empty(), "no page says:\n{unsaid:#?}");
        assert!(rows.iter().skip(1).all(|row| row[1].contains('`') || row[1] == "a limit"));
    }

    #[test]
    fn an_empty_logs_page_and_one_of_few_searches_are_pages_too() {
        let nothing =
            page(&SampleLog::default().report(year_2026(), |_| true), &Imprint::default());
        assert!(nothing.contains("could not be told") && nothing.contains("No cosignatures"));
        let mut log = SampleLog::from(year_2026().from());
        let asked = log.asked("terrorism", "slmpd");
        log.answered(asked, 3);
        let few = page(
            &log.report(year_2026(), |_| true),
            &Imprint { publisher: Some("<b>&".to_owned()), ..Imprint::default() },
        );
        assert!(
            few.contains("without singling somebody out")
                && few.contains("&lt;b&gt;&amp;")
                && !few.contains("slmpd")
        );
    }

    #[test]
    fn rates_of_another_model_are_refused() {
        let mut report = year().report(year_2026(), |_| true);
        let other = ErrorRates { model: "00".to_owned(), ..measured() };
        assert!(matches!(
            report.add(other),
            Err(crate::public_report::PublicReportError::OtherModel { .. })
        ));
        let before = report.to_bytes();
        report.add(measured()).unwrap();
        assert_eq!(report.to_bytes(), before, "what the log commits to is without them");
        let read: crate::public_report::PublicReport =
            serde_json::from_slice(&report.to_json()).unwrap();
        assert_eq!(read, report);
    }
}
