//! A control room in real browsers: people with security keys at the real daemon's console, who use
//! nothing but the keyboard.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::json;

use crate::browser::{Browsers, Desk, Shifts};
use crate::site::{CONSOLE, Daemon, Site};

/// A page that moves by more than this by itself is one that a reader loses their place on. In
/// Chromium's measure, of which 0.1 is called good.
const SHIFT_MAX: f64 = 0.01;

/// A site whose console is where its browsers look for it, whoever holds the door.
pub(crate) struct ControlRoom {
    pub(crate) site: Site,
    listener: TcpListener,
}

impl ControlRoom {
    pub(crate) fn new() -> Self {
        Self::of(Site::new())
    }

    /// The room of a site whose configuration is written; its console gets a port.
    pub(crate) fn of(mut site: Site) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("{CONSOLE}:{}", listener.local_addr().unwrap().port());
        let config = fs::read_to_string(site.config()).unwrap();
        fs::write(
            site.config(),
            config.replace(&format!("\"{CONSOLE}\""), &format!("\"{origin}\"")),
        )
        .unwrap();
        site.appoint();
        Self { site, listener }
    }

    /// Has commander and administrator enrol their keys, and admit these people in these roles; the
    /// desk is theirs no longer.
    #[track_caller]
    pub(crate) fn admit(
        &self,
        browsers: &Browsers<'_>,
        daemon: &Daemon<'_>,
        staff: &[(&str, &str)],
    ) {
        let officials = Seat::take(browsers, "admin-1", daemon);
        for official in ["commander", "administrator"] {
            officials.enrols(official, self.site.code_of(official));
        }
        officials.logs_on("administrator", "/console/decisions");
        for (person, role) in staff {
            officials.asks_for("administrator", person, role);
        }
        officials.logs_off();
        officials.logs_on("commander", "/console/grants");
        for (person, _) in staff {
            officials.presses("button", &format!("Approve by touch for {person}"));
            officials.desk.sees_no(&format!("badge-{person}"));
        }
        officials.logs_off();
    }

    /// Starts the daemon; callers wait at the door meanwhile.
    pub(crate) fn start(&self) -> Daemon<'_> {
        self.site.start_on(&self.listener)
    }
}

/// Somebody at a desk. They press keys, and look at every page that they come to.
pub(crate) struct Seat<'b> {
    pub(crate) desk: Desk<'b>,
    /// Pages that were looked at already: each is looked at with care once.
    seen: RefCell<BTreeSet<String>>,
}

impl<'b> Seat<'b> {
    /// Sits down at a device.
    pub(crate) fn take(browsers: &'b Browsers<'b>, device: &str, daemon: &Daemon<'_>) -> Self {
        Self { desk: browsers.desk(device, &daemon.url()), seen: RefCell::default() }
    }

    /// Looks at the page as it is: it is accessible, stood still while it came, and a picture of it
    /// is kept.
    #[track_caller]
    pub(crate) fn looks(&self, name: &str) {
        let Shifts { alone, .. } = self.desk.shifts();
        assert!(alone <= SHIFT_MAX, "{name} moved by {alone}");
        self.reads(name);
    }

    /// As `looks`, at a page that has made room for a refusal meanwhile.
    #[track_caller]
    pub(crate) fn reads(&self, name: &str) {
        assert!(self.seen.borrow_mut().insert(name.to_owned()), "{name} was looked at already");
        self.desk.is_accessible();
        let beyond = self.desk.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        assert_eq!(beyond, 0, "{name} is wider than its window by so many pixels");
        self.desk.picture(name);
        self.desk.picture_of_all(&format!("{name}-whole"));
    }

    /// Goes to a button or link by the tabulator, and presses it.
    #[track_caller]
    pub(crate) fn presses(&self, role: &str, name: &str) {
        self.desk.tab_to(role, name);
        self.desk.press("Enter");
    }

    /// Goes to a field and types.
    #[track_caller]
    pub(crate) fn types(&self, label: &str, text: &str) {
        self.desk.tab_to_field(label);
        self.desk.press("Control+a");
        self.desk.write(text);
    }

    /// Goes to a box, or to the radio button at which the tabulator stops, and chooses it.
    #[track_caller]
    pub(crate) fn ticks(&self, label: &str) {
        self.desk.tab_to_field(label);
        self.desk.press("Space");
    }

    /// Goes to a list and chooses, as it is done there: by the first letters.
    #[track_caller]
    pub(crate) fn picks(&self, label: &str, option: &str) {
        self.desk.tab_to_field(label);
        self.desk.write(option);
    }

    /// Goes to what is folded up, by its summary, and opens it.
    #[track_caller]
    pub(crate) fn unfolds(&self, summary: &str) {
        self.desk.tab_to_words(summary);
        self.desk.press("Enter");
    }

    /// Logs on with the key that is in the desk.
    #[track_caller]
    pub(crate) fn logs_on(&self, person: &str, home: &str) {
        self.desk.insert(person);
        self.desk.open("/");
        self.desk.arrives_at("/console/log-on");
        self.types("Account name", person);
        self.desk.press("Enter");
        self.desk.arrives_at("/console/banner");
        self.presses("button", "I have read this and go on");
        self.desk.arrives_at(home);
    }

