//! What a reader with a pencil can't find out: a solver that knows nothing but the published JSON
//! and the rule looks for each count that isn't shown, by all sums at once.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::cell::{Breakdown, Counts, Table};
use super::rules::agency_of;
use super::tables::{Searches, tables};

/// More than any count made up here.
const MOST: u64 = 1_000;

type Bounds = (u64, u64);

/// Counts by name with what is known of each, and sums: each count named first is the sum of the
/// others.
#[derive(Clone, Default)]
struct Puzzle {
    counts: BTreeMap<String, Bounds>,
    sums: Vec<(String, Vec<String>)>,
}

impl Puzzle {
    fn know(&mut self, name: &str, shown: &Value) {
        let bounds = match shown {
            Value::Number(count) => (count.as_u64().unwrap(), count.as_u64().unwrap()),
            Value::String(words) if words == "1 to 4" => (1, 4),
            Value::String(words) if words == "withheld" => (5, MOST),
            other => panic!("{other}"),
        };
        let known = self.counts.entry(name.to_owned()).or_insert(bounds);
        assert_eq!(*known, bounds, "{name} is shown in one way only");
    }

    /// Everything that a published table says; rows and columns are named by their kind.
    fn read(&mut self, table: &Table, row_kind: &str, column_kind: &str) {
        let json = serde_json::to_value(table).unwrap();
        if json["withheld"] == true {
            assert!(json["cells"].as_object().unwrap().is_empty());
            return;
        }
        let object = |value: &Value| value.as_object().unwrap().clone();
        let (mut rows, mut columns): (
            BTreeMap<String, Vec<String>>,
            BTreeMap<String, Vec<String>>,
        ) = Default::default();
        for (row, counts) in object(&json["cells"]) {
            for (column, shown) in object(&counts) {
                let name = format!("{row_kind}{row} {column_kind}{column}");
                self.know(&name, &shown);
                rows.entry(format!("{row_kind}{row}")).or_default().push(name.clone());
                columns.entry(format!("{column_kind}{column}")).or_default().push(name);
            }
        }
        for (kind, totals) in
            [(row_kind, &json["row_totals"]), (column_kind, &json["column_totals"])]
        {
            object(totals)
                .iter()
                .for_each(|(name, shown)| self.know(&format!("{kind}{name}"), shown));
        }
        self.sums.extend(rows);
        self.sums.extend(columns);
    }

    /// What the rules say, and what a reader of this module's source knows of them: which refuse
    /// before an agency is known.
    fn read_rules(&mut self, refused: &Breakdown, agencies: &Table) {
        if refused.withheld {
            return;
        }
        for (rule, cell) in &refused.parts {
            self.know(&format!("rule {rule}"), &serde_json::to_value(cell).unwrap());
        }
        let rules = |label: Option<&str>| {
            let of_label = refused.parts.keys().filter(|rule| agency_of(rule) == label);
            of_label.map(|rule| format!("rule {rule}")).collect::<Vec<_>>()
        };
        let all = ["not_listed", "not_stated"]
            .into_iter()
            .map(Some)
            .chain([None])
            .flat_map(rules)
            .collect();
        self.counts.insert("all rules".to_owned(), (refused.total, refused.total));
        self.sums.push(("all rules".to_owned(), all));
        let shown = |agency: &str| {
            agencies.cells.get(agency).is_some_and(|cells| cells.contains_key("refused"))
        };
        for label in ["not_listed", "not_stated"].into_iter().filter(|label| shown(label)) {
            self.sums.push((format!("agency {label} refused"), rules(Some(label))));
        }
    }

    /// Narrows all bounds until no sum narrows any more; none where they contradict each other.
    fn narrowed(mut self) -> Option<Self> {
        loop {
            let before = self.counts.clone();
            for (sum, parts) in &self.sums {
                let (least, most) = parts
                    .iter()
                    .map(|part| self.counts[part])
                    .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
                narrow(self.counts.get_mut(sum)?, least, most)?;
                let (sum_least, sum_most) = self.counts[sum];
                for part in parts {
                    let (part_least, part_most) = self.counts[part];
                    let (rest_least, rest_most) = (least - part_least, most - part_most);
                    // Narrowed one after the other, so others may have narrowed since; the rests
                    // stay safe bounds.
                    narrow(
                        self.counts.get_mut(part)?,
                        sum_least.saturating_sub(rest_most),
                        sum_most.checked_sub(rest_least)?,
                    )?;
                }
            }
            if self.counts == before {
                return Some(self);
            }
        }
    }

