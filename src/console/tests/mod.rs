//! What every page keeps, told over a made-up shift; and the pages as files, for eyes and for axe.

mod case;
mod pages;
mod people;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::embed::QualityVerdict;
use crate::inquiry::{Action, Event, NOTE, SPECIAL_ORDER};
use crate::roster::{Person, Role};
use crate::store::StateKind;
use case::{Case, NAMES, sheet, version};
use pages::{compared, pages};
use people::{NOW, operator, person, second};

/// Words that would make a lead more than it is.
const FORBIDDEN: [&str; 8] = [
    "match",
    "percent",
    "probability",
    "probable",
    "identified",
    "confidence",
    "suspect identified",
    "hit rate",
];

fn rendered() -> BTreeMap<&'static str, String> {
    pages(StateKind::Demo).into_iter().map(|(name, page)| (name, page.into_string())).collect()
}

/// A tag of a page with its attributes.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl Tag<'_> {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// The opening tags of a page. Attributes are written by `maud` alone: quoted, and escaped so that
/// no value holds a quote or an angle.
fn tags(page: &str) -> Vec<Tag<'_>> {
    let opening =
        page.split('<').skip(1).filter(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()));
    let tag = |part: &'_ str| -> Option<(usize, usize)> {
        Some((part.find([' ', '>'])?, part.find('>')?))
    };
    let read = |part| {
        let (name_end, end) = tag(part).expect("a tag ends");
        let mut rest = part[name_end..end].trim();
        let mut attributes = Vec::new();
        while !rest.is_empty() {
            let stop = rest.find(['=', ' ']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(stop);
            let (value, after) = match after.strip_prefix("=\"") {
                Some(quoted) => quoted.split_once('"').expect("a value ends"),
                None => ("", after),
            };
            attributes.push((name, value));
            rest = after.trim_start();
        }
        Tag { name: &part[..name_end], attributes }
    };
    opening.map(read).collect()
}

