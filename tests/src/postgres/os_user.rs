//! As whom the programs of a database run.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// PostgreSQL and PgBouncer refuse to run as root: then it is one of these.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// A command that runs unprivileged and apart from the terminal's Ctrl-C. It gets the signal that stops it at once when
/// the thread ends that started it.
pub(super) fn command(program: impl AsRef<OsStr>, at_once: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", at_once]);
    if let Some(account) = account() {
        let group = output(Command::new("id").args(["-g", account]));
        command
            .args(["--reuid", account, "--regid", &group])
            .arg("--clear-groups");
    }
    command.arg("--").arg(program).process_group(0);
    // Whatever directory this runs in may be closed to the other account.
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// Gives a directory, and what is in it, to the account that the programs run as.
pub(super) fn chown(directory: &Path) {
    if let Some(account) = account() {
        output(Command::new("chown").args(["-R", account]).arg(directory));
    }
}

/// As whom the programs run, if not as whoever runs the tests.
fn account() -> Option<&'static str> {
    if output(Command::new("id").arg("-u")) != "0" {
        return None;
    }
    let exists = |account: &&&str| {
        let id = Command::new("id").arg(account).output();
        id.is_ok_and(|output| output.status.success())
    };
    let found = UNPRIVILEGED.iter().find(exists);
    Some(found.expect("there is an account `nobody`"))
}

/// What a command prints, which must succeed.
pub(super) fn output(command: &mut Command) -> String {
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