    /// Whether any counts fit everything.
    fn solvable(self) -> bool {
        let Some(narrowed) = self.narrowed() else { return false };
        let open = narrowed
            .counts
            .iter()
            .filter(|(_, (least, most))| least < most)
            .min_by_key(|(_, (least, most))| most - least);
        let Some((name, &(least, most))) = open else { return true };
        (least..=most).any(|value| {
            let mut guess = narrowed.clone();
            guess.counts.insert(name.clone(), (value, value));
            guess.solvable()
        })
    }

    /// Fails where a count that isn't shown has one value only that fits everything.
    fn gives_nothing_away(&self, truth: &BTreeMap<String, u64>) {
        let narrowed = self.clone().narrowed().expect("the truth fits");
        for (name, (least, most)) in &self.counts {
            if least == most {
                continue;
            }
            let found = narrowed.counts[name];
            assert!(found.0 < found.1, "{name} is {}", found.0);
            let value = truth[name];
            let another = [value + 1, value.saturating_sub(1)]
                .into_iter()
                .filter(|other| (found.0..=found.1).contains(other))
                .any(|other| {
                    let mut puzzle = self.clone();
                    puzzle.counts.insert(name.clone(), (other, other));
                    puzzle.solvable()
                });
            assert!(another, "{name} can only be {value}");
        }
    }
}

fn narrow(bounds: &mut Bounds, least: u64, most: u64) -> Option<()> {
    *bounds = (bounds.0.max(least), bounds.1.min(most));
    (bounds.0 <= bounds.1).then_some(())
}

const PURPOSES: [&str; 4] = ["p0", "p1", "p2", "p3"];
const OUTCOMES: [&str; 3] = ["o0", "o1", "refused"];
/// Rules that refuse searches of agencies, and those that do so before the agency is known; the
/// last says nothing of a search.
const RULES: [(&str, Option<&str>); 6] = [
    ("no-face", None),
    ("reason-hollow", None),
    ("several-faces", None),
    ("agency-not-listed", Some("not_listed")),
    ("untrained", Some("not_listed")),
    ("reason_not_kept", Some("not_stated")),
];

/// Searches by purpose, agency and outcome, and the refused ones by rule.
fn counted(searches: &[(u8, u8, u8, u8)]) -> (Searches, Counts) {
    let (mut counted, mut rules) = (Searches::new(), Counts::new());
    for &(p, a, o, rule) in searches {
        let outcome = OUTCOMES[usize::from(o)];
        let (mut purpose, mut agency) = (format!("p{p}"), format!("a{a}"));
        if outcome == "refused" {
            let (rule, label) = RULES[usize::from(rule)];
            *rules.entry(rule.to_owned()).or_default() += 1;
            agency = label.map_or(agency, str::to_owned);
            purpose = if label == Some("not_stated") { "not_stated".to_owned() } else { purpose };
        }
        *counted.entry((purpose, agency, outcome)).or_default() += 1;
    }
    (counted, rules)
}

/// What a reader doesn't know, of the outcomes that are shown.
fn truth(
    searches: &Searches,
    rules: &Counts,
    left_out: &BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    let mut truth: BTreeMap<String, u64> =
        rules.iter().map(|(rule, count)| (format!("rule {rule}"), *count)).collect();
    for ((p, a, o), count) in searches.iter().filter(|((.., o), _)| !left_out.contains_key(*o)) {
        let (purpose, agency) = (format!("purpose {p}"), format!("agency {a}"));
        for name in [
            format!("{purpose} {o}"),
            format!("{agency} {o}"),
            format!("{purpose} {agency}"),
            purpose,
            agency,
            (*o).to_owned(),
        ] {
            *truth.entry(name).or_insert(0) += count;
        }
    }
    truth
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_count_that_is_not_shown_follows_from_sums_over_those_that_are(
        // Crowded at the low numbers, so that small and large counts stand beside each other.
        searches in prop::collection::vec((0..16_u8, 0..16_u8, 0..9_u8, 0..16_u8), 0..160)
    ) {
        let low = |n: u8| match n { 0..9 => 0, 9..13 => 1, 13..15 => 2, _ => 3 };
        let rule = |n: u8| match n {
            0..5 => 0, 5..8 => 1, 8..10 => 2, 10..12 => 3, 12..14 => 4, _ => 5 };
        let searches: Vec<_> = searches.into_iter().map(|(p, a, o, r)|
            (low(p), low(a), o / 3, rule(r))).collect();
        let (searches, rules) = counted(&searches);
        let ([purposes, agencies, both], refused) = tables(&searches, &rules, &PURPOSES, &OUTCOMES);
        let mut puzzle = Puzzle::default();
        puzzle.read(&purposes, "purpose ", "");
        puzzle.read(&agencies, "agency ", "");
        puzzle.read(&both, "purpose ", "agency ");
        puzzle.read_rules(&refused, &agencies);
        puzzle.gives_nothing_away(&truth(&searches, &rules, &purposes.left_out));
    }

    #[test]
    fn no_part_of_a_whole_that_is_not_shown_follows_from_the_others(
        parts in prop::collection::vec(0..12_u64, 0..6)
    ) {
        let parts: Counts = parts.into_iter().enumerate().map(|(at, count)|
            (format!("n{at}"), count)).collect();
        let shown = Breakdown::of(&parts);
        let mut puzzle = Puzzle::default();
        puzzle.counts.insert("whole".to_owned(), (shown.total, shown.total));
        if !shown.withheld {
            let json = serde_json::to_value(&shown).unwrap();
            parts.keys().for_each(|name| puzzle.know(name, &json["parts"][name]));
            puzzle.sums.push(("whole".to_owned(), parts.keys().cloned().collect()));
        }
        puzzle.gives_nothing_away(&parts);
    }
}

