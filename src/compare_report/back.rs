//! The last part of the report: disagreements, gallery and model, proofs, and how to check them.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::compose::{BODY, Composer, FIXED, Pairs, SMALL, STRONG};
use super::layout::{Column, MARGIN, MEASURE, Tag};
use super::report::{CompareReport, Proven};
use super::words::{halves, moment, share};
use crate::audit::leaf_hash;
use crate::error_rates::ErrorRates;
use crate::ids::Digest;
use crate::inquiry::{Ranked, SPECIAL_ORDER, SPECIAL_ORDER_VERSION};
use crate::wording::{capital, count, number};

/// Gallery, model and its error rates.
pub(super) fn search(composer: &mut Composer, report: &CompareReport<'_>) {
    let search = &report.supplement.search;
    composer.section("Gallery and model", 80.0);
    composer.pairs(&[
        ("Bookings compared", number(search.rows)),
        (
            "Gallery",
            format!("as of the log's first {}", count(report.answer.leaf, "entry", "entries")),
        ),
        ("Log", search.origin.clone()),
    ]);
    composer.open_pairs();
    let mut column = Column::new(MARGIN);
    composer.pair(&mut column, Pairs::WIDE.fixed(), "Root there", &STANDARD.encode(search.root));
    composer.pair(&mut column, Pairs::WIDE, "Model", &search.model_name);
    composer.pair(&mut column, Pairs::WIDE.fixed(), "Model's digest", &search.model.to_string());
    composer.close_pairs();
    composer.pages.run_on(column, None);
    composer.subheading("The model's error rates, as measured", 60.0);
    match &search.error_rates {
        Some(rates) => error_rates(composer, rates),
        None => composer.paragraph(
            "Nobody measured them on this appliance. Nothing is known about \
            how often this model errs.",
            STRONG,
        ),
    }
    composer.end_section();
}

fn error_rates(composer: &mut Composer, measured: &ErrorRates) {
    let text = format!(
        "Measured on {}: {} photos enrolled, {} probes of somebody enrolled, {} probes of somebody \
         not enrolled, {} photos without a usable face. Rates on \
         other photos differ, and on poor ones they are worse. A rate is a share of 1.",
        measured.data_set,
        number(measured.enrolled),
        number(measured.mated),
        number(measured.non_mated),
        number(measured.failed)
    );
    composer.paragraph(&text, BODY);
    composer.pages.gap(4.0);
    let found = |within: &str, rate| {
        vec![
            (format!("Person enrolled, and found {within}"), SMALL),
            (share(rate), SMALL),
            (String::new(), SMALL),
        ]
    };
    let missed = |of: &str, rate, threshold: Option<f64>| {
        let threshold =
            threshold.map_or_else(String::new, |threshold| format!("scores from {threshold:.3}"));
        vec![
            (
                format!(
                    "Person enrolled, and missed, where {of} of the others raises a false alarm"
                ),
                SMALL,
            ),
            (share(rate), SMALL),
            (threshold, SMALL),
        ]
    };
    composer.table(
        None,
        &[("What was measured", 330.0), ("Share of probes", 84.0), ("At", 90.0)],
        &[
            found("at rank 1", measured.rank1),
            found("among the first 10", measured.rank10),
            found("among the first 20", measured.rank20),
            found("among the first 50", measured.rank50),
            missed("one in ten", measured.fnir_at_10, measured.threshold_at_10),
            missed("one in twenty", measured.fnir_at_5, measured.threshold_at_5),
            missed("one in a hundred", measured.fnir_at_1, measured.threshold_at_1),
        ],
    );
}

