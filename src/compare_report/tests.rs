//! Tests of the file as others read it: its text by Poppler, its structure by QPDF, its pages by
//! MuPDF, and what PDF/A asks for by pikepdf.
//!
//! Where the variable `SMRT_COMPARE_REPORTS` names a folder, the reports are written there too, to
//! be looked at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::RgbImage;

use super::fonts::Fonts;
use super::layout::{Draw, MARGIN, PAGE_HEIGHT, PAGE_WIDTH};
use super::sample::{ASTRONAUT, SampleReport, drawn, finding, jpeg, text};
use super::*;
use crate::calendar::Span;
use crate::ids::Digest;
use crate::inquiry::{Component, Finding, NOTE, Observation, Seen};
use crate::limits::REVIEWED_CANDIDATES_MAX;
use crate::state_kind::StateKind;

/// A report in a file of its own.
struct Filed {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Filed {
    fn of(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{name}.pdf"));
        fs::write(&path, bytes).unwrap();
        if let Some(kept) = std::env::var_os("SMRT_COMPARE_REPORTS") {
            fs::copy(&path, Path::new(&kept).join(format!("{name}.pdf"))).unwrap();
        }
        Self { _folder: folder, path }
    }

    /// The text of each page.
    fn pages(&self) -> Vec<String> {
        let output = run(
            "pdftotext",
            "poppler-utils",
            &["-layout", "-enc", "UTF-8", self.path.to_str().unwrap(), "-"],
        );
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim_end_matches('\u{c}').split('\u{c}').map(str::to_owned).collect()
    }

    /// All words in the order in which they stand in the file, one space between them.
    fn words(&self) -> String {
        let output = run(
            "pdftotext",
            "poppler-utils",
            &["-raw", "-enc", "UTF-8", self.path.to_str().unwrap(), "-"],
        );
        spaced(&String::from_utf8(output.stdout).unwrap())
    }

    /// What `src/compare_report/check.py` finds wrong.
    fn wanting(&self) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/compare_report/check.py");
        // Debian's own Python, which Debian's package belongs to, where another one comes first in
        // the path.
        let python =
            if Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" };
        let output = Command::new(python).arg(script).arg(&self.path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !said.contains("No module named 'pikepdf'"),
            "pikepdf is missing: install python3-pikepdf"
        );
        assert!(said.is_empty(), "{said}");
        output
    }
}

