//! Which sample a commit runs: the first byte of the hash of its tree, so that commits one after the other run different
//! samples and the same commit always runs the same.

use std::fmt;
use std::path::Path;
use std::process::Command;

/// An offset, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offset {
    number: u8,
    why: &'static str,
}

impl Offset {
    /// The one that was asked for.
    pub(crate) const fn asked_for(number: u8) -> Self {
        Self {
            number,
            why: "as asked for",
        }
    }

    /// The number.
    pub(crate) fn number(&self) -> u64 {
        u64::from(self.number)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.number, self.why)
    }
}

/// The offset of what is checked out.
pub(crate) fn of_this_commit() -> Offset {
    let changes = git(&["status", "--porcelain"]);
    let tree = git(&["rev-parse", "HEAD^{tree}"]);
    let (number, why) = match (changes, tree) {
        (Some(changes), Some(_)) if !changes.is_empty() => (Some(0), "files were changed"),
        (Some(_), Some(tree)) => (first_byte(&tree), "of the commit's tree"),
        _ => (None, ""),
    };
    Offset {
        number: number.unwrap_or(0),
        why: if number.is_some() {
            why
        } else {
            "no commit is checked out"
        },
    }
}

fn first_byte(tree: &str) -> Option<u8> {
    u8::from_str_radix(tree.get(..2)?, 16).ok()
}

fn git(arguments: &[&str]) -> Option<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("git")
        .args(arguments)
        .current_dir(here)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::first_byte;

    #[test]
    fn the_offset_is_the_first_byte_of_the_trees_hash() {
        assert_eq!(first_byte("ff02ab"), Some(255));
        assert_eq!(first_byte("0a02ab"), Some(10));
        assert_eq!(first_byte(""), None);
    }
}
