//! Runs other programs: with a clean environment, an output that is kept for the error message, and a lock where two
//! runs would disturb each other.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, sync::Arc};

use anyhow::{Context, Result, bail};

/// Takes the lines that tell a person what is going on. They are sentences without an end of line.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// Progress for those who do not want to hear of it, as tests.
pub fn quiet() -> Progress {
    Arc::new(|_| {})
}

/// Runs a command and leaves no process of it behind; its head says how.
pub(crate) const KEEPER: &str = include_str!("local_stack/keeper.py");

/// How many of a failed program's last lines go into the error message.
const LAST_LINES: usize = 25;

/// A command that starts cargo, or something that does.
///
/// Cargo tells a program that it runs who it is (`CARGO_PKG_NAME`, `CARGO_MANIFEST_DIR`, …). Build scripts watch some
/// of these, so a cargo below that inherited them would build the dependencies anew each time.
pub fn cargo_friendly(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let name_text = name.to_string_lossy();
        let is_about_the_caller = name_text.starts_with("CARGO_PKG_")
            || name_text.starts_with("CARGO_MANIFEST_")
            || name_text.starts_with("CARGO_BIN_")
            || name_text.starts_with("NEXTEST")
            || matches!(
                &*name_text,
                "CARGO"
                    | "CARGO_CRATE_NAME"
                    | "CARGO_PRIMARY_PACKAGE"
                    | "LD_LIBRARY_PATH"
                    | "DYLD_FALLBACK_LIBRARY_PATH"
            );
        if is_about_the_caller {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a program to its end, with its output in the file `log`. An error names the program by `what` and ends with
/// the last lines of the output.
///
/// # Errors
/// Where the program cannot be started or ends with anything but success.
pub fn run_logged(what: &str, command: &mut Command, log: &Path) -> Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let output =
        File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .with_context(|| format!("{what} cannot be started"))?;
    if !status.success() {
        bail!(
            "{what} failed ({status}):\n{}\nThe whole output is in {}.",
            last_lines(log),
            log.display()
        );
    }
    Ok(())
}

/// As [`run_logged`], below a keeper that `python` runs: the program, and all that it started, ends when this process
/// does, even by SIGKILL.
///
/// # Errors
/// As [`run_logged`].
pub fn run_kept(what: &str, python: &Path, command: &Command, log: &Path) -> Result<()> {
    let folder = log.parent().unwrap_or(Path::new("."));
    let (script, scratch) = (
        log.with_extension("keeper.py"),
        log.with_extension("scratch"),
    );
    fs::create_dir_all(&scratch)
        .with_context(|| format!("{} cannot be made", scratch.display()))?;
    for (file, text) in [(script.as_path(), KEEPER), (log, "")] {
        fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    let mut kept = Command::new(python);
    kept.arg(&script).arg("-").arg(&scratch).arg(log);
    kept.arg(command.get_program()).args(command.get_args());
    kept.current_dir(command.get_current_dir().unwrap_or(folder));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => kept.env(name, value),
            None => kept.env_remove(name),
        };
    }
    let mut child = kept
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{what} cannot be started"))?;
    // Held open, never written to: that it closes tells the keeper that this process is gone.
    let lifeline = child.stdin.take();
    let status = child
        .wait()
        .with_context(|| format!("{what} cannot be waited for"))?;
    drop(lifeline);
    if !status.success() {
        bail!(
            "{what} failed ({status}):\n{}\nThe whole output is in {}.",
            last_lines(log),
            log.display()
        );
    }
    Ok(())
}

/// The last lines of a file, for an error message; empty where it cannot be read.
pub fn last_lines(file: &Path) -> String {
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

/// Holds the lock of `file` until dropped; waits for other processes that hold it, and says so.
///
/// # Errors
/// Where the file cannot be made or locked.
pub fn lock(file: &Path, what: &str, progress: &Progress) -> Result<File> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let lock =
        File::create(file).with_context(|| format!("{} cannot be written", file.display()))?;
    if lock.try_lock().is_err() {
        progress(&format!("Waiting for another run that {what}"));
        lock.lock()
            .with_context(|| format!("{} cannot be locked", file.display()))?;
    }
    Ok(lock)
}