/// The text of a page as it is read, without its tags.
fn words_of(page: &str) -> String {
    page.split('<')
        .filter_map(|part| part.split_once('>'))
        .map(|(_, text)| text)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn every_page_says_what_its_state_folder_is_for() {
    for (state, mark) in
        [(StateKind::Demo, "DEMO: public photos"), (StateKind::Test, "TEST: a test system")]
    {
        for (name, page) in pages(state) {
            let page = page.into_string();
            // On the page, and again on the screen that hides it.
            let wanted = if page.contains("id=\"lock-screen\"") { 2 } else { 1 };
            assert_eq!(page.matches(mark).count(), wanted, "{name}");
            assert!(page.contains(&format!("<title>{}", &mark[..5])), "{name}");
        }
    }
}

#[test]
fn no_page_of_a_real_state_folder_speaks_of_demonstrations_or_tests() {
    for (name, page) in pages(StateKind::Real) {
        let page = page.into_string();
        assert!(
            !page.contains("DEMO") && !page.contains("TEST:") && page.contains("In service"),
            "{name}"
        );
    }
}

#[test]
fn no_page_holds_a_style_or_a_handler_of_its_own() {
    for (name, page) in rendered() {
        for tag in tags(&page) {
            assert_ne!(tag.name, "style", "{name}");
            for (attribute, value) in &tag.attributes {
                assert!(
                    *attribute != "style"
                        && !attribute.starts_with("on")
                        && !value.contains("javascript:"),
                    "{name}: {attribute}"
                );
            }
        }
    }
}

#[test]
fn every_script_of_a_page_is_a_file_of_our_own() {
    for (name, page) in rendered() {
        for tag in tags(&page).iter().filter(|tag| tag.name == "script") {
            let file = tag
                .attribute("src")
                .and_then(|src| src.strip_prefix("/console/assets/"))
                .expect("a script is a file");
            assert!(
                asset(file).is_some() && tag.attribute("type") == Some("module"),
                "{name}: {file}"
            );
        }
        let is_empty = |after: &str| {
            after.split_once('>').is_some_and(|(_, rest)| rest.starts_with("</script>"))
        };
        assert!(page.split("<script").skip(1).all(is_empty), "{name}");
    }
}

#[test]
fn no_page_asks_for_anything_from_elsewhere() {
    for (name, page) in rendered() {
        let tags = tags(&page);
        let asked = tags.iter().flat_map(|tag| &tag.attributes).filter(|(attribute, _)| {
            matches!(*attribute, "src" | "href" | "action" | "srcset" | "poster")
        });
        for (_, value) in asked {
            let ours = ["/console/", "/v1/", "#"].iter().any(|begin| value.starts_with(begin));
            assert!(ours, "{name}: {value}");
        }
    }
}

#[test]
fn the_policy_of_pages_allows_files_of_our_own_and_nothing_else() {
    assert!(
        CONTENT_SECURITY_POLICY
            .starts_with("default-src 'none'; script-src 'self'; style-src 'self'")
    );
    assert!(
        !CONTENT_SECURITY_POLICY.contains("unsafe")
            && !CONTENT_SECURITY_POLICY.contains('*')
            && !CONTENT_SECURITY_POLICY.contains("http")
    );
    assert_eq!(HEADERS[0], ("content-security-policy", CONTENT_SECURITY_POLICY));
    for name in assets() {
        let (kind, bytes) = asset(name).unwrap();
        let text = std::str::from_utf8(bytes).unwrap();
        assert!(kind.ends_with("charset=utf-8") && !text.is_empty(), "{name}");
        // No module reaches beyond its neighbours, and none makes code or markup of strings.
        for wrong in [
            "http://",
            "https://",
            "innerHTML",
            "eval(",
            "new Function",
            "document.write",
            "localStorage.setItem(\"smrt-desk",
        ] {
            assert!(
                name == "policy-5-27.txt"
                    || !text.replace("http://www.w3.org/2000/svg", "").contains(wrong),
                "{name}: {wrong}"
            );
        }
        for import in text.lines().filter(|line| line.starts_with("import ")) {
            let file = import.split('"').nth(1).and_then(|path| path.strip_prefix("./")).unwrap();
            assert!(asset(file).is_some(), "{name} imports {file}");
        }
    }
    assert!(asset("../mod.rs").is_none() && asset("").is_none());
}

#[test]
fn whoever_sees_candidates_sees_the_note() {
    let pages = rendered();
    for name in pages.keys().filter(|name| {
        name.starts_with("array") || name.starts_with("compare") || name.starts_with("report")
    }) {
        assert!(pages[name].contains(NOTE), "{name}");
    }
}

#[test]
fn every_report_warns_of_line_ups() {
    let pages = rendered();
    for name in ["report-ready", "report-issued", "report-closed"] {
        assert!(pages[name].contains("Do not build a line-up"), "{name}");
    }
}

#[test]
fn no_page_says_more_of_a_lead_than_that_it_is_one() {
    for (name, page) in rendered() {
        // What the order and its NOTE say is theirs.
        let own =
            page.replace(&maud::html! { (SPECIAL_ORDER) }.into_string(), "").replace(NOTE, "");
        let words = words_of(&own).to_lowercase();
        for wrong in FORBIDDEN {
            assert!(!words.contains(wrong), "{name}: {wrong}");
        }
        assert!(!words.contains('%'), "{name}");
    }
    for name in assets().filter(|name| name.ends_with(".js")) {
        let text = String::from_utf8_lossy(asset(name).unwrap().1).into_owned();
        let said =
            text.split(['"', '`']).skip(1).step_by(2).collect::<Vec<_>>().join(" ").to_lowercase();
        for wrong in ["percent", "probability", "identified"] {
            assert!(!said.contains(wrong), "{name}: {wrong}");
        }
    }
}

#[test]
fn ids_are_unique_and_whatever_points_at_one_finds_it() {
    for (name, page) in rendered() {
        let tags = tags(&page);
        let mut ids = BTreeSet::new();
        for id in tags.iter().filter_map(|tag| tag.attribute("id")) {
            assert!(ids.insert(id.to_owned()), "{name}: two of {id}");
        }
        for tag in &tags {
            for pointer in
                ["for", "aria-describedby", "aria-labelledby", "data-shows", "data-opens"]
            {
                for id in tag
                    .attribute(pointer)
                    .unwrap_or_default()
                    .split(' ')
                    .filter(|id| !id.is_empty())
                {
                    assert!(ids.contains(id), "{name}: {pointer}={id}");
                }
            }
            if let Some(id) = tag.attribute("href").and_then(|href| href.strip_prefix('#')) {
                assert!(ids.contains(id), "{name}: #{id}");
            }
        }
    }
}

#[test]
fn every_field_has_its_label() {
    for (name, page) in rendered() {
        let tags = tags(&page);
        let labelled: BTreeSet<&str> = tags
            .iter()
            .filter(|tag| tag.name == "label")
            .filter_map(|tag| tag.attribute("for"))
            .collect();
        for tag in &tags {
            let hidden = tag.attribute("type") == Some("hidden");
            if matches!(tag.name, "input" | "select" | "textarea") && !hidden {
                let named = tag.attribute("id").is_some_and(|id| labelled.contains(id))
                    || tag.attribute("aria-label").is_some();
                // The three dispositions lie in their labels.
                assert!(
                    named || tag.attribute("name") == Some("finding.disposition"),
                    "{name}: {:?}",
                    tag.attribute("name")
                );
            }
        }
    }
}

#[test]
fn every_picture_has_its_words() {
    for (name, page) in rendered() {
        for picture in tags(&page).iter().filter(|tag| tag.name == "img") {
            assert!(picture.attribute("alt").is_some(), "{name}");
        }
    }
}

#[test]
fn every_form_has_its_place_for_a_refusal() {
    for (name, page) in rendered() {
        for form in page.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            assert!(
                form.contains("class=\"refusal\"") && form.contains("tabindex=\"-1\""),
                "{name}: {}",
                &form[..80]
            );
        }
    }
}

