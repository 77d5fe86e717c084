//! Desks with a real browser: each a headless Chromium under one device's certificate, with a
//! security key that can be plugged in.
//!
//! A story says what a person does and sees. Whatever a page complains of fails it: errors in the
//! console, exceptions, requests that failed, breaches of the content security policy. So does a
//! complaint that was expected and never came. `tests/browser/` has the driver; pictures are kept
//! in `tmp/screens/STORY/` below the target folder.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::photos::root;
use crate::site::{PATIENCE, Site};

/// How long a page may take for anything; less than the story's own patience, so that the driver
/// can still say what it saw.
const PAGE_PATIENCE: Duration = Duration::from_secs(60);

/// The browsers of one story and the keys of its people.
pub(crate) struct Browsers<'s> {
    site: &'s Site,
    pipe: Mutex<Pipe>,
    /// The desks' homes; removed after the driver has ended.
    _work: TempDir,
}

struct Pipe {
    child: Child,
    /// None once the story is over.
    commands: Option<ChildStdin>,
    answers: Receiver<String>,
}

/// A browser under one certificate.
pub(crate) struct Desk<'b> {
    browsers: &'b Browsers<'b>,
    name: String,
}

/// How the key in a desk behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Its owner is there, knows the PIN and touches it.
    Willing,
    /// Nobody touches it.
    Untouched,
    /// The PIN isn't known.
    Unverified,
    /// Its assertion says that nobody was present.
    WithoutPresenceBit,
    /// Its assertion says that nobody was verified.
    WithoutVerificationBit,
    /// Its signature is over something else.
    WithBadSignature,
    /// What it makes can be copied to another device.
    Synced,
}

/// How much a page moved under the reader's eyes, in Chromium's measure.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Shifts {
    /// By itself.
    pub(crate) alone: f64,
    /// In all, what keys and clicks moved included.
    pub(crate) all: f64,
}

/// When a page was there, in milliseconds since it was asked for.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Times {
    /// Its last byte.
    pub(crate) answered_ms: f64,
    /// Read, and its modules run.
    pub(crate) ready_ms: f64,
    /// With everything that it shows.
    pub(crate) loaded_ms: f64,
}

/// What axe-core finds on a page, a line each.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Findings {
    pub(crate) violations: Vec<String>,
    /// Left to an eye.
    pub(crate) unsure: Vec<String>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    ok: Value,
    error: Option<String>,
    #[serde(default)]
    complaints: Vec<String>,
}

/// What was still to be said when somebody left a desk.
#[derive(Deserialize)]
struct Left {
    missing: Vec<String>,
    complaints: Vec<String>,
}

