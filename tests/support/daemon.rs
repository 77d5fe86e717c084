//! The real daemon over a site, as a process of its own, and how commands end.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Instant;

use crate::door::Door;
use crate::site::{HELD, PATIENCE, Site};

/// The running daemon; dropped, it is killed.
pub(crate) struct Daemon<'s> {
    door: Door<'s>,
    child: Child,
}

impl<'s> Deref for Daemon<'s> {
    type Target = Door<'s>;

    fn deref(&self) -> &Door<'s> {
        &self.door
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Site {
    /// The command that runs the daemon.
    fn run(&self, create_as: Option<&str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smrtd"));
        command.arg("run").arg("--config").arg(self.config());
        if let Some(kind) = create_as {
            command.args(["--create-as", kind]);
        }
        command
    }

    /// Starts the daemon and waits until it is ready.
    pub(crate) fn start(&self, create_as: &str) -> Daemon<'_> {
        let begun = Instant::now();
        loop {
            match self.ready(self.run(Some(create_as))) {
                Ok(daemon) => return daemon,
                Err(ended) if ended.stderr.contains(HELD) && begun.elapsed() < PATIENCE => {}
                Err(ended) => panic!("the daemon ended: {ended:?}"),
            }
        }
    }

    /// Starts the daemon as systemd does, which is told how far it is by this socket.
    pub(crate) fn start_notifying(&self, create_as: &str, notify: &Path) -> Daemon<'_> {
        let mut command = self.run(Some(create_as));
        command.env("NOTIFY_SOCKET", notify);
        self.ready(command).unwrap_or_else(|ended| panic!("the daemon ended: {ended:?}"))
    }

    /// Starts the daemon over a socket that it is handed as systemd hands it over, so that callers
    /// wait while there is no daemon.
    pub(crate) fn start_on(&self, listener: &TcpListener) -> Daemon<'_> {
        let mut command = Command::new("sh");
        let run = r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" run --config "$1" --create-as test"#;
        command.args(["-c", run, env!("CARGO_BIN_EXE_smrtd")]).arg(self.config());
        command.stdin(OwnedFd::from(listener.try_clone().unwrap()));
        self.ready(command).unwrap_or_else(|ended| panic!("the daemon ended: {ended:?}"))
    }

    /// Starts the daemon with a bound on the size of every file, which is how a full medium shows
    /// itself to a growing store.
    pub(crate) fn start_bounded(&self, blocks_of_512: u32) -> Daemon<'_> {
        let mut command = Command::new("sh");
        // Ignored, the signal becomes an error of the write.
        let run = r#"trap '' XFSZ; ulimit -f "$2"; exec "$0" run --config "$1" --create-as test"#;
        command
            .args(["-c", run, env!("CARGO_BIN_EXE_smrtd")])
            .arg(self.config())
            .arg(blocks_of_512.to_string());
        self.ready(command).unwrap_or_else(|ended| panic!("the daemon ended: {ended:?}"))
    }

    /// Starts the daemon; how it ended, where it didn't come to be ready.
    pub(crate) fn try_start(&self, create_as: Option<&str>) -> Result<Daemon<'_>, Ended> {
        self.ready(self.run(create_as))
    }

    fn ready(&self, mut command: Command) -> Result<Daemon<'_>, Ended> {
        let log = self.path("journal");
        let journal = File::options().create(true).append(true).open(&log).unwrap();
        let before = usize::try_from(journal.metadata().unwrap().len()).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(journal).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (told, line) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            let _ = reader.read_line(&mut line);
            let _ = told.send(line);
            // The pipe stays open for as long as the daemon lives.
            let _ = reader.read_to_end(&mut Vec::new());
        });
        let line = line.recv_timeout(PATIENCE);
        let address = line
            .as_deref()
            .ok()
            .and_then(|line| line.trim_end().strip_prefix("ready on "))
            .and_then(|a| a.parse().ok());
        match address {
            Some(address) => Ok(Daemon { door: Door { site: self, address }, child }),
            None => {
                // Ended already, or it never comes to be ready.
                let _ = line.map_err(|_| child.kill());
                let status = child.wait().unwrap().code();
                let stderr =
                    String::from_utf8_lossy(&fs::read(log).unwrap()[before..]).into_owned();
                Err(Ended { status, stdout: String::new(), stderr })
            }
        }
    }

    /// `smrtd restore` with these words; no daemon may be running.
    pub(crate) fn restore(&self, words: &[&str]) -> Ended {
        ended(
            Command::new(env!("CARGO_BIN_EXE_smrtd"))
                .arg("restore")
                .arg("--config")
                .arg(self.config())
                .args(words),
        )
    }

    /// `smrtd check`, for the use that the site has.
    pub(crate) fn check(&self) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smrtd"));
        command.arg("check").arg("--config").arg(self.config());
        if !self.is_real {
            command.args(["--create-as", "test"]);
        }
        ended(&mut command)
    }
}

impl Daemon<'_> {
    /// Stops the daemon as systemd does and gives its exit status.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status().unwrap();
        assert!(told.success());
        // The daemon itself bounds how long it drains.
        self.child.wait().unwrap().code()
    }

    /// Waits until the daemon ends by itself and gives its exit status.
    pub(crate) fn exit_status(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Kills the daemon: SIGKILL, no word of warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // Ended already, where the story stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.env_remove("SMRT_SERVER").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