#[test]
fn every_page_has_one_heading_one_main_part_and_a_way_past_the_links() {
    for (name, page) in rendered() {
        // The template of the lock screen is no part of the page until it takes its place.
        let page = page.split("<template").next().unwrap();
        assert_eq!((page.matches("<h1").count(), page.matches("<main").count()), (1, 1), "{name}");
        assert!(
            page.contains("lang=\"en\"") && page.contains("id=\"main\" tabindex=\"-1\""),
            "{name}"
        );
        assert!(!page.contains("<nav") || page.contains("class=\"skip\" href=\"#main\""), "{name}");
    }
}

#[test]
fn no_attestation_is_ticked_beforehand_and_no_purpose_chosen() {
    let page = pages(StateKind::Real)["request"].clone().into_string();
    let tags = tags(&page);
    let named = |prefix: &'static str| {
        tags.iter()
            .filter(move |tag| tag.attribute("name").is_some_and(|name| name.starts_with(prefix)))
    };
    assert_eq!(named("attestations.").count(), 3);
    for tag in named("attestations.").chain(named("purpose.kind")).chain(named("reference.kind")) {
        assert!(tag.attribute("checked").is_none() && tag.attribute("required").is_some());
    }
    assert_eq!(named("purpose.kind").count(), 7);
}

#[test]
fn the_first_examiner_sees_no_score_and_no_name_before_both_have_finished() {
    let begun = Case::first_review().disposed(&operator(), 3, &[0, 2]);
    let once = Case::first_review()
        .disposed(&operator(), 8, &[0, 2])
        .act(&operator(), Action::Finish { leaf: 40_140 });
    for case in [begun, once] {
        for rank in 0..8 {
            let (array, one) = compared(&case, operator(), rank, StateKind::Real);
            for page in [array.into_string(), one.into_string()] {
                assert!(!page.contains("0.731") && !page.contains("Score 0"));
                assert!(!page.contains("B-2025-") && !page.contains("Rank "));
                assert!(NAMES.iter().all(|name| !page.contains(name)));
            }
        }
    }
}

#[test]
fn the_second_examiner_sees_no_answer_and_no_score_until_both_have_finished() {
    let blind = Case::second_review().disposed(&second(), 2, &[]);
    for rank in 0..8 {
        let (array, one) = compared(&blind, second(), rank, StateKind::Real);
        for page in [array.into_string(), one.into_string()] {
            assert!(
                !page.contains("0.731")
                    && !page.contains("Score 0")
                    && !page.contains("B-2025-")
                    && !page.contains("Rank ")
            );
            assert!(
                !page.contains("First examiner")
                    && !page.contains("First: ")
                    && !page.contains("disagree")
            );
            // The first one's note.
            assert!(!page.contains("Left ear covered"));
            assert!(NAMES.iter().all(|name| !page.contains(name)));
        }
    }
    let (array, one) = compared(&Case::reviewed(), second(), 0, StateKind::Real);
    assert!(array.into_string().contains("The two examiners disagree on 1 candidate"));
    let one = one.into_string();
    assert!(one.contains("0.731") && one.contains(NAMES[0]) && one.contains("Rank 1 of 8"));
}

#[test]
fn candidates_under_review_stand_in_an_order_that_says_nothing_of_their_scores() {
    let order = |case: &Case, person: Person| {
        let (array, _) = compared(case, person, 0, StateKind::Real);
        let array = array.into_string();
        let links = array.split("/compare/").skip(1).map(|link| link[..32].to_owned());
        let mut met: Vec<String> = links.collect();
        met.dedup();
        met
    };
    let ranked: Vec<String> = (0..8).map(|rank| version(rank).to_string()).collect();
    assert_eq!(order(&Case::reviewed(), second()), ranked);
    let (first, second) =
        (order(&Case::first_review(), operator()), order(&Case::second_review(), second()));
    for met in [&first, &second] {
        assert_eq!(met.len(), 8);
        assert_ne!(*met, ranked);
    }
    assert_ne!(first, second, "each examiner meets another order");
}