impl<'s> Browsers<'s> {
    /// Starts the driver; `story` names the folder of its pictures.
    pub(crate) fn start(story: &str, site: &'s Site) -> Self {
        let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let modules = tmp.with_file_name("browser");
        assert!(
            modules.join("node_modules").is_dir(),
            "no node_modules in {}: tests/run fetches them",
            modules.display()
        );
        let screens = tmp.join("screens").join(story);
        // None there, on the first run.
        let _ = fs::remove_dir_all(&screens);
        let work = tempfile::tempdir().unwrap();
        let mut command = Command::new("node");
        command.arg(root().join("tests/browser/main.mjs")).args([&modules, work.path(), &screens]);
        command
            .arg(PAGE_PATIENCE.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("node runs: tests/run installs it");
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (told, answers) = channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| told.send(line))
        });
        let commands = child.stdin.take();
        Self { site, pipe: Mutex::new(Pipe { child, commands, answers }), _work: work }
    }

    /// Starts a browser under the certificate of a console, before the server at this address.
    /// Dropped, it is closed, and fails the story if a complaint was expected there and never came.
    #[track_caller]
    pub(crate) fn desk(&self, device: &str, url: &str) -> Desk<'_> {
        let identity = self.site.console_identity(device);
        let door = json!({ "url": url, "ca": self.site.ca(), "certificate": identity.certificate,
            "key": identity.key });
        self.seat(device, door)
    }

    /// Starts a browser without any certificate.
    #[track_caller]
    pub(crate) fn desk_without_certificate(&self, url: &str) -> Desk<'_> {
        self.seat("stranger", json!({ "url": url, "ca": self.site.ca() }))
    }

    #[track_caller]
    fn seat(&self, name: &str, door: Value) -> Desk<'_> {
        let desk = Desk { browsers: self, name: name.to_owned() };
        let () = desk.does("seat", door);
        desk
    }

    /// The credentials that a key holds, as the DevTools protocol's `WebAuthn.Credential`.
    #[track_caller]
    pub(crate) fn credentials(&self, key: &str) -> Vec<Value> {
        self.asks(json!({ "do": "credentials", "key": key }))
    }

    /// Lets a key hold these credentials and no others: an older counter, a credential that is
    /// synced, a copy of another's.
    #[track_caller]
    pub(crate) fn give(&self, key: &str, credentials: &[Value]) {
        self.asks(json!({ "do": "give", "key": key, "credentials": credentials }))
    }

    #[track_caller]
    fn asks<T: DeserializeOwned>(&self, command: Value) -> T {
        let said = self.pipe.lock().unwrap_or_else(PoisonError::into_inner).ask(&command);
        if let Some(error) = said.error {
            panic!("{command}: {error}\n{}", said.complaints.join("\n"));
        }
        assert!(
            said.complaints.is_empty(),
            "after {command} the page complained:\n{}",
            said.complaints.join("\n")
        );
        serde_json::from_value(said.ok).unwrap_or_else(|e| panic!("{command}: {e}"))
    }
}

impl Pipe {
    fn ask(&mut self, command: &Value) -> Said {
        let commands = self.commands.as_mut().expect("asked while the story goes on");
        writeln!(commands, "{command}").and_then(|()| commands.flush()).unwrap();
        let line = self
            .answers
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|e| panic!("{command}: the driver said nothing: {e}"));
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{command}: {e}: {line}"))
    }
}

impl Drop for Browsers<'_> {
    fn drop(&mut self) {
        let pipe = self.pipe.get_mut().unwrap_or_else(PoisonError::into_inner);
        // At the end of its input the driver closes all browsers and ends.
        pipe.commands = None;
        let _ = pipe.child.wait();
    }
}

