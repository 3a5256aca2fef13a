//! Known answers: our own beside this crate, and the marketplaces' where `KERVAN_CONTRACTS` names the folder of them.
//! Without it a run is narrower, which is recorded.

use crate::accounts::Kind;
use kervan_conformance::contracts_or;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Larger files are models and tables, no answers.
const LARGEST_BYTES: u64 = 40_000;

/// What a kind of account was answered once.
///
/// # Errors
/// Where a folder or a file of them cannot be read.
///
/// # Panics
/// As [`contracts_or`] does: the marketplaces' folder is named and missing, or required and not named.
pub fn seeds(kind: Kind) -> io::Result<Vec<Vec<u8>>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = read(&here.join("seeds").join(kind.marketplace()))?;
    let theirs = contracts_or(kind.marketplace(), "no answer of a marketplace's is tried");
    let mut seeds = theirs.map_or_else(|| Ok(Vec::new()), |folder| read(&folder))?;
    // Ours fit what the operations are tried with, so as many tries are theirs as all others'.
    let times = seeds.len() / own.len().max(1) + 1;
    for _ in 0..times {
        seeds.extend(own.iter().cloned());
    }
    Ok(seeds)
}

fn read(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    find(folder, &mut files)?;
    files.sort();
    let mut seeds: Vec<Vec<u8>> = files.iter().map(fs::read).collect::<io::Result<_>>()?;
    let inner: Vec<Vec<u8>> = seeds.iter().flat_map(|seed| inner(seed)).collect();
    seeds.extend(inner);
    Ok(seeds)
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let is_small = entry.metadata()?.len() <= LARGEST_BYTES;
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            find(&path, files)?;
        } else if is_small && matches!(extension, Some("json" | "xml" | "form")) {
            files.push(path);
        }
    }
    Ok(())
}

/// Samples are often wrapped with where they come from: what is inside is the answer.
fn inner(seed: &[u8]) -> Vec<Vec<u8>> {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(seed) else {
        return Vec::new();
    };
    let names = ["body", "response", "response_body", "answer", "payload"];
    let parts = names.iter().filter_map(|name| value.get(name));
    parts.map(|part| part.to_string().into_bytes()).collect()
}