/// The section on disagreements: candidates of which the examiners came to different dispositions.
pub(super) fn disagreements(composer: &mut Composer, report: &CompareReport<'_>) {
    composer.section("Disagreements", 40.0);
    let candidates = report.inquiry.candidates();
    let disputed: Vec<&Ranked> =
        candidates.iter().filter(|candidate| report.is_disputed(candidate)).collect();
    if disputed.is_empty() {
        composer.paragraph(
            "None. Neither examiner saw the other's dispositions before giving their own.",
            BODY,
        );
    } else {
        let text = "Neither examiner saw the other's dispositions before giving their own. A photo \
            on which they differ is no lead.";
        composer.paragraph(text, BODY);
        composer.pages.gap(4.0);
        let row = |candidate: &&Ranked| {
            [
                candidate.rank.to_string(),
                capital(report.first.disposition(candidate)),
                capital(report.second.disposition(candidate)),
            ]
            .map(|text| (text, SMALL))
            .to_vec()
        };
        let rows: Vec<_> = disputed.iter().map(row).collect();
        composer.table(
            None,
            &[("Rank", 60.0), ("First examiner", 222.0), ("Second examiner", 222.0)],
            &rows,
        );
    }
    composer.end_section();
}

/// The proofs, and how the report is checked.
pub(super) fn proofs(composer: &mut Composer, report: &CompareReport<'_>) {
    composer.section("Proofs", 120.0);
    composer.paragraph(
        "Each step of this inquiry stands in an append-only log whose checkpoints outsiders keep \
         and cosign. The entries below are proven by the hashes \
         behind them: from the entry's own hash up to the root of the checkpoint (RFC 6962).",
        BODY,
    );
    composer.pages.gap(4.0);
    let row = |Proven { what, proven }: &Proven<'_>| {
        let hash = STANDARD.encode(leaf_hash(&proven.leaf.to_bytes()));
        vec![
            (capital(what), SMALL),
            (number(proven.proof.index), SMALL),
            (moment(proven.leaf.time), SMALL),
            (hash, FIXED),
        ]
    };
    let rows: Vec<_> = report.proofs.iter().map(row).collect();
    composer.table(
        None,
        &[("Bookmark", 136.0), ("Index", 50.0), ("Time", 122.0), ("Hash", 196.0)],
        &rows,
    );
    let mut shown: Vec<&str> = Vec::new();
    for Proven { proven, .. } in &report.proofs {
        if !shown.contains(&proven.proof.checkpoint.as_str()) {
            shown.push(&proven.proof.checkpoint);
            composer.subheading("Checkpoint with its signatures", 50.0);
            code(composer, &proven.proof.checkpoint);
        }
    }
    for Proven { proven, .. } in &report.proofs {
        composer
            .subheading(&format!("From entry {} to the root", number(proven.proof.index)), 20.0);
        let path: Vec<String> =
            proven.proof.path.iter().map(|hash| STANDARD.encode(hash)).collect();
        code(
            composer,
            &if path.is_empty() { "(the entry is the root)".to_owned() } else { path.join("  ") },
        );
    }
    composer.subheading("How to check this report", 60.0);
    composer.paragraph(
        "The log's entry 'report issued' holds the digest of this file. Its proof goes along as a \
         second file of the same name with .tlog-proof behind \
         it. Whoever has both, and has the keys of the log and its witnesses from somebody whom \
         they trust, verifies offline that not one byte was changed:",
        BODY,
    );
    composer.pages.gap(2.0);
    code(composer, "smrtctl report verify NAME.pdf --keys KEYS");
    composer.pages.gap(2.0);
    composer.paragraph("A print can't be verified so; ask the issuer for the file.", BODY);
    composer.pages.gap(4.0);
    let policy = Digest::of(SPECIAL_ORDER.as_bytes());
    composer.pairs(&[
        ("Made by", report.supplement.software.clone()),
        ("Policy in force", SPECIAL_ORDER_VERSION.to_owned()),
        ("Its SHA-256", halves(policy)),
        (
            "State",
            report.supplement.state.mark().map_or_else(
                || report.supplement.state.words().to_owned(),
                |mark| format!("{mark}: not police data, not for casework"),
            ),
        ),
    ]);
    composer.paragraph(
        "Photos are shown in their own proportions; large ones are made smaller by averaging, none \
         is sharpened. Digests are of the files as received.",
        BODY,
    );
    composer.end_section();
}

/// Lines of a fixed typeface, as they are.
fn code(composer: &mut Composer, text: &str) {
    let role = composer.tags.leaf(Tag::Code);
    let mut column = Column::new(MARGIN);
    column.text(&composer.fonts, text, FIXED, MEASURE, role);
    composer.pages.run_on(column, None);
}
