//! User stories, each through the real doors.

#![allow(clippy::unwrap_used, reason = "a story that can't go on has failed")]

mod a_bridge_to_other_witnesses;
mod a_browser_comes_to_the_door;
mod a_browser_is_refused;
mod a_case_is_worked_in_browsers;
mod a_console_searches;
mod a_court_verifies_a_report;
mod a_probe_is_handed_over;
mod a_release_comes_between;
mod a_report_leaves_the_box;
mod a_software_key_searches_nothing;
mod a_stranger_knocks;
mod a_stranger_locks_people_out;
mod a_witness_cosigns;
mod accounts_end;
mod an_agency_expunges;
mod an_agency_pushes_bookings;
mod an_attacker_reads_the_log;
mod an_auditor_verifies;
mod an_inquiry_is_run;
mod an_operator_keeps_to_the_ceilings;
mod every_route_is_refused_to_who_may_not;
mod inquiries_end;
mod it_installs_the_box;
mod nobody_looks_alone;
mod outsiders_verify;
mod outsiders_verify_touches;
mod people_are_admitted;
mod sessions_end;
mod the_disk_is_full;
mod the_log_says_who_did_what;
mod the_model_is_changed;
mod the_power_is_cut;
mod the_power_is_cut_through_an_end;
mod the_public_reads_the_figures;
mod the_roster_is_checked;

#[path = "../../src/disk/fake.rs"]
mod fake_disk;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../src/client/test_log/tampering.rs"]
mod tampering;
#[path = "../../src/client/test_log/tiles.rs"]
mod tiles;

use support::{
    attacker, browser, builders, clocked, control_room, daemon, desks, door, photos, raw, site,
};
