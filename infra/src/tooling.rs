//! The tools from Python's package index, in a virtual environment of our own, so that nothing has to be installed by
//! hand and everyone has the same versions: MiniStack, the SAM CLI, cargo-lambda and zig.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{self, Progress};
use crate::workspace;

/// Programs that are installed together, in an environment of their own.
#[derive(Debug, Clone, Copy)]
struct ToolSet {
    /// The folder's name.
    folder: &'static str,
    /// The packages, with exact versions.
    requirements: &'static str,
    /// What it is for, in words.
    what: &'static str,
}

/// What builds, deploys and stands for AWS.
const STACK: ToolSet = ToolSet {
    folder: "venv",
    requirements: include_str!("../requirements.txt"),
    what: "the tools of the local stack",
};

/// What checks the code: only `cargo kervan test` needs it.
const CHECKS: ToolSet = ToolSet {
    folder: "checks",
    requirements: include_str!("../requirements-checks.txt"),
    what: "the tools that check the code",
};

/// What the SAM CLI and MiniStack ask for.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// Interpreters to try, in this order, where `KERVAN_PYTHON` names none. Ziglang has no wheel for newer ones.
const PYTHONS: [&str; 7] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python",
];

/// The installed tools.
#[derive(Debug, Clone)]
pub struct Tools {
    set: ToolSet,
    venv: PathBuf,
}

impl Tools {
    /// The tools, installed now if they are not yet. This takes about a minute the first time and nothing after that.
    /// Processes that ask at the same time wait for one of them to install.
    ///
    /// # Errors
    /// Where Python is missing or too old or the packages cannot be had. The text says what to do.
    pub fn ensure(progress: &Progress) -> Result<Self> {
        Self::ensure_in(&workspace::tools_dir(), STACK, progress)
    }

    /// The tools that check the code: the test runner, and what looks at the dependencies.
    ///
    /// # Errors
    /// As [`Tools::ensure`].
    pub fn ensure_checks(progress: &Progress) -> Result<Self> {
        Self::ensure_in(&workspace::tools_dir(), CHECKS, progress)
    }

    fn ensure_in(folder: &Path, set: ToolSet, progress: &Progress) -> Result<Self> {
        let tools = Self {
            set,
            venv: folder.join(set.folder),
        };
        if tools.is_complete() {
            return Ok(tools);
        }
        let _lock = process::lock(&folder.join("lock"), "installs the tools", progress)?;
        if tools.is_complete() {
            return Ok(tools);
        }
        tools.install(folder, progress)?;
        Ok(tools)
    }