#[test]
fn whoever_has_no_part_in_an_inquiry_finds_no_photo_of_it() {
    let stranger = person("o-lee", "Olive Lee", "DSN 90", "slmpd", Role::Operator);
    let (array, one) = compared(&Case::second_review(), stranger, 0, StateKind::Real);
    for page in [array.into_string(), one.into_string()] {
        assert!(
            !page.contains("/photo")
                && !page.contains("/probe?part")
                && !page.contains("0.731")
                && !page.contains("B-2025")
        );
    }
}

#[test]
fn a_released_candidate_is_shown_to_nobody_again() {
    let mut released = Case::reviewed();
    released.0.happen(NOW, Event::Released { version: version(6) }).unwrap();
    let (array, one) = compared(&released, operator(), 6, StateKind::Real);
    let (array, one) = (array.into_string(), one.into_string());
    let photo = format!("candidates/{}/photo", version(6));
    assert!(
        !array.contains(&photo)
            && !one.contains(&photo)
            && !one.contains(NAMES[6])
            && !array.contains("B-2025-11836")
    );
    assert!(array.contains("Released by its agency") && one.contains("Released by its agency"));
}

#[test]
fn each_person_is_offered_the_step_that_is_theirs() {
    let answered = Case::opened(7, "26-041860").probe(1).face().asked().answered(3);
    assert_eq!(NextStep::of(&answered.0, &operator()), Some(NextStep::ClaimFirst));
    assert_eq!(NextStep::of(&answered.0, &second()), Some(NextStep::ClaimFirst));
    let once = Case::first_review()
        .disposed(&operator(), 8, &[0])
        .act(&operator(), Action::Finish { leaf: 5 });
    assert_eq!(NextStep::of(&once.0, &operator()), None, "operator and first examiner");
    assert_eq!(NextStep::of(&once.0, &second()), Some(NextStep::ClaimSecond));
    let requester = person("a-ortiz", "Anna Ortiz", "dsn 4711", "slmpd", Role::Examiner);
    assert_eq!(NextStep::of(&answered.0, &requester), None, "the requester by badge");
    assert_eq!(NextStep::of(&once.0, &requester), None);
    assert_eq!(NextStep::of(&Case::reviewed().0, &requester), None);
    assert_eq!(NextStep::of(&Case::reviewed().0, &second()), Some(NextStep::Issue));
    assert_eq!(NextStep::of(&Case::issued().0, &second()), None);
    assert_eq!(NextStep::of(&Case::issued().0, &operator()), Some(NextStep::Outcome));
}

#[test]
fn a_role_finds_its_own_pages_and_nobody_elses() {
    let pages = rendered();
    for (name, finds, misses) in [
        ("work", "/console/inquiries/new", "/console/log\""),
        ("log", "/console/samples", "/console/inquiries/new"),
        ("decisions", "/console/roster", "/console/samples"),
        ("figures", "/console/grants", "/console/work"),
    ] {
        assert!(pages[name].contains(finds) && !pages[name].contains(misses), "{name}");
    }
    assert_eq!(
        Role::ALL.map(home),
        [
            "/console/work",
            "/console/work",
            "/console/work",
            "/console/decisions",
            "/console/grants",
            "/console/log"
        ]
    );
}

#[test]
fn nobody_is_offered_to_decide_on_an_account_of_their_own() {
    let pages = rendered();
    assert!(
        !pages["roster-administrator"].contains("/v1/people/t-lind/off")
            && pages["roster-administrator"].contains("/v1/people/m-weber/off")
    );
    assert!(
        !pages["grants-administrator"].contains("/approval")
            && pages["grants-commander"].contains("/approval")
    );
}

#[test]
fn a_kept_quality_sheet_says_what_was_measured_and_what_to_do_about_it() {
    let face = Case::opened(3, "26-041877").probe(1).face().0;
    let kept = QualityLine::of_record(face.choice().map(|choice| &choice.quality).unwrap());
    let measured: Vec<QualityLine> = sheet()
        .0
        .iter()
        .map(|reading| QualityLine {
            name: reading.measure.label().to_owned(),
            value: reading.value,
            unit: reading.measure.unit(),
            verdict: reading.verdict,
            blocks: reading.measure.blocks() && reading.verdict == QualityVerdict::Poor,
            advice: reading.advice(),
        })
        .collect();
    assert_eq!(kept, measured);
    assert!(
        kept[0].blocks && kept[0].advice.is_some_and(|advice| advice.contains("another image"))
    );
}

/// The pages as files below the build's folder, so that they can be opened, photographed and held
/// against axe.
#[test]
fn all_pages_are_written_where_they_can_be_looked_at() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/console-pages");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, page) in rendered() {
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
    assert!(folder.join("compare-second-open.html").is_file());
}
