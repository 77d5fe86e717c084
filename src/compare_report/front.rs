//! The first part of the report: title, outcome, request, people, course and probe.

use super::compose::{BODY, Composer, FIXED, LABEL, Pairs, SMALL, SMALL_LABEL, STRONG, TITLE};
use super::error::CompareReportError;
use super::fonts::{Color, Style};
use super::header_footer::{NO_LINE_UP, TITLE_TEXT};
use super::layout::{Block, Column, Draw, GUTTER, Item, MARGIN, MEASURE, Tag};
use super::qr;
use super::report::{CompareReport, Proven, Reviewed};
use super::words::{decimal, halves, moment, purpose, ranks, reference};
use crate::calendar::Time;
use crate::ids::Digest;
use crate::inquiry::{Attestations, Evidence, Measure, NOTE, Ranked};
use crate::wording::{capital, count, number};

const CODE_SIDE: f32 = 66.0;
const NOTE_STYLE: Style = Style { size: 10.0, leading: 14.0, ..BODY };
const NOTE_STRONG: Style = Style { size: 10.0, leading: 14.0, ..STRONG };
/// Two probes beside each other.
const PROBE_WIDTH: f32 = (MEASURE - GUTTER) / 2.0;
const PROBE_HEIGHT: f32 = 226.0;

/// Title, notice, outcome, request, people, course.
pub(super) fn front(composer: &mut Composer, report: &CompareReport<'_>) {
    title(composer, report);
    composer.pages.gap(14.0);
    composer.notice(&[(NOTE, NOTE_STYLE), (NO_LINE_UP, NOTE_STRONG)]);
    if !report.inquiry.evidence().is_empty() {
        evidence(composer, report);
    }
    composer.section("Outcome", 30.0);
    for (text, style) in outcome(report) {
        composer.paragraph(&text, style);
    }
    composer.end_section();
    let request = report.inquiry.request();
    let (reference_kind, number) = reference(&request.reference);
    let attested =
        Attestations::STATEMENTS.map(|(_, statement)| format!("{}.", capital(statement)));
    composer.section("Request", 60.0);
    composer.pairs(&[
        (reference_kind, number.to_owned()),
        ("Purpose", purpose(&request.purpose)),
        ("Reason", request.reason.trim().to_owned()),
        ("Source of the probe", request.probe_source.as_str().to_owned()),
        ("Attested", attested.join("\n")),
    ]);
    composer.end_section();
    people(composer, report);
    course(composer, report);
}

fn people(composer: &mut Composer, report: &CompareReport<'_>) {
    let requester = &report.inquiry.request().requester;
    composer.section("People", 60.0);
    composer.pairs(&[
        (
            "Requester",
            format!(
                "{}, badge {}, {}",
                requester.name.as_str(),
                requester.badge.as_str(),
                report.agency(&requester.agency)
            ),
        ),
        ("Operator", report.person(report.inquiry.operator())),
        ("First examiner", report.person(&report.first.review.examiner)),
        (
            "Second examiner",
            format!(
                "{}; saw neither the score nor the first examiner's answers",
                report.person(&report.second.review.examiner)
            ),
        ),
    ]);
    composer.end_section();
}

/// The section on the inquiry's course: each step with its time and its leaf.
fn course(composer: &mut Composer, report: &CompareReport<'_>) {
    let step = |at: Time, leaf: u64| format!("{}, log entry {}", moment(at), number(leaf));
    let reviewed = |reviewed: Reviewed<'_>| step(reviewed.finished, reviewed.leaf);
    let (search, answer) = (report.search, report.answer);
    composer.section("Course", 60.0);
    composer.pairs(&[
        ("Inquiry opened", step(report.inquiry.opened(), report.supplement.opened_leaf)),
        ("Search approved by touch", step(search.at_cs, search.leaf)),
        ("Search answered", step(answer.at_cs, answer.leaf)),
        ("First review finished", reviewed(report.first)),
        ("Second review finished", reviewed(report.second)),
        ("Report issued", moment(report.supplement.issued)),
    ]);
    composer.end_section();
}

fn title(composer: &mut Composer, report: &CompareReport<'_>) {
    let width = MEASURE - CODE_SIDE - 24.0;
    let role = composer.tags.leaf(Tag::Heading(1, TITLE_TEXT.to_owned()));
    let mut left = Column::new(MARGIN);
    left.text(&composer.fonts, "Facial Recognition\nImage Compare Report", TITLE, width, role);
    left.gap(6.0);
    let lines = [
        (report.supplement.issuer.clone(), STRONG),
        (format!("Inquiry {}", report.inquiry.id()), BODY),
        (format!("Issued {}", moment(report.supplement.issued)), LABEL),
    ];
    for (text, style) in lines {
        let role = composer.tags.leaf(Tag::Paragraph);
        left.text(&composer.fonts, &text, style, width, role);
    }
    let mut columns = vec![left];
    // The newest leaf says most: whoever has it proven has the ones before it.
    let newest = report.proofs.iter().max_by_key(|proof| proof.proven.proof.index);
    if let Some((Proven { proven, .. }, said)) =
        newest.and_then(|proof| Some((proof, qr::said(proof.proven)?)))
        && let Some(code) = qr::code(&said, CODE_SIDE)
    {
        let role = composer.tags.leaf(Tag::Figure(format!("QR code that reads: {said}")));
        let x = MARGIN + MEASURE - CODE_SIDE;
        let items = vec![Item { x: 0.0, y: qr::QUIET, draw: code, role }];
        let mut right = Column {
            x,
            blocks: vec![Block { height: CODE_SIDE + 2.0 * qr::QUIET, items, keep: true }],
        };
        let role = composer.tags.leaf(Tag::Paragraph);
        right.text(
            &composer.fonts,
            &format!("log entry {}", number(proven.proof.index)),
            SMALL_LABEL,
            CODE_SIDE,
            role,
        );
        columns.push(right);
    }
    composer.pages.flow(columns);
}

