//! The file as others read it: its text by Poppler, its structure by QPDF, its pages by MuPDF, and
//! what PDF/A asks for by pikepdf.
//!
//! Where the variable `SMRT_SHEETS` names a folder, the reports are written there too, to be looked
//! at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::RgbImage;

use super::letters::Letters;
use super::paper::{Draw, MARGIN, PAGE_HEIGHT, PAGE_WIDTH};
use super::sample::{ASTRONAUT, disposition, drawn, evidence, jpeg, report};
use super::*;
use crate::booking::Text;
use crate::inquiry::NOTE;

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
        if let Some(kept) = std::env::var_os("SMRT_SHEETS") {
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

    /// What `check.py` finds wrong.
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

fn filed(name: &str, report: &CompareReport) -> Filed {
    Filed::of(name, &report.to_pdf().unwrap())
}

#[test]
fn every_page_bears_the_note_the_warning_the_inquiry_its_state_and_its_number() {
    let mut marked = report(3);
    for (state, word) in
        [(StateMark::Demo, Some("DEMO")), (StateMark::Test, Some("TEST")), (StateMark::Real, None)]
    {
        marked.state = state;
        let pages = filed("state", &marked).pages();
        for (page, number) in pages.iter().zip(1..) {
            let text = spaced(page);
            assert!(text.contains(NOTE) && text.contains(furniture::NO_LINE_UP), "{text}");
            assert!(
                text.contains(&format!("Inquiry {}", marked.inquiry))
                    && text.contains(&format!("page {number} of {}", pages.len()))
            );
            let marked = ["DEMO", "TEST"].map(|mark| text.contains(mark));
            assert_eq!(marked, [word == Some("DEMO"), word == Some("TEST")], "{text}");
        }
    }
}

#[test]
fn the_report_says_all_that_the_order_asks_for_in_the_order_of_reading() {
    let report = report(20);
    let words = filed("twenty", &report).words();
    let mut at = 0;
    let digest = words::halves(&[0x01; 32]);
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
        "Asked 2026-11-22 21:46:40.00 UTC, log entry 1",
        "Report issued 2026-11-23 00:00:00.00 UTC",
        "As received, 512 \u{d7} 512 pixels",
        "As searched",
        "1. Rotated by 2.5 degrees",
        "Quality of the probe",
        "Length of the embedding 11.4 good",
        "Array of candidates",
        "1 0.689 José Peña-Núñez Lead Lead Lead",
        "20 0.480",
        "1 José Peña-Núñez \u{2013} lead",
        "Date of birth 1984-02-29",
        "Charges burglary in the second degree",
        "Booking 25-004712, St. Louis Metropolitan Police Department",
        &spaced(&digest),
        "First examiner (M. Okafor): lead",
        "Similar: face and head outline, ears (left lobe attached in both)",
        "Disagreements",
        "3 Lead No lead",
        "YuNet 2023mar and SFace 2021dec",
        "1,662 probes of somebody enrolled",
        "found among the first 20 0.995",
        "Reviewed by the second examiner 4",
        "\u{2014} court.example/witness",
        "smrtctl report verify NAME.pdf --keys KEYS",
        "SO 5-27 of 2016-04-19",
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
        let words = filed("words", &report(candidates)).words().to_lowercase();
        for never in ["match", "percent", "probabil", "identified", "likely", "%"] {
            assert!(!words.contains(never), "{never}: {words}");
        }
    }
}

#[test]
fn no_candidate_and_no_lead_are_reports_too() {
    let none = filed("none", &report(0)).words();
    assert!(
        none.contains("No candidate.") && none.contains("No candidate was returned."),
        "{none}"
    );
    let mut unled = report(3);
    for candidate in &mut unled.candidates {
        candidate.first = disposition(false, "no lead", &[]);
    }
    let words = filed("no-lead", &unled).words();
    assert!(
        words.contains("No lead.") && words.contains("agreed on none of them as a lead"),
        "{words}"
    );
}

#[test]
fn a_report_used_for_a_positive_identification_is_marked_as_evidence_with_everybody_who_received_it()
 {
    let mut report = report(2);
    report.evidence = Some(evidence());
    report.state = StateMark::Real;
    let filed = filed("evidence", &report);
    assert!(filed.pages().iter().all(|page| page.contains("EVIDENCE")));
    let words = filed.words();
    for wanted in [
        "Evidence number P-26-118820",
        "I/Leads report IL-26-55310",
        "01:00:00.00 UTC Det. A. Ortiz",
        "property room",
    ] {
        assert!(words.contains(wanted), "{wanted}: {words}");
    }
}