impl Desk<'_> {
    #[track_caller]
    fn does<T: DeserializeOwned>(&self, verb: &str, mut words: Value) -> T {
        words["do"] = verb.into();
        words["desk"] = self.name.as_str().into();
        self.browsers.asks(words)
    }

    /// Opens a page of the server and waits until it is loaded; the status of its answer.
    #[track_caller]
    pub(crate) fn open(&self, path: &str) -> u16 {
        self.does("open", json!({ "path": path }))
    }

    /// Asks for a page that nobody gets; why not, in Chromium's word.
    #[track_caller]
    pub(crate) fn open_in_vain(&self, path: &str) -> String {
        self.does("fail", json!({ "path": path }))
    }

    #[track_caller]
    pub(crate) fn reload(&self) -> u16 {
        self.does("reload", json!({}))
    }

    /// Goes back to the page before, as the browser's own button does.
    #[track_caller]
    pub(crate) fn goes_back(&self) {
        self.does("back", json!({}))
    }

    /// Takes hold of the clock of the pages that this tab opens from now on: it goes on by itself,
    /// and by `pass_minutes`.
    #[track_caller]
    pub(crate) fn holds_the_clock(&self) {
        self.does("hold clock", json!({}))
    }

    /// Lets so many minutes pass on the page at once: what is due in them comes, once. The server's
    /// clock is its own.
    #[track_caller]
    pub(crate) fn pass_minutes(&self, minutes: u32) {
        self.does("pass", json!({ "minutes": minutes }))
    }

    /// Waits until this page is shown.
    #[track_caller]
    pub(crate) fn arrives_at(&self, path: &str) {
        self.does("arrive", json!({ "path": path }))
    }

    /// Opens another tab and turns to it; its number. The first has 0.
    #[track_caller]
    pub(crate) fn open_tab(&self) -> usize {
        self.does("open tab", json!({}))
    }

    /// Turns to a tab.
    #[track_caller]
    pub(crate) fn turn_to_tab(&self, tab: usize) {
        self.does("turn", json!({ "tab": tab }))
    }

    /// Plugs in this person's key, new where nobody has heard of it, and takes out any other; it
    /// leaves any other desk.
    #[track_caller]
    pub(crate) fn insert(&self, key: &str) {
        self.does("insert", json!({ "key": key }))
    }

    /// Takes the key out.
    #[track_caller]
    pub(crate) fn withdraw(&self) {
        self.does("withdraw", json!({}))
    }

    /// Lets the key in the desk behave like this from now on, until it is taken out.
    #[track_caller]
    pub(crate) fn key_is(&self, manner: Manner) {
        let manner = match manner {
            Manner::Willing => "willing",
            Manner::Untouched => "untouched",
            Manner::Unverified => "unverified",
            Manner::WithoutPresenceBit => "without presence bit",
            Manner::WithoutVerificationBit => "without verification bit",
            Manner::WithBadSignature => "with bad signature",
            Manner::Synced => "synced",
        };
        self.does("behave", json!({ "manner": manner }))
    }

    /// Presses a key, with others held: `Enter`, `Shift+Tab`, `Control+s`.
    #[track_caller]
    pub(crate) fn press(&self, keys: &str) {
        self.does("press", json!({ "keys": keys }))
    }

    /// Types into whatever is in focus.
    #[track_caller]
    pub(crate) fn write(&self, text: &str) {
        self.does("write", json!({ "text": text }))
    }

    /// Presses the tabulator until what has this role and accessible name is in focus; after how
    /// many presses, none where it is already.
    #[track_caller]
    pub(crate) fn tab_to(&self, role: &str, name: &str) -> usize {
        self.does("tab to", json!({ "role": role, "name": name }))
    }

    /// As `tab_to`, for the field with this label: some have no role.
    #[track_caller]
    pub(crate) fn tab_to_field(&self, label: &str) -> usize {
        self.does("tab to field", json!({ "label": label }))
    }

    /// As `tab_to`, for what has these words and no role, as a summary has.
    #[track_caller]
    pub(crate) fn tab_to_words(&self, words: &str) -> usize {
        self.does("tab to words", json!({ "words": words }))
    }

    /// Presses a key on the file field that is in focus, and chooses this file in the window that
    /// opens.
    #[track_caller]
    pub(crate) fn attach_by_key(&self, keys: &str, file: &Path) {
        self.does("attach by key", json!({ "keys": keys, "file": file }))
    }

    /// Holds the next request of this method for this path, as a slow network does, until
    /// `lets_go`.
    #[track_caller]
    pub(crate) fn holds(&self, method: &str, path: &str) {
        self.does("hold", json!({ "method": method, "path": path }))
    }

    /// Waits until the request is made that was last to be held.
    #[track_caller]
    pub(crate) fn is_held_up(&self) {
        self.does("held up", json!({}))
    }

    /// Lets the request go on that is held the longest.
    #[track_caller]
    pub(crate) fn lets_go(&self) {
        self.does("let go", json!({}))
    }

    /// Role and accessible name of what is in focus, as a screen reader is told them.
    #[track_caller]
    pub(crate) fn focus(&self) -> (String, String) {
        self.does("focus", json!({}))
    }

    /// Clicks what has this role and accessible name.
    #[track_caller]
    pub(crate) fn click(&self, role: &str, name: &str) {
        self.does("click", json!({ "role": role, "name": name }))
    }

    /// Fills the field with this label.
    #[track_caller]
    pub(crate) fn fill(&self, label: &str, text: &str) {
        self.does("fill", json!({ "label": label, "text": text }))
    }

    /// Chooses an option of the list with this label.
    #[track_caller]
    pub(crate) fn choose(&self, label: &str, option: &str) {
        self.does("choose", json!({ "label": label, "option": option }))
    }

    /// Ticks the box, or the one of several, with this label.
    #[track_caller]
    pub(crate) fn check(&self, label: &str) {
        self.does("check", json!({ "label": label }))
    }

    /// Attaches a file to the field with this label.
    #[track_caller]
    pub(crate) fn attach(&self, label: &str, file: &Path) {
        self.does("attach", json!({ "label": label, "file": file }))
    }

    /// Waits for the next file that was downloaded here.
    #[track_caller]
    pub(crate) fn downloaded(&self) -> PathBuf {
        self.does("downloaded", json!({}))
    }

    /// Waits until this text is to be seen.
    #[track_caller]
    pub(crate) fn sees(&self, text: &str) {
        self.does("see", json!({ "text": text }))
    }

    /// Waits until this text is to be seen no more.
    #[track_caller]
    pub(crate) fn sees_no(&self, text: &str) {
        self.does("see no", json!({ "text": text }))
    }

    /// The text of the one element that this selector finds.
    #[track_caller]
    pub(crate) fn reads(&self, selector: &str) -> String {
        self.does("read", json!({ "selector": selector }))
    }

    /// What an expression of the page's language gives.
    #[track_caller]
    pub(crate) fn evaluate(&self, expression: &str) -> Value {
        self.does("evaluate", json!({ "expression": expression }))
    }

    /// Keeps a picture of what the window shows; where.
    #[track_caller]
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        self.does("picture", json!({ "name": name, "whole": false }))
    }

    /// Keeps a picture of the page from top to bottom; where.
    #[track_caller]
    pub(crate) fn picture_of_all(&self, name: &str) -> PathBuf {
        self.does("picture", json!({ "name": name, "whole": true }))
    }

    /// Gives this tab's window another size, in pixels of the page, each so many of the screen's
    /// wide.
    #[track_caller]
    pub(crate) fn resize(&self, width: u32, height: u32, scale: f64) {
        self.does("resize", json!({ "width": width, "height": height, "scale": scale }))
    }

    /// Lets complaints with these words pass from now on; one at least must come before the story
    /// ends.
    #[track_caller]
    pub(crate) fn expects(&self, words: &str) {
        self.does("expect", json!({ "words": words }))
    }

    /// What axe-core finds on the page.
    #[track_caller]
    pub(crate) fn axe(&self) -> Findings {
        self.does("axe", json!({}))
    }

    /// Holds that axe-core finds no violation on the page.
    #[track_caller]
    pub(crate) fn is_accessible(&self) {
        let Findings { violations, .. } = self.axe();
        assert!(violations.is_empty(), "axe-core finds:\n{}", violations.join("\n"));
    }

    /// How much the page moved since it was opened.
    #[track_caller]
    pub(crate) fn shifts(&self) -> Shifts {
        self.does("shifts", json!({}))
    }

    /// When the page was there.
    #[track_caller]
    pub(crate) fn times(&self) -> Times {
        self.does("times", json!({}))
    }
}

impl Drop for Desk<'_> {
    /// The person leaves: by then everything came that was expected, and nothing else.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let Left { missing, complaints } = self.does("leave", json!({}));
            assert!(
                complaints.is_empty(),
                "at desk {} the page complained:\n{}",
                self.name,
                complaints.join("\n")
            );
            assert!(
                missing.is_empty(),
                "expected at desk {} and never came: {}",
                self.name,
                missing.join(", ")
            );
        }
    }
}