fn run(program: &str, package: &str, args: &[&str]) -> Output {
    let output = Command::new(program)
        .args(args)
        .output()
        .unwrap_or_else(|e| panic!("{program} can't be run ({e}): install {package}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn filed(name: &str, sample: &SampleReport) -> Filed {
    Filed::of(name, &sample.to_pdf().unwrap())
}

#[test]
fn every_page_bears_the_note_the_warning_the_inquiry_its_state_and_its_number() {
    let mut sample = SampleReport::of(3);
    for (state, word) in
        [(StateKind::Demo, Some("DEMO")), (StateKind::Test, Some("TEST")), (StateKind::Real, None)]
    {
        sample.supplement.state = state;
        let pages = filed("state", &sample).pages();
        for (page, number) in pages.iter().zip(1..) {
            let text = spaced(page);
            assert!(text.contains(NOTE) && text.contains(header_footer::NO_LINE_UP), "{text}");
            assert!(
                text.contains(&format!("Inquiry {}", sample.inquiry.id()))
                    && text.contains(&format!("page {number} of {}", pages.len()))
            );
            let marked = ["DEMO", "TEST"].map(|mark| text.contains(mark));
            assert_eq!(marked, [word == Some("DEMO"), word == Some("TEST")], "{text}");
        }
    }
}

#[test]
fn the_report_says_all_that_the_order_asks_for_in_the_order_of_reading() {
    let words = filed("twenty", &SampleReport::of(20)).words();
    let mut at = 0;
    let digest = words::halves(Digest([0x01; 32]));
    for wanted in [
        "2 leads: ranks 1 and 7.",
        "412,903 bookings were compared",
        "different dispositions on 1 candidate: rank 3",
        "not shown: rank 5",
        "Complaint number 26-004711",
        "Investigation, detection or analysis of crime",
        "Robbery at Grand and Gravois on 2026-11-21",
        "north-west door; still exported",
        "First Amendment",
        "Requester Det. A. Ortiz, badge 4711",
        "Operator M. Okafor, badge R-208",
        "Second examiner L. Haddad, badge R-114",
        "Search approved by touch 2026-11-22 21:46:40.00 UTC, log entry 1",
        "Report issued 2026-11-23 00:00:00.00 UTC",
        "As received, 512 \u{d7} 512 pixels",
        "As searched",
        "1. Rotate +2.5 degrees",
        "Quality of the probe",
        "Sharpness 0.61 a better image would help",
        "Array of candidates",
        "1 0.689 José Peña-Núñez Investigative lead Investigative lead Lead",
        "20 0.480",
        "1 José Peña-Núñez \u{2013} lead",
        "Date of birth 1984-02-29",
        "Charges burglary in the second degree",
        "Booking 25-004712, St. Louis Metropolitan Police Department",
        &spaced(&digest),
        "First examiner (M. Okafor): investigative lead",
        "Similar: outline of face and head: shape of the face; ears: lobe and how it joins",
        "Different: eyebrows: shape and arch; hairline",
        "Note: left lobe attached in both",
        "Disagreements",
        "3 Investigative lead No lead",
        "YuNet 2023mar and SFace 2021dec",
        "1,662 probes of somebody enrolled",
        "found among the first 20 0.995",
        "Reviewed by the second examiner 4",
        "\u{2014} court.example/witness",
        "smrtctl report verify NAME.pdf --keys KEYS",
        "Policy in force",
    ] {
        let found = words[at..]
            .find(wanted)
            .unwrap_or_else(|| panic!("'{wanted}' is not there, or too early: {}", &words[at..]));
        at += found;
    }
}

#[test]
fn scores_are_plain_numbers_and_nobody_is_called_what_a_search_can_not_tell() {
    for candidates in [0, 7] {
        let words = filed("words", &SampleReport::of(candidates)).words().to_lowercase();
        for never in ["match", "percent", "probabil", "identified", "likely", "%"] {
            assert!(!words.contains(never), "{never}: {words}");
        }
    }
}

#[test]
fn no_candidate_and_no_lead_are_reports_too() {
    let none = filed("none", &SampleReport::of(0)).words();
    assert!(
        none.contains("No candidate.") && none.contains("No candidate was returned."),
        "{none}"
    );
    let no_lead =
        |builder: sample::SampleBuilder, rank| builder.finding(rank, 1, finding(rank, false, 2));
    let unled = [1, 2, 3].into_iter().fold(SampleReport::with(3), no_lead).build();
    let words = filed("no-lead", &unled).words();
    assert!(
        words.contains("No lead.") && words.contains("agreed on none of them as a lead"),
        "{words}"
    );
}

#[test]
fn evidence_is_marked_on_every_page_with_everybody_who_received_it() {
    let mut sample = SampleReport::with(2).evidence().build();
    sample.supplement.state = StateKind::Real;
    let filed = filed("evidence", &sample);
    assert!(filed.pages().iter().all(|page| page.contains("EVIDENCE")));
    let words = filed.words();
    for wanted in [
        "Evidence number ____",
        "I/Leads report IL-26-55310",
        "Marked by M. Okafor, badge R-208, St. Louis Fusion Center, 2026-11-23 01:00:00.00 UTC",
        "01:00:00.00 UTC Det. A. Ortiz seized as evidence",
        "02:00:00.00 UTC S. Lindqvist property room",
    ] {
        assert!(words.contains(wanted), "{wanted}: {words}");
    }
}

/// Checked: syntax and streams (QPDF); each page drawn without a warning (MuPDF); and by
/// `src/compare_report/check.py`: header, no encryption, no foreign or external content, no
/// scripts,
/// actions, attachments or annotations; PDF/A-2a and PDF/UA-1 in the metadata, which says what the
/// document's own entries say; one output intent with an ICC profile; three typefaces, all
/// embedded, subsetted and mapped to Unicode; all content tagged or an artifact; words for figures,
/// regular tables, headings in order; language and title. No complete validator is to be had from
/// the registries.
#[test]
fn the_file_is_tagged_pdf_a_as_far_as_qpdf_mupdf_and_pikepdf_can_tell() {
    let mut unusual = SampleReport::with(7).evidence().build();
    let mut turned =
        b"\xff\xd8\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\
        \0\x06\0\0\0\0\0\0"
            .to_vec();
    turned.extend_from_slice(&jpeg(&drawn(3)).0[2..]);
    unusual.supplement.probe.received = Jpeg(turned);
    unusual.supplement.issuer = "a <b> & \"c\" \u{0} \u{fffe}".to_owned();
    for (name, sample) in [
        ("pdfa", SampleReport::of(20)),
        ("pdfa-none", SampleReport::of(0)),
        ("pdfa-unusual", unusual),
    ] {
        let filed = filed(name, &sample);
        let path = filed.path.to_str().unwrap();
        run("qpdf", "qpdf", &["--check", path]);
        let drawn = run(
            "mutool",
            "mupdf-tools",
            &["draw", "-q", "-r", "20", "-o", "/dev/null", "-F", "pgm", path],
        );
        // Debian's MuPDF is built without colour management, and says so.
        let warned = String::from_utf8_lossy(&drawn.stderr)
            .replace("warning: ICC support is not available\n", "");
        assert!(warned.trim().is_empty(), "{name}: {warned}");
        let wanting = filed.wanting();
        assert!(wanting.status.success(), "{name}: {}", String::from_utf8_lossy(&wanting.stdout));
    }
}

#[test]
fn the_check_finds_what_is_wanting() {
    let pdf = SampleReport::of(0).to_pdf().unwrap();
    for (right, wrong, found) in [
        ("/MarkInfo", "/MarkInfx", "it says that it is tagged"),
        ("conformance>A<", "conformance>B<", "conformance A"),
        ("/GTS_PDFA1", "/GTS_PDFX1", "one output intent"),
        ("/Lang", "/Lung", "its language is said"),
    ] {
        let (right, wrong) = (right.as_bytes(), wrong.as_bytes());
        let at: Vec<usize> =
            (0..pdf.len() - right.len()).filter(|&at| pdf[at..].starts_with(right)).collect();
        assert!(!at.is_empty(), "{found}");
        let mut altered = pdf.clone();
        at.into_iter().for_each(|at| altered[at..at + wrong.len()].copy_from_slice(wrong));
        let wanting = Filed::of("altered", &altered).wanting();
        let said = String::from_utf8_lossy(&wanting.stdout).into_owned();
        assert!(!wanting.status.success() && said.contains(found), "{found}: {said}");
    }
}

#[test]
fn the_same_report_gives_the_same_bytes_and_the_time_in_it_is_its_own() {
    let mut sample = SampleReport::of(4);
    let first = sample.to_pdf().unwrap();
    assert!(first == SampleReport::of(4).to_pdf().unwrap());
    sample.supplement.issued += Span::seconds(1);
    assert!(first != sample.to_pdf().unwrap());
}

#[test]
fn a_small_jpeg_stands_in_the_file_as_it_was_stored_and_a_released_photo_not_at_all() {
    let pdf = SampleReport::of(6).to_pdf().unwrap();
    let holds = |photo: &[u8]| pdf.windows(photo.len()).any(|bytes| bytes == photo);
    assert!(holds(ASTRONAUT) && holds(&jpeg(&drawn(4)).0) && !holds(&jpeg(&drawn(5)).0));
}

/// The longest of everything that an inquiry and its bookings may hold.
fn long() -> SampleReport {
    let letter = |at: u32| char::from(b'a' + u8::try_from(at * 7 % 26).unwrap());
    let name: String = (0..200).map(letter).collect();
    let reason: Vec<String> =
        (0..40).map(|at| format!("wherefore-{at}-and-therefore/notwithstanding")).collect();
    let features = Component::ALL.iter().flat_map(|component| component.features());
    let similar = |&feature| Observation { feature, seen: Seen::Similarity };
    let findings = [
        Finding { observations: features.map(similar).collect(), ..finding(2, true, 7) },
        Finding { note: Some(text(&name)), ..finding(2, false, 7) },
    ];
    let [first, second] = findings;
    let mut long = SampleReport::with(REVIEWED_CANDIDATES_MAX)
        .request(|request| {
            request.reason = reason.join(" ");
            request.requester.name = text(&name);
        })
        .choice(|choice| {
            let frame = &mut choice.frame;
            (frame.x, frame.y, frame.width, frame.height) = (-20, -20, 900, 900);
        })
        .finding(2, 1, first)
        .finding(2, 2, second)
        .build();
    long.supplement.issuer = "An issuer of very many words indeed ".repeat(6);
    let booked = long.booked(1);
    booked.booking.charges = vec![text(&"a charge of many words ".repeat(8)); 64];
    booked.booking.name = text(&"M".repeat(200));
    long.booked(3).photo = jpeg(&RgbImage::new(2_000, 40));
    long.booked(4).photo = jpeg(&RgbImage::new(40, 2_000));
    long
}

#[test]
fn long_texts_many_candidates_and_extreme_photos_stay_within_the_page() {
    let long = long();
    let report = long.report().unwrap();
    let composer = report.laid_out().unwrap();
    let fonts = Fonts::new();
    let (top, bottom) = header_footer::body(&report);
    for item in composer.pages.all.iter().flatten() {
        let (width, height) = match &item.draw {
            Draw::Line { text, style } => (fonts.width(text, *style), style.leading),
            Draw::Fill { width, height, .. }
            | Draw::Outline { width, height, .. }
            | Draw::Picture { width, height, .. } => (*width, *height),
            Draw::QrCode { size, .. } => (*size, *size),
        };
        assert!(item.x >= MARGIN - 0.1 && item.x + width <= PAGE_WIDTH - MARGIN + 0.6, "{item:?}");
        assert!(item.y >= 20.0 && item.y + height <= PAGE_HEIGHT - 18.0, "{item:?}");
        // What belongs to the tree stands between header and footer.
        assert!(
            item.role.is_none() || item.y >= top - 0.1 && item.y + height <= bottom + 0.1,
            "{item:?}"
        );
    }
    let words = filed("long", &long).words();
    for candidate in long.inquiry.candidates() {
        let line = format!("{} {}", candidate.rank, words::score(candidate.score));
        assert!(words.contains(&line), "{line}");
    }
}

#[test]
fn a_character_that_no_typeface_has_stands_as_its_code_and_the_page_says_so() {
    let mut sample = SampleReport::of(1);
    sample.booked(1).booking.name = text("李明 Åsa");
    let pages = filed("codes", &sample).pages();
    let with: Vec<&String> =
        pages.iter().filter(|page| page.contains("[U+674E][U+660E] Åsa")).collect();
    assert!(
        !with.is_empty() && with.iter().all(|page| page.contains("typefaces of this report lack"))
    );
    assert!(!pages[0].contains("lack."));
}

#[test]
fn a_proof_that_does_not_hold_or_is_missing_ends_it() {
    let mut wrong = SampleReport::of(2);
    wrong.supplement.proofs[2].leaf.time += Span::from_cs(1);
    assert_eq!(
        wrong.to_pdf().unwrap_err().to_string(),
        "the proof that the log holds the entry 'answered' does not lead to its checkpoint"
    );
    wrong.supplement.proofs.remove(2);
    assert_eq!(
        wrong.to_pdf().unwrap_err().to_string(),
        "no proof was given that the log holds the entry 'answered'"
    );
}

#[test]
fn a_photo_that_can_not_be_read_ends_it() {
    let mut wrong = SampleReport::of(2);
    wrong.booked(2).photo = Jpeg(ASTRONAUT[..400].to_vec());
    let refused = wrong.to_pdf().unwrap_err().to_string();
    assert!(refused.starts_with("the photo of rank 2 can't be printed"), "{refused}");
}

#[test]
fn an_inquiry_that_two_examiners_have_not_finished_has_no_report() {
    let sample = SampleReport::of(2);
    let mut record = serde_json::to_value(&sample.inquiry).unwrap();
    record["reviews"][1]["leaf"] = serde_json::Value::Null;
    let unfinished = SampleReport { inquiry: serde_json::from_value(record).unwrap(), ..sample };
    assert_eq!(
        unfinished.to_pdf().unwrap_err().to_string(),
        "the inquiry is in its second review, wanted one that two examiners have finished"
    );
}
