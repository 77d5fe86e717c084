//! A case as its people work it, in real browsers at the real daemon, by keyboard alone: two
//! officials admit the staff, an operator asks and approves by touch, two examiners look without
//! knowing each other's word, the report goes out with its proof, and an auditor looks at all of
//! it. Every page on the way is looked at: by axe-core, for movement, and as a picture that is
//! kept.

use std::fs;
use std::path::Path;
use std::process::Command;

use smrt::audit::{CosignerKey, LeafKind, Quorum, Witness};
use smrt::booking::VersionId;

use crate::browser::Browsers;
use crate::control_room::{ControlRoom, Seat};
use crate::photos::{BIDEN, COLLINS, OBAMA, OBAMA_LATER, photo, root};
use crate::site::{Daemon, Ended, Site, booking, ended, number, witness_name};

const STAFF: [(&str, &str); 4] =
    [("olsen", "Operator"), ("ellis", "Examiner"), ("frey", "Examiner"), ("clark", "Auditor")];
const REASON: &str =
    "A man held up the corner shop at Grand and Gravois; the camera over the till shows his face.";

/// What an examiner makes of a candidate: the keys for a feature's button, and for the disposition.
#[derive(Clone, Copy)]
struct Judgement {
    feature: &'static str,
    arrows: usize,
    key: &'static str,
    words: &'static str,
}

const LEAD: Judgement =
    Judgement { feature: "eye", arrows: 1, key: "1", words: "Investigative lead" };
const NO_LEAD: Judgement = Judgement { feature: "ear", arrows: 2, key: "2", words: "No lead" };

fn enrolled(daemon: &Daemon<'_>) -> [VersionId; 3] {
    let feed = daemon.feed("slmpd");
    let push = |(n, path): (&str, &str)| {
        feed.put_booking(&number(n), &booking(&format!("Person of {n}")), &photo(path))
            .unwrap()
            .version
    };
    [("B4401", OBAMA), ("B4402", BIDEN), ("B4403", COLLINS)].map(push)
}

/// Commander and administrator enrol their keys, and admit everybody else.
fn staff(seat: &Seat<'_>, room: &ControlRoom) {
    seat.desk.open("/console/enrol");
    seat.looks("01-enrol");
    for official in ["commander", "administrator"] {
        seat.enrols(official, room.site.code_of(official));
    }
    seat.desk.open("/console/policy");
    seat.looks("02-policy");
    seat.desk.insert("administrator");
    seat.desk.open("/console/log-on");
    seat.looks("03-log-on");
    seat.logs_on("administrator", "/console/decisions");
    for (person, role) in STAFF {
        seat.asks_for("administrator", person, role);
    }
    seat.looks("04-changes-that-wait");
    seat.desk.open("/console/decisions");
    seat.looks("05-decisions");
    seat.desk.open("/console/grants/new");
    seat.looks("06-new-account");
    seat.logs_off();
    seat.logs_on("commander", "/console/grants");
    seat.looks("07-changes-for-the-commander");
    for (person, _) in STAFF {
        seat.presses("button", &format!("Approve by touch for {person}"));
        seat.desk.sees_no(&format!("badge-{person}"));
    }
    seat.desk.sees("No change is waiting.");
    seat.desk.open("/console/roster");
    seat.looks("08-roster-of-the-commander");
    seat.desk.open("/console/figures");
    seat.looks("09-figures");
    seat.logs_off();
}