#[test]
fn the_solver_finds_what_a_careless_table_gives_away() {
    let shown = |words: &str| serde_json::from_str::<Value>(words).unwrap();
    for (whole, parts) in [
        (12, ["9", "\"1 to 4\""]),
        (2, ["\"1 to 4\"", "\"1 to 4\""]),
        (6, ["\"1 to 4\"", "\"withheld\""]),
    ] {
        let mut puzzle = Puzzle::default();
        puzzle.counts.insert("whole".to_owned(), (whole, whole));
        ["a", "b"]
            .into_iter()
            .zip(parts)
            .for_each(|(name, words)| puzzle.know(name, &shown(words)));
        puzzle.sums.push(("whole".to_owned(), vec!["a".to_owned(), "b".to_owned()]));
        let narrowed = puzzle.narrowed().unwrap();
        assert!(
            narrowed.counts.values().all(|(least, most)| least == most),
            "{parts:?} of {whole}"
        );
    }
}

#[test]
fn small_counts_are_hidden_with_the_next_smallest_and_zero_and_large_ones_stay() {
    let parts: Counts = [("a", 40), ("b", 3), ("c", 0), ("d", 7), ("e", 90)]
        .map(|(name, count)| (name.to_owned(), count))
        .into();
    let json = serde_json::to_value(Breakdown::of(&parts)).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"total": 140, "withheld": false,
            "parts": {"a": 40, "b": "1 to 4", "c": 0, "d": "withheld", "e": 90}})
    );
    let few: Counts = [("a", 1), ("b", 0)].map(|(name, count)| (name.to_owned(), count)).into();
    let json = serde_json::to_value(Breakdown::of(&few)).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"total": 1, "withheld": true, "parts": {}}),
        "zero beside it would give it away"
    );
}

#[test]
fn outcomes_of_a_few_searches_are_left_out_so_that_the_tables_of_the_others_stay() {
    let mut searches: Vec<(u8, u8, u8, u8)> = (0..40).map(|n| (n % 2, n % 4 / 2, 0, 0)).collect();
    searches.extend([(3, 3, 1, 0), (3, 0, 1, 0)]);
    let (searches, rules) = counted(&searches);
    let ([purposes, agencies, both], _) = tables(&searches, &rules, &PURPOSES, &OUTCOMES);
    assert!(!purposes.withheld && !agencies.withheld && !both.withheld);
    assert_eq!(purposes.left_out, BTreeMap::from([("o1".to_owned(), 2)]));
    assert!(
        !agencies.cells.contains_key("a3"),
        "an agency that is named only for what is left out would tell of it"
    );
    assert_eq!(
        serde_json::to_value(&purposes.cells["p3"]).unwrap(),
        serde_json::json!({"o0": 0, "refused": 0})
    );
}

#[test]
fn a_years_report_shows_most_of_its_tables_and_narrows_no_hidden_count_to_one_value() {
    let report = super::sample::year().report(super::sample::year_2026(), |_| true);
    let opened = &report.opened;
    let mut puzzle = Puzzle::default();
    puzzle.read(&opened.inquiries.purposes, "purpose ", "");
    puzzle.read(&opened.inquiries.agencies, "agency ", "");
    puzzle.read(&opened.inquiries.purposes_by_agency, "purpose ", "agency ");
    puzzle.read_rules(&opened.refusals.kinds["search_refused"], &opened.inquiries.agencies);
    let hidden: Vec<String> = puzzle
        .counts
        .iter()
        .filter(|(_, (least, most))| least < most)
        .map(|(name, _)| name.clone())
        .collect();
    assert!(
        !hidden.is_empty() && 3 * hidden.len() < puzzle.counts.len(),
        "{} of {} are hidden",
        hidden.len(),
        puzzle.counts.len()
    );
    let narrowed = puzzle.narrowed().unwrap();
    for name in hidden {
        assert!(narrowed.counts[&name].0 < narrowed.counts[&name].1, "{name}");
    }
}
