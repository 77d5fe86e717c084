//! The report's beginning: what it is, what came out, who asked whom for what, and the probe.

use super::SheetError;
use super::compose::{BODY, Composer, FIXED, LABEL, Pairs, SMALL, SMALL_LABEL, STRONG, TITLE};
use super::fonts::{Ink, Style};
use super::header_footer::{NO_LINE_UP, TITLE_TEXT};
use super::input::{Candidate, CompareReport, Evidence, Probe, Receipt};
use super::layout::{Column, Draw, GUTTER, MARGIN, MEASURE, Mark, Piece, Tag};
use super::qr;
use super::words::{count, halves, moment, number, person, ranks};
use crate::audit::Hash;
use crate::inquiry::NOTE;

const CODE_SIDE: f32 = 66.0;
const NOTE_STYLE: Style = Style { size: 10.0, leading: 14.0, ..BODY };
const NOTE_STRONG: Style = Style { size: 10.0, leading: 14.0, ..STRONG };
/// Two probes beside each other.
const PROBE_WIDTH: f32 = (MEASURE - GUTTER) / 2.0;
const PROBE_HEIGHT: f32 = 226.0;

/// Title, notice, outcome, request, people, course.
pub(super) fn front(composer: &mut Composer, report: &CompareReport) {
    title(composer, report);
    composer.paper.gap(14.0);
    composer.notice(&[(NOTE, NOTE_STYLE), (NO_LINE_UP, NOTE_STRONG)]);
    if let Some(evidence) = &report.evidence {
        self::evidence(composer, evidence);
    }
    composer.section("Outcome", 30.0);
    for (text, style) in outcome(report) {
        composer.paragraph(&text, style);
    }
    composer.end_section();
    let request = &report.request;
    composer.section("Request", 60.0);
    composer.pairs(&[
        (request.reference_kind.as_str(), request.reference.clone()),
        ("Purpose", request.purpose.clone()),
        ("Reason", request.reason.trim().to_owned()),
        ("Source of the probe", report.probe.source.clone()),
        ("Attested", request.attestations.join("\n")),
    ]);
    composer.end_section();
    composer.section("People", 60.0);
    composer.pairs(&[
        ("Requester", person(&request.requester)),
        ("Operator", person(&request.operator)),
        ("First examiner", person(&report.first.examiner)),
        (
            "Second examiner",
            format!(
                "{}; saw neither the score nor the first examiner's answers",
                person(&report.second.examiner)
            ),
        ),
    ]);
    composer.end_section();
    composer.section("Course", 60.0);
    let line = |event: &super::input::Event| match event.leaf {
        Some(leaf) => format!("{}, log entry {}", moment(event.time_cs), number(leaf)),
        None => moment(event.time_cs),
    };
    let mut course: Vec<(&str, String)> =
        report.events.iter().map(|event| (event.what.as_str(), line(event))).collect();
    course.push(("Report issued", moment(report.issued_cs)));
    composer.pairs(&course);
    composer.end_section();
}

fn title(composer: &mut Composer, report: &CompareReport) {
    let width = MEASURE - CODE_SIDE - 24.0;
    let role = composer.tags.leaf(Tag::Heading(1, TITLE_TEXT.to_owned()));
    let mut left = Column::new(MARGIN);
    left.text(&composer.letters, "Facial Recognition\nImage Compare Report", TITLE, width, role);
    left.gap(6.0);
    let lines = [
        (report.issuer.clone(), STRONG),
        (format!("Inquiry {}", report.inquiry), BODY),
        (format!("Issued {}", moment(report.issued_cs)), LABEL),
    ];
    for (text, style) in lines {
        let role = composer.tags.leaf(Tag::Paragraph);
        left.text(&composer.letters, &text, style, width, role);
    }
    let mut columns = vec![left];
    // The newest leaf says most: whoever has it proven has the ones before it.
    let newest = report.proofs.iter().max_by_key(|proven| proven.proof.index);
    if let Some((proven, said)) = newest.and_then(|proven| Some((proven, qr::said(proven)?)))
        && let Some(code) = qr::code(&said, CODE_SIDE)
    {
        let role = composer.tags.leaf(Tag::Figure(format!("QR code that reads: {said}")));
        let x = MARGIN + MEASURE - CODE_SIDE;
        let marks = vec![Mark { x: 0.0, y: qr::QUIET, draw: code, role }];
        let mut right = Column {
            x,
            pieces: vec![Piece { height: CODE_SIDE + 2.0 * qr::QUIET, marks, keep: true }],
        };
        let role = composer.tags.leaf(Tag::Paragraph);
        right.text(
            &composer.letters,
            &format!("log entry {}", number(proven.proof.index)),
            SMALL_LABEL,
            CODE_SIDE,
            role,
        );
        columns.push(right);
    }
    composer.paper.flow(columns);
}

