//! Known answers: our own beside this crate, and the marketplaces' where `KERVAN_CONTRACTS` names the folder of them.

use crate::accounts::Kind;
use std::fs;
use std::path::{Path, PathBuf};

/// Larger files are models and tables, no answers.
const LARGEST_BYTES: u64 = 40_000;

/// What a kind of account was answered once.
pub fn seeds(kind: Kind) -> Vec<Vec<u8>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = read(&here.join("seeds").join(kind.marketplace()));
    let mut seeds = Vec::new();
    if let Some(contracts) = std::env::var_os("KERVAN_CONTRACTS") {
        // Cargo runs tests in the crate's folder; the variable is meant from the workspace's.
        let contracts = here.join("../..").join(contracts);
        seeds = read(&contracts.join(kind.marketplace()));
    }
    // Ours fit what the operations are tried with, so as many tries are theirs as all others'.
    let times = seeds.len() / own.len().max(1) + 1;
    for _ in 0..times {
        seeds.extend(own.iter().cloned());
    }
    seeds
}

fn read(folder: &Path) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    find(folder, &mut files);
    files.sort();
    let mut seeds: Vec<Vec<u8>> = files
        .iter()
        .filter_map(|file| fs::read(file).ok())
        .collect();
    let inner: Vec<Vec<u8>> = seeds.iter().flat_map(|seed| inner(seed)).collect();
    seeds.extend(inner);
    seeds
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_small = entry
            .metadata()
            .is_ok_and(|file| file.len() <= LARGEST_BYTES);
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            find(&path, files);
        } else if is_small && matches!(extension, Some("json" | "xml" | "form")) {
            files.push(path);
        }
    }
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