/// The outcome in one paragraph or two.
fn outcome(report: &CompareReport<'_>) -> Vec<(String, Style)> {
    let candidates = report.inquiry.candidates();
    let those = |which: &dyn Fn(&Ranked) -> bool| -> Vec<&Ranked> {
        candidates.iter().filter(|candidate| which(candidate)).collect()
    };
    let leads = those(&|candidate| report.is_lead(candidate));
    let disputed = those(&|candidate| report.is_disputed(candidate));
    let released = those(&|candidate| report.booking(candidate).is_none());
    let searched = match report.supplement.search.rows {
        1 => "1 booking was compared.".to_owned(),
        rows => format!("{} bookings were compared.", number(rows)),
    };
    let mut lines = match (candidates.len(), leads.len()) {
        (0, _) => vec![
            ("No candidate.".to_owned(), STRONG),
            (
                format!(
                    "{searched} The search returned no candidate. That says nothing about whether \
                     the person was ever booked."
                ),
                BODY,
            ),
        ],
        (returned, 0) => vec![
            ("No lead.".to_owned(), STRONG),
            (
                format!(
                    "{searched} The search returned {}. The two examiners agreed on none of them \
                     as a lead.",
                    count(returned as u64, "candidate", "candidates")
                ),
                BODY,
            ),
        ],
        (returned, some) => vec![
            (format!("{}: {}.", count(some as u64, "lead", "leads"), ranks(&leads)), STRONG),
            (
                format!(
                    "{searched} The search returned {}, all of which stand below in the order of \
                     their ranks. A lead is a photo that both examiners, each for themselves, left \
                     in.",
                    count(returned as u64, "candidate", "candidates")
                ),
                BODY,
            ),
        ],
    };
    if !disputed.is_empty() {
        lines.push((
            format!(
                "The examiners came to different dispositions on {}: {}.",
                count(disputed.len() as u64, "candidate", "candidates"),
                ranks(&disputed)
            ),
            BODY,
        ));
    }
    if !released.is_empty() {
        let ranks = ranks(&released);
        lines.push((
            format!("Released by the agency that booked them, and so not shown: {ranks}."),
            BODY,
        ));
    }
    lines
}

/// The mark of a report that is evidence, and the chain of those who received it (SO-C5).
fn evidence(composer: &mut Composer, report: &CompareReport<'_>) {
    let chain = report.inquiry.evidence();
    composer.section("Evidence", 80.0);
    composer.paragraph(
        "This report was used to make a positive identification. It is seized as evidence and \
         handled as Department policy says; whoever hands it on adds a line.",
        STRONG,
    );
    composer.pages.gap(4.0);
    let leads_number = report.inquiry.leads_number();
    composer.pairs(&[
        ("Evidence number", "_".repeat(30)),
        ("I/Leads report", leads_number.map_or("not given", |number| number.as_str()).to_owned()),
        (
            "Marked by",
            chain.first().map_or_else(String::new, |first| {
                format!("{}, {}", report.person(&first.by), moment(first.at_cs))
            }),
        ),
    ]);
    composer.pages.gap(4.0);
    let row = |Evidence { handover, at_cs, .. }: &Evidence| {
        [moment(*at_cs), handover.received_by.to_string(), handover.of.to_string()]
            .map(|text| (text, SMALL))
            .to_vec()
    };
    let mut rows: Vec<_> = chain.iter().map(row).collect();
    // The chain goes on by hand when the file is printed.
    rows.extend((0..3).map(|_| {
        ["", "", ""].map(|empty| (empty.to_owned(), Style { leading: 18.0, ..SMALL })).to_vec()
    }));
    composer.table(None, &[("Received", 130.0), ("By", 187.0), ("For", 187.0)], &rows);
    composer.end_section();
}