/// In one paragraph or two what came out.
fn outcome(report: &CompareReport) -> Vec<(String, Style)> {
    let leads: Vec<&Candidate> =
        report.candidates.iter().filter(|candidate| candidate.is_lead()).collect();
    let disputed: Vec<&Candidate> =
        report.candidates.iter().filter(|candidate| candidate.is_disputed()).collect();
    let released: Vec<&Candidate> =
        report.candidates.iter().filter(|candidate| candidate.booking.is_none()).collect();
    let searched = match report.search.rows {
        1 => "1 booking was compared.".to_owned(),
        rows => format!("{} bookings were compared.", number(rows)),
    };
    let mut lines = match (report.candidates.len(), leads.len()) {
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
                    count(returned, "candidate")
                ),
                BODY,
            ),
        ],
        (returned, some) => vec![
            (format!("{}: {}.", count(some, "lead"), ranks(&leads)), STRONG),
            (
                format!(
                    "{searched} The search returned {}, all of which stand below in the order of \
                     their ranks. A lead is a photo that both examiners, each for themselves, left \
                     in.",
                    count(returned, "candidate")
                ),
                BODY,
            ),
        ],
    };
    if !disputed.is_empty() {
        lines.push((
            format!(
                "The examiners came to different dispositions on {}: {}.",
                count(disputed.len(), "candidate"),
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

/// Mark and chain of a report that is evidence (SO-C5).
fn evidence(composer: &mut Composer, evidence: &Evidence) {
    composer.section("Evidence", 80.0);
    composer.paragraph(
        "This report was used to make a positive identification. It is seized as evidence and \
         handled as Department policy says; whoever hands it on adds a line.",
        STRONG,
    );
    composer.paper.gap(4.0);
    composer.pairs(&[
        ("Evidence number", evidence.number.clone().unwrap_or_else(|| "not given".to_owned())),
        ("I/Leads report", evidence.i_leads.clone().unwrap_or_else(|| "not given".to_owned())),
        ("Marked by", format!("{}, {}", person(&evidence.by), moment(evidence.time_cs))),
    ]);
    composer.paper.gap(4.0);
    let row = |Receipt { by, time_cs, what_for }: &Receipt| {
        vec![(moment(*time_cs), SMALL), (person(by), SMALL), (what_for.clone(), SMALL)]
    };
    let mut rows: Vec<_> = evidence.received.iter().map(row).collect();
    // Paper goes on when the file is closed.
    rows.extend((0..3).map(|_| {
        ["", "", ""].map(|empty| (empty.to_owned(), Style { leading: 18.0, ..SMALL })).to_vec()
    }));
    composer.table(None, &[("Received", 130.0), ("By", 224.0), ("For", 150.0)], &rows);
    composer.end_section();
}

/// The probe as received and as searched, side by side, its edits and its quality. Gives the number
/// of the picture as searched.
pub(super) fn probe(composer: &mut Composer, report: &CompareReport) -> Result<usize, SheetError> {
    let probe = &report.probe;
    let original = composer.picture(&probe.original, || "the probe as received".to_owned())?;
    let searched = composer.picture(&probe.searched, || "the probe as searched".to_owned())?;
    composer.section("Probe", PROBE_HEIGHT + 60.0);
    let mut left = half(composer, MARGIN, original, "As received", &probe.original_sha256);
    let mut right = half(
        composer,
        MARGIN + PROBE_WIDTH + GUTTER,
        searched,
        "As searched",
        &probe.searched_sha256,
    );
    if let Some(frame) = probe.face {
        right.pieces[0].marks.extend(frame_of(composer, searched, frame));
    }
    let high = left.pieces[0].height.max(right.pieces[0].height);
    (left.pieces[0].height, right.pieces[0].height) = (high, high);
    composer.paper.flow(vec![left, right]);
    composer.paper.gap(6.0);
    let face = match probe.faces {
        1 => "The one face in it was compared; the frame shows it.".to_owned(),
        faces => format!("One of {} was compared; the frame shows which.", count(faces, "face")),
    };
    let edits = match &probe.edits[..] {
        [] => "None. The photo was searched as received.".to_owned(),
        edits => edits
            .iter()
            .zip(1..)
            .map(|(edit, at)| format!("{at}. {}", edit.what))
            .collect::<Vec<_>>()
            .join("\n"),
    };
    composer.pairs(&[
        ("Face", face),
        ("Edits", edits),
        ("Poor, but searched", probe.poor_because.clone().unwrap_or_default()),
    ]);
    digests(composer, probe);
    if !probe.quality.is_empty() {
        let row = |measure: &super::input::Measure| {
            let advice =
                if measure.advice.is_empty() { "Nothing to remark" } else { &measure.advice };
            vec![
                (measure.name.clone(), SMALL),
                (measure.value.clone(), SMALL),
                (advice.to_owned(), SMALL),
            ]
        };
        let rows: Vec<_> = probe.quality.iter().map(row).collect();
        composer.table(
            Some("Quality of the probe"),
            &[("Measure", 150.0), ("Value", 104.0), ("What it means", 250.0)],
            &rows,
        );
    }
    composer.end_section();
    Ok(searched)
}

/// The digest of each edit's outcome, by which the way from the original can be gone again.
fn digests(composer: &mut Composer, probe: &Probe) {
    if probe.edits.is_empty() {
        return;
    }
    composer.open_pairs();
    let mut column = Column::new(MARGIN);
    for (edit, at) in probe.edits.iter().zip(1..) {
        composer.pair(
            &mut column,
            Pairs::WIDE.fixed(),
            &format!("SHA-256 after edit {at}"),
            &hex::encode(edit.sha256),
        );
    }
    composer.close_pairs();
    composer.paper.run_on(column, None);
}

/// One of the two probes with its caption.
fn half(composer: &mut Composer, x: f32, at: usize, caption: &str, sha256: &Hash) -> Column {
    let words = format!("The probe {}.", caption.to_lowercase());
    let marks = composer.photo(at, (0.0, 0.0), (PROBE_WIDTH, PROBE_HEIGHT), None, &words);
    let height = composer.pictures[at].fitted(PROBE_WIDTH, PROBE_HEIGHT).1;
    let mut column = Column { x, pieces: vec![Piece { height: height + 4.0, marks, keep: true }] };
    let (wide, high) = composer.pictures[at].pixels;
    let role = composer.tags.leaf(Tag::Paragraph);
    column.text(
        &composer.letters,
        &format!("{caption}, {wide} \u{d7} {high} pixels"),
        STRONG,
        PROBE_WIDTH,
        role,
    );
    let role = composer.tags.leaf(Tag::Paragraph);
    column.text(
        &composer.letters,
        &format!("SHA-256\n{}", halves(sha256)),
        FIXED,
        PROBE_WIDTH,
        role,
    );
    column
}

/// The frame around the face that was compared, dark in light: seen on any photo.
fn frame_of(composer: &Composer, at: usize, [left, upper, wide, high]: [f32; 4]) -> [Mark; 2] {
    let photo = &composer.pictures[at];
    let (shown_width, shown_height) = photo.fitted(PROBE_WIDTH, PROBE_HEIGHT);
    let scale = photo.scale(shown_width);
    let (x, y) = ((left * scale).clamp(0.0, shown_width), (upper * scale).clamp(0.0, shown_height));
    let (width, height) =
        ((wide * scale).min(shown_width - x), (high * scale).min(shown_height - y));
    let outline = |inset: f32, line, ink| Mark {
        x: x + inset,
        y: y + inset,
        draw: Draw::Outline { width: width - 2.0 * inset, height: height - 2.0 * inset, line, ink },
        role: None,
    };
    [outline(0.0, 2.4, Ink::White), outline(0.8, 0.8, Ink::Accent)]
}