    /// One of the tools, by the name of its program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.venv.join("bin").join(name)
    }

    /// `PATH` with the tools before everything else: SAM looks there for cargo-lambda, and cargo-lambda for zig.
    pub fn search_path(&self) -> OsString {
        let mut path = OsString::from(self.venv.join("bin"));
        if let Some(rest) = env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        path
    }

    /// The SAM CLI, told to ask nothing and to report nothing to anybody.
    pub fn sam(&self) -> Command {
        let mut command = process::cargo_friendly(self.program("sam"));
        command
            .env("PATH", self.search_path())
            .env("SAM_CLI_TELEMETRY", "0")
            .env("SAM_CLI_CHECK_UPDATES", "0")
            .env("CARGO_TARGET_DIR", workspace::target_dir())
            .current_dir(workspace::root());
        command
    }

    /// Checks a template as SAM does, with the linter.
    ///
    /// # Errors
    /// Where the linter finds anything; the text says what.
    pub fn lint_template(&self, template: &Path) -> Result<()> {
        let log = workspace::target_dir().join("sam").join("lint.log");
        let mut command = self.sam();
        command
            .args([
                "validate",
                "--lint",
                "--region",
                "us-east-1",
                "--template-file",
            ])
            .arg(template);
        process::run_logged("The check of the template", &mut command, &log)
    }

    /// The stamp is written last and holds what was installed, so half an installation or an old one is none. Scripts
    /// in an environment hold its path, so one that was moved with its folder is none either.
    fn is_complete(&self) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|stamp| stamp == self.expected_stamp())
            && self.program("python3").exists()
    }

    fn stamp(&self) -> PathBuf {
        self.venv.join("kervan-stamp")
    }

    fn expected_stamp(&self) -> String {
        format!("{}\n{}", self.venv.display(), self.set.requirements)
    }

    fn install(&self, folder: &Path, progress: &Progress) -> Result<()> {
        let python = find_python()?;
        progress(&format!(
            "Installing {} into {} (once, about a minute)",
            self.set.what,
            self.venv.display()
        ));
        if self.venv.exists() {
            fs::remove_dir_all(&self.venv)
                .with_context(|| format!("{} cannot be removed", self.venv.display()))?;
        }
        let log = folder.join(format!("install-{}.log", self.set.folder));
        let mut venv = Command::new(&python);
        process::contain(&mut venv);
        venv.args(["-m", "venv"]).arg(&self.venv);
        process::run_logged("Making a virtual environment", &mut venv, &log).with_context(
            || {
                format!(
                    "{python} cannot make a virtual environment: install its venv module \
                 (on Debian and Ubuntu: sudo apt install python3-venv) and run this again"
                )
            },
        )?;
        let requirements = folder.join(format!("requirements-{}.txt", self.set.folder));
        fs::write(&requirements, self.set.requirements)
            .with_context(|| format!("{} cannot be written", requirements.display()))?;
        let mut pip = Command::new(self.program("python3"));
        process::contain(&mut pip);
        pip.args([
            "-m",
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(&requirements);
        process::run_logged("pip", &mut pip, &log).with_context(|| {
            "The tools cannot be installed from Python's package index: check the network \
             (and pip's proxy or index settings) and the space on the disk, and run this again"
        })?;
        fs::write(self.stamp(), self.expected_stamp())
            .with_context(|| format!("{} cannot be written", self.stamp().display()))
    }
}

/// A Python that is new enough: the one that `KERVAN_PYTHON` names, or the first of the usual names.
fn find_python() -> Result<String> {
    let named = env::var("KERVAN_PYTHON")
        .ok()
        .filter(|name| !name.is_empty());
    match named {
        Some(name) => choose_python(&[&name]),
        None => choose_python(&PYTHONS),
    }
}

fn choose_python(candidates: &[&str]) -> Result<String> {
    let mut too_old = None;
    for candidate in candidates {
        let Some(version) = python_version(candidate) else {
            continue;
        };
        if version >= OLDEST_PYTHON {
            return Ok((*candidate).to_owned());
        }
        too_old.get_or_insert((candidate, version));
    }
    let (major, minor) = OLDEST_PYTHON;
    match too_old {
        Some((name, (have_major, have_minor))) => bail!(
            "{name} is Python {have_major}.{have_minor}, and the tools need {major}.{minor} or newer: \
             install one, or name it in KERVAN_PYTHON"
        ),
        None => bail!(
            "Python 3 is missing: install Python {major}.{minor} or newer with its venv module \
             (on Debian and Ubuntu: sudo apt install python3 python3-venv), or name one in KERVAN_PYTHON"
        ),
    }
}

fn python_version(program: &str) -> Option<(u32, u32)> {
    let output = Command::new(program)
        .args([
            "-c",
            "import sys; print(sys.version_info[0], sys.version_info[1])",
        ])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_python_is_named_with_what_to_do() {
        let error = choose_python(&["no-such-python"]).unwrap_err().to_string();
        assert!(error.starts_with("Python 3 is missing: install"), "{error}");
    }

    #[test]
    fn an_old_python_is_passed_over_and_named_where_there_is_no_newer() {
        let folder = workspace::target_dir()
            .join("kervan-stack")
            .join(format!("python-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let script = |name: &str, version: &str| {
            let path = folder.join(name);
            fs::write(&path, format!("#!/bin/sh\necho {version}\n")).unwrap();
            Command::new("chmod").arg("+x").arg(&path).status().unwrap();
            path.to_string_lossy().into_owned()
        };
        let (old, new) = (script("old", "3 8"), script("new", "3 12"));
        assert_eq!(choose_python(&[&old, &new]).unwrap(), new);
        let error = choose_python(&[&old]).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "{old} is Python 3.8, and the tools need 3.10 or newer: install one, or name it in KERVAN_PYTHON"
            )
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