/// The probe as received and as searched, side by side, its edits and its quality. Gives the number
/// of the photo as searched.
///
/// Errors: a photo that can't be read.
pub(super) fn probe(
    composer: &mut Composer,
    report: &CompareReport<'_>,
) -> Result<usize, CompareReportError> {
    let (photos, choice) = (&report.supplement.probe, report.choice);
    let received = composer.take_photo(&photos.received, || "the probe as received".to_owned())?;
    let searched = composer.take_photo(&photos.searched, || "the probe as searched".to_owned())?;
    composer.section("Probe", PROBE_HEIGHT + 60.0);
    let (px, sha256) = (report.probe.px, report.probe.sha256);
    let mut left = half(composer, MARGIN, received, ("As received", px, sha256));
    let (px, sha256) = (choice.searched_px, choice.searched);
    let x = MARGIN + PROBE_WIDTH + GUTTER;
    let mut right = half(composer, x, searched, ("As searched", px, sha256));
    right.blocks[0].items.extend(frame_of(composer, searched, report.face()));
    let high = left.blocks[0].height.max(right.blocks[0].height);
    (left.blocks[0].height, right.blocks[0].height) = (high, high);
    composer.pages.flow(vec![left, right]);
    composer.pages.gap(6.0);
    let face = match choice.faces {
        1 => "The one face in it was compared; the frame shows it.".to_owned(),
        faces => format!("One of {faces} faces was compared; the frame shows which."),
    };
    let edits = match choice.edits.as_slice() {
        [] => "None. The photo was searched as received.".to_owned(),
        edits => edits
            .iter()
            .zip(1..)
            .map(|(edit, at)| format!("{at}. {}", capital(&edit.to_string())))
            .collect::<Vec<_>>()
            .join("\n"),
    };
    composer.pairs(&[
        ("Face", face),
        ("Edits", edits),
        ("Poor, but searched", choice.reason.clone().unwrap_or_default()),
    ]);
    digests(composer, &photos.edit_digests);
    quality(composer, report);
    composer.end_section();
    Ok(searched)
}

fn quality(composer: &mut Composer, report: &CompareReport<'_>) {
    let quality = &report.choice.quality;
    let advice = |measure: &Measure| {
        let shortfall = quality.shortfalls.iter().find(|short| short.name == measure.name);
        match shortfall.map(|short| short.blocks) {
            None => "nothing to remark",
            Some(false) => "a better image would help",
            Some(true) => "poor: a reason is recorded",
        }
    };
    let row = |measure: &Measure| {
        [measure.name.to_string(), decimal(measure.value), advice(measure).to_owned()]
            .map(|text| (text, SMALL))
            .to_vec()
    };
    let rows: Vec<_> = quality.measures.iter().map(row).collect();
    if !rows.is_empty() {
        composer.table(
            Some("Quality of the probe"),
            &[("Measure", 190.0), ("Value", 74.0), ("What it means", 240.0)],
            &rows,
        );
    }
}

/// The digest of each edit's outcome, by which the way from the original can be gone again.
fn digests(composer: &mut Composer, digests: &[Digest]) {
    if digests.is_empty() {
        return;
    }
    composer.open_pairs();
    let mut column = Column::new(MARGIN);
    for (sha256, at) in digests.iter().zip(1..) {
        let label = format!("SHA-256 after edit {at}");
        composer.pair(&mut column, Pairs::WIDE.fixed(), &label, &sha256.to_string());
    }
    composer.close_pairs();
    composer.pages.run_on(column, None);
}

/// One of the two probes with its caption, its size in pixels and its digest.
fn half(
    composer: &mut Composer,
    x: f32,
    at: usize,
    (caption, [wide, high], sha256): (&str, [u32; 2], Digest),
) -> Column {
    let words = format!("The probe {}.", caption.to_lowercase());
    let items = composer.photo(at, (0.0, 0.0), (PROBE_WIDTH, PROBE_HEIGHT), None, &words);
    let height = composer.photos[at].fitted(PROBE_WIDTH, PROBE_HEIGHT).1;
    let mut column = Column { x, blocks: vec![Block { height: height + 4.0, items, keep: true }] };
    let size = format!("{caption}, {wide} \u{d7} {high} pixels");
    let digest = format!("SHA-256\n{}", halves(sha256));
    for (text, style) in [(size, STRONG), (digest, FIXED)] {
        let role = composer.tags.leaf(Tag::Paragraph);
        column.text(&composer.fonts, &text, style, PROBE_WIDTH, role);
    }
    column
}

/// The frame around the face that was compared, dark in light: seen on any photo.
///
/// Units: the frame's left and upper edge, width and height are shares of the photo.
fn frame_of(composer: &Composer, at: usize, [left, upper, wide, high]: [f32; 4]) -> [Item; 2] {
    let (shown_width, shown_height) = composer.photos[at].fitted(PROBE_WIDTH, PROBE_HEIGHT);
    let (x, y) = (left.clamp(0.0, 1.0) * shown_width, upper.clamp(0.0, 1.0) * shown_height);
    let width = (wide * shown_width).min(shown_width - x);
    let height = (high * shown_height).min(shown_height - y);
    let outline = |inset: f32, line, color| Item {
        x: x + inset,
        y: y + inset,
        draw: Draw::Outline {
            width: width - 2.0 * inset,
            height: height - 2.0 * inset,
            line,
            color,
        },
        role: None,
    };
    [outline(0.0, 2.4, Color::White), outline(0.8, 0.8, Color::Accent)]
}