/// Checked: syntax and streams (QPDF); each page drawn without a warning (MuPDF); and by
/// `check.py`: header, no encryption, no foreign or external content, no scripts,
/// actions, attachments or annotations; PDF/A-2a and PDF/UA-1 in the metadata, which says what the
/// document's own entries say; one output intent with an ICC profile; three typefaces, all
/// embedded, subsetted and mapped to Unicode; all content tagged or an artifact; words for figures,
/// regular tables, headings in order; language and title. No complete validator is to be had from
/// the registries.
#[test]
fn the_file_is_tagged_pdf_a_as_far_as_qpdf_mupdf_and_pikepdf_can_tell() {
    let mut unusual = report(7);
    unusual.evidence = Some(evidence());
    unusual.probe.original =
        Picture::Png(include_bytes!("../../embed/test_photos/palette.png").to_vec());
    unusual.probe.searched = Picture::Rgb(drawn(3));
    unusual.inquiry = "a <b> & \"c\" \u{0} \u{fffe}".to_owned();
    for (name, report) in
        [("pdfa", report(20)), ("pdfa-none", report(0)), ("pdfa-unusual", unusual)]
    {
        let filed = filed(name, &report);
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
    let pdf = report(0).to_pdf().unwrap();
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
    let first = report(4).to_pdf().unwrap();
    assert!(first == report(4).to_pdf().unwrap());
    let mut later = report(4);
    later.issued_cs += 100;
    assert!(first != later.to_pdf().unwrap());
}

#[test]
fn a_small_jpeg_stands_in_the_file_as_it_was_stored_and_a_released_photo_not_at_all() {
    let report = report(6);
    let pdf = report.to_pdf().unwrap();
    let holds = |photo: &[u8]| pdf.windows(photo.len()).any(|bytes| bytes == photo);
    assert!(holds(ASTRONAUT) && holds(&jpeg(&drawn(4))) && !holds(&jpeg(&drawn(5))));
}

#[test]
fn long_texts_many_candidates_and_extreme_photos_stay_within_the_page() {
    let mut long = report(120);
    let word = "Wherefore-and-therefore/notwithstanding ";
    long.request.reason = word.repeat(50);
    long.request.requester.name = "N".repeat(200);
    long.issuer = "An issuer of very many words indeed ".repeat(6);
    let charge = Text::parse(&"a charge of many words ".repeat(8)).unwrap();
    long.candidates[0].booking.as_mut().unwrap().charges = vec![charge; 64];
    long.candidates[0].booking.as_mut().unwrap().name = Text::parse(&"M".repeat(200)).unwrap();
    let features: Vec<_> = (0..40)
        .map(|_| ("face and head outline", "similar", "with a remark of some length about it"))
        .collect();
    long.candidates[1].first = disposition(true, "lead", &features);
    long.candidates[1].second.remark = word.repeat(80);
    long.candidates[2].booking.as_mut().unwrap().photo = Picture::Rgb(RgbImage::new(2_000, 40));
    long.candidates[3].booking.as_mut().unwrap().photo = Picture::Rgb(RgbImage::new(40, 2_000));
    long.probe.face = Some([-20.0, -20.0, 900.0, 900.0]);
    let composer = long.laid_out().unwrap();
    let letters = Letters::new();
    let (top, bottom) = furniture::body(&long);
    for mark in composer.paper.pages.iter().flatten() {
        let (width, height) = match &mark.draw {
            Draw::Line { text, style } => (letters.width(text, *style), style.leading),
            Draw::Fill { width, height, .. }
            | Draw::Outline { width, height, .. }
            | Draw::Picture { width, height, .. } => (*width, *height),
            Draw::Modules { size, .. } => (*size, *size),
        };
        assert!(mark.x >= MARGIN - 0.1 && mark.x + width <= PAGE_WIDTH - MARGIN + 0.6, "{mark:?}");
        assert!(mark.y >= 20.0 && mark.y + height <= PAGE_HEIGHT - 18.0, "{mark:?}");
        // What belongs to the tree is no furniture.
        assert!(
            mark.role.is_none() || mark.y >= top - 0.1 && mark.y + height <= bottom + 0.1,
            "{mark:?}"
        );
    }
    let words = filed("long", &long).words();
    for candidate in &long.candidates {
        let line = format!("{} {}", candidate.rank, words::score(candidate.score));
        assert!(words.contains(&line), "{line}");
    }
}

#[test]
fn a_character_that_no_typeface_has_stands_as_its_code_and_the_page_says_so() {
    let mut report = report(1);
    report.candidates[0].booking.as_mut().unwrap().name = Text::parse("李明 Åsa").unwrap();
    let pages = filed("codes", &report).pages();
    let with: Vec<&String> =
        pages.iter().filter(|page| page.contains("[U+674E][U+660E] Åsa")).collect();
    assert!(
        !with.is_empty() && with.iter().all(|page| page.contains("typefaces of this report lack"))
    );
    assert!(!pages[0].contains("lack."));
}

#[test]
fn a_proof_that_does_not_hold_or_a_photo_that_can_not_be_read_ends_it() {
    let mut wrong = report(2);
    wrong.proofs[1].leaf.time_cs += 1;
    assert_eq!(
        wrong.to_pdf().unwrap_err().to_string(),
        "the proof that the log holds the entry 'answered' does not lead to its checkpoint"
    );
    let mut wrong = report(2);
    wrong.candidates[1].booking.as_mut().unwrap().photo = Picture::Jpeg(ASTRONAUT[..400].to_vec());
    assert!(
        wrong.to_pdf().unwrap_err().to_string().starts_with("the photo of rank 2 can't be printed")
    );
}