/// An examiner goes from candidate to candidate until none is left.
fn review(seat: &Seat<'_>, of: impl Fn(VersionId) -> Judgement, name: &str) {
    seat.presses("link", "Next candidate");
    let mut pictured = false;
    loop {
        seat.desk.sees("Record the disposition");
        let path = seat.path();
        let version = VersionId::parse(path.rsplit('/').next().unwrap()).unwrap();
        let Judgement { feature, arrows, key, words } = of(version);
        if !pictured {
            seat.looks(&format!("{name}-compare"));
            for (keys, mode) in [("o", "swipe"), ("b", "blink"), ("s", "side")] {
                seat.desk.press(keys);
                assert_eq!(
                    seat.desk.evaluate(
                        "document.querySelector('[data-mode][aria-pressed=true]').dataset.mode"
                    ),
                    mode
                );
            }
            for keys in ["z", "q", "Shift+ArrowLeft"] {
                seat.desk.press(keys);
            }
            seat.desk.picture(&format!("{name}-compare-zoomed"));
            seat.desk.press("0");
        }
        // Nothing that would tell, before the own word.
        let shown = seat.desk.reads("main");
        for secret in ["Person of", "B440", "Score 0", "Date of birth"] {
            assert!(!shown.contains(secret), "'{secret}' in {shown}");
        }
        seat.desk.press("f");
        seat.desk.write(feature);
        seat.desk.tab_to("radio", "Not noted");
        for _ in 0..arrows {
            seat.desk.press("ArrowRight");
        }
        seat.desk.press(key);
        if !pictured {
            seat.desk.picture(&format!("{name}-compare-judged"));
        }
        seat.desk.press("Enter");
        seat.desk.sees("What you noted");
        assert!(seat.desk.reads("main").contains(words));
        if !pictured {
            seat.looks(&format!("{name}-compare-recorded"));
            pictured = true;
        }
        // The way on has the focus.
        let (_, way) = seat.desk.focus();
        seat.desk.press("Enter");
        if way == "All are done: to the array" {
            break;
        }
        assert_eq!(way, "Next open candidate");
    }
    seat.desk.sees("You can finish.");
    seat.looks(&format!("{name}-array-done"));
    seat.desk.press("e");
    seat.desk.sees("Next");
    seat.desk.sees_no("You can finish.");
}

/// The operator asks; the inquiry's name.
fn the_operator_searches(operator: &Seat<'_>, probe: &Path) -> String {
    operator.desk.insert("olsen");
    operator.desk.open("/console");
    operator.desk.arrives_at("/console/log-on");
    operator.types("Account name", "olsen");
    operator.desk.press("Enter");
    operator.desk.arrives_at("/console/banner");
    operator.looks("10-banner");
    operator.presses("button", "I have read this and go on");
    operator.desk.arrives_at("/console/work");
    operator.looks("11-work-empty");
    operator.desk.press("?");
    operator.looks("12-keys");
    operator.desk.press("Escape");
    operator.desk.sees_no("Switch single keys off");
    operator.desk.press("n");
    operator.desk.arrives_at("/console/inquiries/new");
    operator.looks("13-new-inquiry");
    operator.asks(REASON);
    operator.looks("14-new-inquiry-filled");
    operator.presses("button", "Open the inquiry");
    operator.desk.sees("Bring the probe");
    let inquiry = operator.path().split('/').nth(3).unwrap().to_owned();
    operator.looks("15-probe-wanted");
    operator.sends(probe);
    operator.desk.sees("Face 1");
    operator.looks("16-faces");
    operator.chooses();
    operator.looks("17-face-chosen");
    operator.desk.press("a");
    operator.desk.arrives_at(&format!("/console/inquiries/{inquiry}/approve"));
    operator.looks("18-approve");
    operator.presses("button", "Touch your key to search");
    operator.desk.sees("The array is there.");
    operator.looks("19-answered");
    // An operator who is no examiner sees candidates when two examiners have finished, and not
    // before.
    operator.desk.open(&format!("/console/inquiries/{inquiry}/array"));
    operator.desk.sees("The array is shown to the operator once two examiners have finished");
    operator.looks("20-array-closed-to-the-operator");
    inquiry
}

