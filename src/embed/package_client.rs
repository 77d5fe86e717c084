//! The registry's ordinary client, Python's pip: the one program that downloads.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::PackageError;
use super::package_list::{Package, PackageKind};

/// The registry's client: a program with the arguments that come before `download`.
#[derive(Clone, Debug)]
pub struct PackageClient {
    program: OsString,
    args: Vec<OsString>,
}

impl PackageClient {
    /// Python's package client, as this machine's `python3` runs it.
    pub fn pip() -> Self {
        Self::new("python3", &["-m", "pip"])
    }

    /// Another program that understands the same arguments.
    pub fn new(program: impl Into<OsString>, args: &[&str]) -> Self {
        Self { program: program.into(), args: args.iter().map(OsString::from).collect() }
    }

    /// Downloads one package whose name and digest stand in `requirements`, into `downloads`.
    ///
    /// Errors: `MissingClient`, `Client`.
    pub(super) fn download(
        &self,
        package: &Package,
        requirements: &Path,
        downloads: &Path,
    ) -> Result<(), PackageError> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).args([
            "download",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ]);
        match package.kind {
            PackageKind::Wheel => command.arg("--only-binary=:all:"),
            PackageKind::Sdist => command.arg("--no-binary=:all:"),
        };
        for platform in &package.platforms {
            command.args(["--platform", platform]);
        }
        if let Some(python) = &package.python {
            command
                .args(["--implementation", "cp", "--python-version", python])
                .arg("--abi")
                .arg(format!("cp{python}"));
        }
        command
            .arg("--dest")
            .arg(downloads)
            .arg("--requirement")
            .arg(requirements)
            .stdin(Stdio::null());
        let output = command.output().map_err(|_| self.missing())?;
        if output.status.success() {
            return Ok(());
        }
        let said = tail(&output.stderr);
        if said.contains("No module named pip") {
            return Err(self.missing());
        }
        Err(PackageError::Client {
            package: package.name_and_version(),
            status: output.status,
            said,
        })
    }

    fn missing(&self) -> PackageError {
        PackageError::MissingClient { program: self.program.to_string_lossy().into_owned() }
    }
}

/// The last lines of what the client said, on one line.
fn tail(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    lines[lines.len().saturating_sub(6)..].join("; ")
}