    #[track_caller]
    pub(crate) fn logs_off(&self) {
        self.presses("button", "Log off");
        self.desk.arrives_at("/console/log-on");
        self.desk.withdraw();
    }

    /// Enrols the key of somebody who was appointed at the box.
    #[track_caller]
    pub(crate) fn enrols(&self, person: &str, code: &str) {
        self.desk.insert(person);
        self.desk.open("/console/enrol");
        self.types("Account name", person);
        self.types("Code", code);
        self.desk.press("Enter");
        self.desk.arrives_at("/console/log-on");
    }

    /// Asks, as the administrator who is logged on here, for an account with a fresh key: the
    /// person's key makes its credential, then the administrator's signs.
    #[track_caller]
    pub(crate) fn asks_for(&self, administrator: &str, person: &str, role: &str) {
        self.desk.open("/console/grants/new");
        self.fills_in(person, role);
        self.desk.holds("POST", "/v1/grants/challenge");
        self.desk.insert(person);
        self.presses("button", "Ask the commander, by touch");
        self.desk.is_held_up();
        self.desk.insert(administrator);
        self.desk.lets_go();
        self.desk.arrives_at("/console/grants");
    }

    /// The form for an account.
    #[track_caller]
    pub(crate) fn fills_in(&self, person: &str, role: &str) {
        self.types("Account name", person);
        self.types("Name", &format!("Officer {person}"));
        self.types("Badge", &format!("badge-{person}"));
        self.picks("Employing agency", "Metropolitan");
        self.picks("Role", role);
        self.desk.tab_to_field("Training counts until");
        self.desk.write("12312027");
    }

    /// Fills in a request that is in order, all but what happened.
    #[track_caller]
    pub(crate) fn asks(&self, reason: &str) {
        self.types("Name of the detective or officer", "Det. A. Ortiz");
        self.types("Badge", "2210");
        self.picks("Agency", "Metropolitan");
        self.ticks("A complaint number");
        self.types("Complaint number", "26-004711");
        self.ticks("Investigation, detection or analysis of crime");
        self.types("Reason", reason);
        self.types("Where the photo comes from", "store camera, exported by the store");
        self.ticks(
            "The search is not solely for speech or action that the First Amendment protects.",
        );
        self.ticks(
            "The probe is a photo of the person sought: no sketch, no composite, nothing \
            generated, no other person's image.",
        );
        self.ticks("The probe comes from the source that is stated.");
    }

    /// Opens an inquiry; the last part of its address.
    #[track_caller]
    pub(crate) fn opens_inquiry(&self, reason: &str) -> String {
        self.desk.open("/console/inquiries/new");
        self.asks(reason);
        self.presses("button", "Open the inquiry");
        self.desk.sees("Bring the probe");
        let path = self.path();
        path.strip_prefix("/console/inquiries/")
            .and_then(|rest| rest.strip_suffix("/probe"))
            .unwrap_or_else(|| panic!("{path}"))
            .to_owned()
    }

    /// Sends a probe.
    #[track_caller]
    pub(crate) fn sends(&self, file: &Path) {
        self.desk.tab_to_field("Photo");
        self.desk.attach_by_key("Enter", file);
        self.presses("button", "Send the photo");
    }

    /// Chooses the only face.
    #[track_caller]
    pub(crate) fn chooses(&self) {
        self.desk.sees("Which face");
        self.ticks("Face 1");
        self.presses("button", "Choose this face");
        self.desk.sees("Quality of the face");
        assert_eq!(self.desk.focus().1, "Go on to the approval", "the way on has the focus");
    }

    /// Where the tab is.
    #[track_caller]
    pub(crate) fn path(&self) -> String {
        self.desk.evaluate("location.pathname").as_str().unwrap().to_owned()
    }

    /// The revision at which an inquiry stands.
    #[track_caller]
    pub(crate) fn revision(&self, inquiry: &str) -> u64 {
        let asked = format!(
            "fetch('/v1/inquiries/{inquiry}').then((answer) => \
             answer.json()).then(({{ revision }}) => revision)"
        );
        self.desk.evaluate(&asked).as_u64().unwrap()
    }

    /// Asks the box from the page as a page of ours would not: the status and what was said.
    #[track_caller]
    pub(crate) fn asks_by_hand(
        &self,
        method: &str,
        path: &str,
        body: &serde_json::Value,
    ) -> (u64, String) {
        let body = if method == "GET" { json!(null) } else { body.to_string().into() };
        let ask = json!({"method": method, "headers": {"content-type": "application/json"},
            "body": body});
        let told = self.desk.evaluate(&format!(
            "fetch({path:?}, {ask}).then(async (answer) => [answer.status, await answer.text()])"
        ));
        (told[0].as_u64().unwrap(), told[1].as_str().unwrap().to_owned())
    }
}