/// Two examiners, one after the other at the same desk.
fn two_examiners_judge(examiners: &Seat<'_>, inquiry: &str, obama: VersionId, biden: VersionId) {
    examiners.logs_on("ellis", "/console/work");
    examiners.looks("21-work-with-a-free-review");
    examiners.presses("link", "Take the first review for 26-004711");
    examiners.presses("button", "Take the first review");
    examiners.desk.arrives_at(&format!("/console/inquiries/{inquiry}/array"));
    examiners.looks("22-first-array");
    review(examiners, |version| if version == obama { LEAD } else { NO_LEAD }, "23-first");
    examiners.desk.sees("A second examiner, another person");
    examiners.desk.sees("You can't act on this inquiry now.");
    examiners.looks("24-first-review-finished");
    examiners.logs_off();
    examiners.logs_on("frey", "/console/work");
    examiners.presses("link", "Take the second, blind review for 26-004711");
    examiners.presses("button", "Take the second, blind review");
    examiners.desk.arrives_at(&format!("/console/inquiries/{inquiry}/array"));
    examiners.looks("25-second-array");
    review(
        examiners,
        |version| if version == obama || version == biden { LEAD } else { NO_LEAD },
        "26-second",
    );
    examiners.looks("27-both-reviews-finished");
    examiners.desk.open(&format!("/console/inquiries/{inquiry}/array"));
    examiners.desk.sees("The two examiners disagree on 1 candidate");
    examiners.looks("28-disagreement-shown-to-both-afterwards");
    examiners.desk.open(&format!("/console/inquiries/{inquiry}/compare/{biden}"));
    examiners.looks("29-compare-after-both");
    for (name, width, height, scale) in [
        ("29-compare-on-a-4k-screen", 3_840, 2_160, 1.0),
        ("29-compare-on-a-4k-screen-at-150", 2_560, 1_440, 1.5),
    ] {
        examiners.desk.resize(width, height, scale);
        examiners.looks(name);
    }
}

/// The report, by its operator, with its proof, before and after a witness came by; gives the file.
fn the_report_is_issued(operator: &Seat<'_>, room: &ControlRoom, visits: &dyn Fn()) -> Vec<u8> {
    operator.desk.open("/console/work");
    operator.looks("30-work-with-a-report-to-issue");
    operator.presses("link", "Issue the report for 26-004711");
    operator.looks("31-report-to-issue");
    operator.presses("button", "Issue the report");
    operator.desk.sees("SHA-256 of the PDF");
    operator.looks("32-report-issued");
    operator.presses("link", "Download the PDF");
    let pdf = operator.desk.downloaded();
    operator.presses("link", "Download its proof");
    let proof = operator.desk.downloaded();
    assert_eq!(
        proof.file_name().unwrap().to_str().unwrap(),
        format!("{}.tlog-proof", pdf.file_name().unwrap().to_str().unwrap())
    );
    let file = fs::read(&pdf).unwrap();
    is_valid(&pdf);
    pages_of(&pdf);
    let early = verified(room, &pdf);
    assert!(early.status == Some(3) && early.stdout.starts_with("NOT YET WITNESSED"), "{early:?}");
    // A witness comes by, and the proof is fetched again.
    visits();
    operator.desk.reload();
    operator.desk.sees("Cosigned by a quorum of witnesses");
    operator.presses("link", "Download its proof");
    assert_eq!(operator.desk.downloaded(), proof);
    let holds = verified(room, &pdf);
    assert!(holds.status == Some(0) && holds.stdout.contains("cosigned  court"), "{holds:?}");
    every_altered_byte_is_found(room, &pdf, &proof);
    file
}

/// Who received the report, and what became of it.
fn the_outcome_is_recorded(operator: &Seat<'_>, inquiry: &str) {
    operator.unfolds("Record who received it");
    operator.types("Received by", "Sgt. B. Keller");
    operator.types("Of which agency, court or office", "Circuit Attorney's Office");
    operator.presses("button", "Record the hand-over");
    operator.desk.sees("Sgt. B. Keller, Circuit Attorney's Office, recorded by olsen");
    operator.picks("What became of it", "Positive");
    operator.types(
        "Independent evidence (may be left out)",
        "Two witnesses who know him named him before they were shown any photo.",
    );
    operator.types("I/Leads number (may be left out)", "IL-26-0193");
    operator.presses("button", "Record the outcome");
    operator.desk.sees("Two witnesses who know him");
    operator.looks("33-report-with-its-outcome");
    operator.desk.open("/console/outcomes");
    operator.looks("34-outcomes");
    operator.desk.open(&format!("/console/inquiries/{inquiry}"));
    operator.looks("35-inquiry-closed");
}

