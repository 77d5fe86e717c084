//! An installer has a roster file checked before it is put in place, and looks at what the box
//! serves by.

use std::fs;
use std::process::Command;

use crate::site::{Ended, Site, ended};

fn check(site: &Site, words: &[&str]) -> Ended {
    ended(
        Command::new(env!("CARGO_BIN_EXE_smrtctl"))
            .args(["roster", "check"])
            .arg(site.path("roster.toml"))
            .args(words),
    )
}

#[test]
fn a_roster_file_is_checked_without_a_box_and_each_fault_is_named() {
    let site = Site::new();
    let tests_only = check(&site, &[]);
    assert_eq!(tests_only.status, Some(1));
    assert!(
        tests_only.stdout.contains(
            "WRONG  ceilings: an operator would search with 0 s between two, 1000000 an hour"
        ),
        "{tests_only:?}"
    );
    assert!(tests_only.stderr.contains("one thing in"), "{tests_only:?}");
    let good = check(&site, &["--for-tests"]);
    assert_eq!((good.status, good.stdout.matches("WRONG").count()), (Some(0), 0), "{good:?}");
    for line in [
        "ok     agency 'slmpd': active today",
        "ok     agency 'gone': WARNING: agency 'gone' is not active: its agreement has ended",
        "ok     device 'admin-1': server room, administers",
        "ok     device 'audit-1': inspector's office, audits",
        "ok     quorum: WARNING: none; nobody outside would notice if the log were rewritten",
        "All is right. Its digest, as the log will have it: ",
    ] {
        assert!(good.stdout.contains(line), "wanted '{line}' in {}", good.stdout);
    }
    site.add_witnesses(&[("court", None), ("slmpd-keeper", Some("slmpd"))], 2, 60);
    let witnessed = check(&site, &["--for-tests"]);
    assert!(
        witnessed.stdout.contains("ok     quorum: 2 witnesses within 60 minutes"),
        "{witnessed:?}"
    );
    assert!(
        witnessed.stdout.contains("ok     witness 'slmpd-keeper': run by 'slmpd'"),
        "{witnessed:?}"
    );

    let whole = fs::read_to_string(site.path("roster.toml")).unwrap();
    for (found, wrong, told) in [
        ("kind = \"contributor\"", "kind = \"friend\"", "line 5"),
        ("mou_from = \"2026-01-12\"", "mou_from = \"last winter\"", "line 5"),
        ("policy_version = \"3\" }", "}", "policy_version"),
        ("id = \"stlco\"", "id = \"slmpd\"", "'slmpd' stands there twice"),
        (
            "audit = true",
            "audit = true\nadministration = true",
            "'audit-1' both administers and audits, wanted one of the two",
        ),
        ("witnesses = 2", "witnesses = 3", "3 of 2 witnesses make a quorum"),
        (
            "agency = \"slmpd\"\n",
            "agency = \"nobody\"\n",
            "witness 'slmpd-keeper' is run by an agency that is not in the roster",
        ),
        ("[ceilings]", "[ceiling]", "unknown field `ceiling`"),
        ("key = \"court.example", "key = \"somebody.example", "WRONG  witness 'court': its key"),
        (
            "name = \"County Police\"",
            "name = \"County Police\"\nnumbers = \"\"",
            "WRONG  agency 'stlco': the pattern of its numbers",
        ),
    ] {
        assert!(whole.contains(found), "{found}");
        fs::write(site.path("roster.toml"), whole.replacen(found, wrong, 1)).unwrap();
        let refused = check(&site, &["--for-tests"]);
        assert_eq!(refused.status, Some(1), "{wrong}: {refused:?}");
        assert!(
            format!("{}{}", refused.stdout, refused.stderr).contains(told),
            "wanted '{told}' in {refused:?}"
        );
    }
    fs::remove_file(site.path("roster.toml")).unwrap();
    assert_eq!(check(&site, &[]).status, Some(1));
}

#[test]
fn consoles_with_administration_and_no_others_are_shown_what_the_box_serves_by() {
    let site = Site::new();
    let digest =
        check(&site, &["--for-tests"]).stdout.trim().rsplit(' ').next().unwrap().to_owned();
    let daemon = site.start("test");
    let administers = site.console_identity("admin-1");
    let shown = daemon.smrtctl(&administers, &["roster", "show"]);
    assert_eq!(shown.status, Some(0), "{shown:?}");
    for line in [
        format!("digest    {digest}"),
        "agency    slmpd            contributor  Metropolitan Police Department \
         (active)".to_owned(),
        "agency    gone             contributor  An agency whose memorandum has ended (not active: \
         its agreement has ended)".to_owned(),
        "agency    madison          requester    Madison County (active)".to_owned(),
        "device    rtcc-1           RTCC, desk 1".to_owned(),
        "device    admin-1          server room, administers".to_owned(),
        "quorum    WARNING: none".to_owned(),
        "ceilings  0 s between two, 1000000 an hour, 1000000 a day".to_owned(),
        "Accounts, roles and keys are given at a console, not in the roster.".to_owned(),
    ] {
        assert!(shown.stdout.contains(&line), "wanted '{line}' in {}", shown.stdout);
    }
    let json = daemon.smrtctl(&administers, &["roster", "show", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["sha256"], &json["ceilings"]["per_day"]),
        (&digest.clone().into(), &1_000_000.into())
    );
    for (other, words) in [
        (
            site.console_identity("rtcc-1"),
            "'smrt:device/rtcc-1' may not look at the roster file, that is for a console with \
             administration",
        ),
        (site.console_identity("audit-1"), "may not look at the roster file"),
        (site.feed_identity("slmpd"), "may not look at the roster file"),
        (site.console_identity("unlisted"), "'smrt:device/unlisted' is not in the roster"),
    ] {
        let refused = daemon.smrtctl(&other, &["roster", "show"]);
        assert!(refused.status == Some(1) && refused.stderr.contains(words), "{refused:?}");
    }
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    assert!(
        log.iter().any(|(_, detail)| detail["roster_sha256"] == digest.as_str()),
        "the log names what the box served by"
    );
    assert!(site.refusals(smrt::audit::LeafKind::CallerRefused).len() >= 4);
    let help = ended(Command::new(env!("CARGO_BIN_EXE_smrtctl")).args(["roster", "--help"]));
    let whose = "an administrator asks for them at a console, and the commander approves";
    assert!(help.stdout.contains(whose), "{help:?}");
}
