//! Files of the contracts.

use serde_json::Value;
use std::path::Path;

/// A file's text.
pub(crate) fn text(file: &Path) -> String {
    let text = std::fs::read_to_string(file);
    text.unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()))
}

/// A file's JSON.
pub(crate) fn json(file: &Path) -> Value {
    let read = serde_json::from_str(&text(file));
    read.unwrap_or_else(|error| panic!("{} is no JSON: {error}", file.display()))
}