/// The auditor draws every search there was, opens what was asked, and says what was found.
fn the_auditor_looks(auditor: &Seat<'_>) {
    auditor.logs_on("clark", "/console/log");
    auditor.looks("36-log");
    auditor.desk.open("/console/samples");
    auditor.types("Seed", "4711");
    auditor.types("Of a million searches, draw", "1000000");
    auditor.presses("button", "Draw");
    auditor.desk.sees("1 of 1 searches");
    auditor.looks("37-sample");
    let asked = auditor.desk.evaluate(
        "document.querySelector('details a[href^=\"/console/log/\"]').getAttribute('href')",
    );
    auditor.desk.open(asked.as_str().unwrap());
    auditor.desk.sees("\"olsen\"");
    auditor.looks("38-leaf-opened");
    auditor.desk.open("/console/samples");
    let leaf = asked.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    auditor.unfolds(&format!("Search of leaf {leaf}"));
    auditor.picks("What you find", "In order");
    auditor.types(
        "In words",
        "Asked for a named case, touched, and seen by two who disagreed on one candidate.",
    );
    auditor.presses("button", &format!("Record the finding for leaf {leaf}"));
    auditor.desk.sees(&format!("Leaf {leaf}: In order"));
    auditor.desk.open("/console/findings");
    auditor.desk.sees("seen by two who disagreed");
    auditor.looks("39-findings");

    auditor.desk.open("/console/operators");
    auditor.desk.sees("coefficient of variation");
    auditor.looks("39-operators");
}

/// A court asks for the report again: the commander orders a copy, the auditor gives it out.
fn a_further_copy_is_given_out(
    officials: &Seat<'_>,
    auditor: &Seat<'_>,
    inquiry: &str,
    report: &[u8],
) {
    officials.logs_on("commander", "/console/grants");
    officials.desk.open("/console/copies");
    officials.types("Inquiry", inquiry);
    officials.types("For", "Clerk V. Brandt");
    officials.types("Of which agency, court or office", "Circuit Court of St. Louis");
    officials
        .types("Why", "Discovery in the case against the person found, by order of the court.");
    officials.looks("43-copy-to-order");
    officials.presses("button", "Order the copy by touch");
    officials.desk.sees("not yet");
    officials.looks("44-copy-ordered");
    officials.logs_off();
    auditor.desk.open("/console/copies");
    auditor.looks("45-copy-to-give-out");
    auditor.presses("button", "Give out by touch");
    assert!(fs::read(auditor.desk.downloaded()).unwrap() == report, "it is the report, bit by bit");
    auditor.desk.sees("by clark");
    auditor.looks("46-copy-given-out");
}

