//! What some tests need and a checkout does not bring, and a record of what was left out where it is missing.
//!
//! Three variables of the environment rule it; paths are meant from the top of the checkout:
//!
//! | | |
//! |---|---|
//! | `KERVAN_CONTRACTS` | the folder with the marketplaces' official models, samples and vectors, a subfolder each |
//! | `KERVAN_SKIPPED` | a file that gets a line for each test that left something out: requirement, test, reason, with tabs between them; unset, it is said on stderr |
//! | `KERVAN_REQUIRE` | the requirements whose absence is a failure, with commas between them: `contracts,node` |

#![allow(
    clippy::panic,
    clippy::print_stderr,
    reason = "it is called by tests, which fail by panicking and say what they leave out"
)]

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

const CONTRACTS: &str = "KERVAN_CONTRACTS";
const SKIPPED: &str = "KERVAN_SKIPPED";
const REQUIRE: &str = "KERVAN_REQUIRE";

/// Something that some tests need and a checkout does not bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// The marketplaces' official models, samples and vectors, in the folder that `KERVAN_CONTRACTS` names.
    Contracts,
    /// Node and its npm.
    Node,
}

impl Requirement {
    /// Every requirement there is.
    pub const ALL: [Self; 2] = [Self::Contracts, Self::Node];

    /// Its name in `KERVAN_REQUIRE` and in the record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contracts => "contracts",
            Self::Node => "node",
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The folder of a marketplace's contracts; `None`, and recorded, where `KERVAN_CONTRACTS` is unset or empty.
///
/// # Panics
/// Where a folder is named and missing, and where `KERVAN_REQUIRE` wants what is missing or names what does not exist.
#[must_use]
pub fn contracts(marketplace: &str) -> Option<PathBuf> {
    contracts_or(
        marketplace,
        &format!("nothing is held against the contracts of {marketplace}"),
    )
}

/// The same for a caller that does less without the contracts; `otherwise` says what, for the record.
///
/// # Panics
/// As [`contracts`] does.
#[must_use]
pub fn contracts_or(marketplace: &str, otherwise: &str) -> Option<PathBuf> {
    // A wrong name is told where nothing is missing too.
    let _ = required();
    let named = env::var_os(CONTRACTS).unwrap_or_default();
    let folder = folder(&named, top(), marketplace).unwrap_or_else(|wrong| panic!("{wrong}"));
    if folder.is_none() {
        let reason = format!("{CONTRACTS} is not set: {otherwise}");
        missing(Requirement::Contracts, &reason);
    }
    folder
}

/// Records that the test that runs leaves something out because a requirement is missing, once for each test.
///
/// # Panics
/// Where `KERVAN_REQUIRE` names the requirement, or what does not exist, and where the record cannot be written.
pub fn missing(requirement: Requirement, reason: &str) {
    assert!(
        !required().contains(&requirement),
        "{requirement} is required by {REQUIRE} but {reason}"
    );
    let arguments: Vec<String> = env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let test = test_name(thread::current().name(), &arguments);
    if !is_first(requirement, &test) {
        return;
    }
    match env::var_os(SKIPPED).filter(|file| !file.is_empty()) {
        None => eprintln!("{test} leaves something out: {reason}"),
        Some(file) => {
            let file = top().join(file);
            append(&file, &line(requirement, &test, reason)).unwrap_or_else(|error| {
                panic!(
                    "{} cannot be written, which {SKIPPED} names: {error}",
                    file.display()
                )
            });
        }
    }
}

/// Cargo runs tests in the crate's folder; what is named in the environment is meant from the top of the checkout.
fn top() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

fn required() -> Vec<Requirement> {
    let list = env::var_os(REQUIRE).unwrap_or_default();
    required_in(&list.to_string_lossy()).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn folder(named: &OsStr, top: &Path, marketplace: &str) -> Result<Option<PathBuf>, String> {
    if named.is_empty() {
        return Ok(None);
    }
    let contracts = top.join(named);
    let folder = contracts.join(marketplace);
    for needed in [&contracts, &folder] {
        if !needed.is_dir() {
            return Err(format!(
                "{} is no folder, but {CONTRACTS} is {}: name the folder that holds a subfolder for each marketplace, or \
                 unset the variable to leave out what needs it",
                needed.display(),
                named.display(),
            ));
        }
    }
    Ok(Some(folder))
}

/// The requirements of a list with commas between them.
fn required_in(list: &str) -> Result<Vec<Requirement>, String> {
    let names = list.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(|name| {
            let known = Requirement::ALL.into_iter();
            known
                .clone()
                .find(|requirement| requirement.name() == name)
                .ok_or_else(|| {
                    let names: Vec<&str> = known.map(Requirement::name).collect();
                    format!(
                        "{REQUIRE} names {name:?}, which is no requirement; there are: {}",
                        names.join(", ")
                    )
                })
        })
        .collect()
}

/// A test's thread has its name. One that runs in the main thread was chosen with `--exact`, or else cannot be told from
/// its program.
fn test_name(thread: Option<&str>, arguments: &[String]) -> String {
    if let Some(name) = thread.filter(|name| *name != "main") {
        return name.to_owned();
    }
    let mut behind_exact = arguments
        .iter()
        .skip_while(|word| *word != "--exact")
        .skip(1);
    if let Some(name) = behind_exact.next() {
        return name.clone();
    }
    let program = arguments.first().map(Path::new);
    let program = program.and_then(Path::file_stem).unwrap_or_default();
    program.to_string_lossy().into_owned()
}

fn is_first(requirement: Requirement, test: &str) -> bool {
    static KNOWN: Mutex<BTreeSet<(Requirement, String)>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.insert((requirement, test.to_owned()))
}

/// One line of three fields, whatever the fields hold.
fn line(requirement: Requirement, test: &str, reason: &str) -> String {
    let flat = |text: &str| text.replace(char::is_control, " ");
    format!("{requirement}\t{}\t{}\n", flat(test), flat(reason))
}

/// The whole line in one write to the file's end, so that those of several processes do not mix.
fn append(file: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests;
