//! The operating system user that runs the database programs.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// PostgreSQL and PgBouncer refuse to run as root. In that case one of these users runs them.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// A command that runs as an unprivileged user and ignores Ctrl-C in the terminal. It receives the signal `at_once`
/// when the thread that started it ends.
pub(crate) fn command(program: impl AsRef<OsStr>, at_once: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", at_once]);
    if let Some(account) = account() {
        let group = output(Command::new("id").args(["-g", account]));
        command
            .args(["--reuid", account, "--regid", &group])
            .arg("--clear-groups");
    }
    command.arg("--").arg(program).process_group(0);
    // The other user may not be allowed to read the current directory.
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// Changes the owner of a directory and its contents to the user of the programs.
pub(crate) fn chown(directory: &Path) {
    if let Some(account) = account() {
        output(Command::new("chown").args(["-R", account]).arg(directory));
    }
}

/// The user of the programs, or `None` if it is the current user.
fn account() -> Option<&'static str> {
    if output(Command::new("id").arg("-u")) != "0" {
        return None;
    }
    let exists = |account: &&&str| {
        let id = Command::new("id").arg(account).output();
        id.is_ok_and(|output| output.status.success())
    };
    let found = UNPRIVILEGED.iter().find(exists);
    Some(found.expect("the user `nobody` exists"))
}

/// Runs a command, which must succeed, and returns its output.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?} failed:\n{printed}\n{errors}"
    );
    printed
}