#[test]
fn a_case_is_worked_in_browsers_by_keyboard_alone_from_request_to_outcome() {
    let site = Site::new();
    site.add_witnesses(&[("court", None)], 1, 60);
    let room = ControlRoom::of(site);
    let daemon = room.start();
    // The box holds a log already, of its first officials: its doors open once a witness has seen
    // that.
    let visits = || {
        assert_eq!(daemon.witness("court", &room.site.witness_identity("court")).status, Some(0))
    };
    visits();
    let browsers = Browsers::start("case", &room.site);
    let [obama, biden, _] = enrolled(&daemon);
    let probe = room.site.path("still.jpg");
    fs::write(&probe, photo(OBAMA_LATER)).unwrap();

    let officials = Seat::take(&browsers, "admin-1", &daemon);
    staff(&officials, &room);

    let operator = Seat::take(&browsers, "rtcc-1", &daemon);
    let inquiry = the_operator_searches(&operator, &probe);
    let examiners = Seat::take(&browsers, "rtcc-2", &daemon);
    two_examiners_judge(&examiners, &inquiry, obama, biden);
    let report = the_report_is_issued(&operator, &room, &visits);
    the_outcome_is_recorded(&operator, &inquiry);
    let auditor = Seat::take(&browsers, "audit-1", &daemon);
    the_auditor_looks(&auditor);
    a_further_copy_is_given_out(&officials, &auditor, &inquiry, &report);

    // Administrators see how the box and its accounts are, and nothing of the case.
    officials.logs_on("administrator", "/console/decisions");
    officials.desk.open("/console/roster");
    officials.looks("40-roster");
    officials.desk.open("/console/alarms");
    officials.looks("41-alarms");
    officials.desk.expects("status of 403");
    officials.desk.open(&format!("/console/inquiries/{inquiry}"));
    officials.desk.sees("This is not shown");
    officials.looks("42-not-shown");

    drop((officials, operator, examiners, auditor));
    assert_eq!(daemon.stop(), Some(0));
    let kinds = room.site.log_kinds();
    let of_the_case = [
        LeafKind::InquiryOpened,
        LeafKind::Asked,
        LeafKind::Answered,
        LeafKind::Reviewed,
        LeafKind::Reviewed,
        LeafKind::ReportIssued,
    ];
    let seen: Vec<LeafKind> = kinds.into_iter().filter(|kind| of_the_case.contains(kind)).collect();
    assert_eq!(seen, of_the_case);
}

/// What anybody with the keys is told of a report and its proof, offline.
fn verified(room: &ControlRoom, pdf: &Path) -> Ended {
    let key = CosignerKey::new(
        &witness_name("court"),
        &fs::read(room.site.witness_secret("court")).unwrap(),
    )
    .unwrap();
    let court =
        Witness { name: "court".to_owned(), key: key.verifier().clone(), independent: true };
    let keys = room.site.path("keys");
    fs::write(
        &keys,
        Quorum::new(room.site.log_verifier(), vec![court], 1, 60).unwrap().to_string(),
    )
    .unwrap();
    ended(
        Command::new(env!("CARGO_BIN_EXE_smrtctl"))
            .args(["report", "verify"])
            .arg(pdf)
            .arg("--keys")
            .arg(&keys),
    )
}

/// Holds that a hundred bytes all over the report, and a hundred of its proof, can't be altered one
/// by one unnoticed.
fn every_altered_byte_is_found(room: &ControlRoom, pdf: &Path, proof: &Path) {
    for file in [pdf, proof] {
        let whole = fs::read(file).unwrap();
        for n in 0..100 {
            let mut altered = whole.clone();
            let at = n * (whole.len() - 1) / 99;
            altered[at] ^= 1 << (n % 8);
            fs::write(file, &altered).unwrap();
            let told = verified(room, pdf);
            assert!(told.status != Some(0), "byte {at} of {}: {told:?}", file.display());
        }
        fs::write(file, &whole).unwrap();
    }
    assert_eq!(verified(room, pdf).status, Some(0));
}

/// Holds that the report is a valid PDF as far as QPDF can tell, and PDF/A as far as pikepdf shows
/// it.
fn is_valid(pdf: &Path) {
    for check in [
        Command::new("qpdf").arg("--check").arg(pdf),
        Command::new("/usr/bin/python3").arg(root().join("src/compare_report/check.py")).arg(pdf),
    ] {
        let told = ended(check);
        assert_eq!(told.status, Some(0), "{told:?}");
    }
}

/// Keeps the report's pages as pictures beside those of the console.
fn pages_of(pdf: &Path) {
    let screens = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screens/case");
    let drawn = Command::new("mutool")
        .args(["draw", "-q", "-r", "90", "-o"])
        .arg(screens.join("report-page-%d.png"))
        .arg(pdf)
        .status()
        .unwrap();
    assert!(drawn.success());
}
