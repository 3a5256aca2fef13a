//! Runs other programs: with a clean environment, an output that is kept for the error message, and a lock where two
//! runs would disturb each other.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, sync::Arc};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Takes the lines that tell a person what is going on. They are sentences without an end of line.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// Progress for a person, as lines on standard error with the time since the first of them, so that standard output holds
/// the result alone.
pub fn timed() -> Progress {
    let started = Instant::now();
    Arc::new(move |line| {
        let mut out = std::io::stderr().lock();
        // Nobody is left to tell where standard error is closed.
        let _ = writeln!(out, "[{:>6.1} s] {line}", started.elapsed().as_secs_f32());
    })
}

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
    contain(&mut command);
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

/// Has a program keep its temporary files and caches in the build folder instead of the user's: what was installed and
/// built goes with `target/`, and nothing of it stays anywhere else.
pub fn contain(command: &mut Command) {
    let scratch = workspace::scratch_dir();
    // A folder that cannot be made is one that programs pass over, as they do with any other that is missing.
    let _ = fs::create_dir_all(&scratch);
    let caches = workspace::tools_dir().join("caches");
    command
        .env("TMPDIR", scratch)
        .env("XDG_CACHE_HOME", &caches)
        .env("PIP_CACHE_DIR", caches.join("pip"))
        .env("npm_config_cache", caches.join("npm"))
        .env("ZIG_GLOBAL_CACHE_DIR", caches.join("zig"))
        .env("ZIG_LOCAL_CACHE_DIR", caches.join("zig"))
        .env("CARGO_ZIGBUILD_CACHE_DIR", caches.join("zigbuild"))
        .env("__SAM_CLI_APP_DIR", caches.join("sam"));
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

/// How often a long-running program's last line is shown.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Shows from time to time what a program that writes to `log` said last, until this is dropped.
pub(crate) struct Heartbeat {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    pub(crate) fn of(log: &Path, progress: &Progress) -> Self {
        let (stop, stopped) = channel::<()>();
        let (log, progress) = (log.to_owned(), progress.clone());
        let thread = thread::spawn(move || {
            while matches!(
                stopped.recv_timeout(HEARTBEAT),
                Err(RecvTimeoutError::Timeout)
            ) {
                let text = fs::read(&log).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                let mut lines = text.lines().rev().map(str::trim);
                if let Some(line) = lines.find(|line| !line.is_empty()) {
                    progress(&format!("  … {line}"));
                }
            }
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It only reads and tells; a panic of it is nobody's loss.
            let _ = thread.join();
        }
    }
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
