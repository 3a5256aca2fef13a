//! Where things lie: the checkout, the build folder, the tools.

use std::env;
use std::path::{Path, PathBuf};

/// The top of the checkout, where `template.yaml` is.
pub fn root() -> PathBuf {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_dir.parent().unwrap_or(crate_dir).to_path_buf()
}

/// Cargo's build folder: `CARGO_TARGET_DIR` or `target`.
pub fn target_dir() -> PathBuf {
    from_env("CARGO_TARGET_DIR").unwrap_or_else(|| root().join("target"))
}

/// Where the tools are installed: `KERVAN_TOOLS_DIR`, for a continuous integration that keeps them longer than a
/// checkout, or a folder below [`target_dir`].
pub fn tools_dir() -> PathBuf {
    from_env("KERVAN_TOOLS_DIR").unwrap_or_else(|| target_dir().join("kervan-tools"))
}

/// Where programs that are started put their temporary files.
pub fn scratch_dir() -> PathBuf {
    target_dir().join("kervan-tmp")
}

/// A folder from the environment. A relative one is meant from the top of the checkout, as cargo means its own.
fn from_env(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(|value| root().join(value))
}
