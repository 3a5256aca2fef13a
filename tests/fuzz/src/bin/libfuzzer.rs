//! LLVM's fuzzer on the target that `KERVAN_FUZZ_TARGET` names. `cargo kervan fuzz` builds and runs it.

#![no_main]

use kervan_fuzz::{Target, targets};
use std::sync::LazyLock;

static TARGET: LazyLock<Option<Target>> = LazyLock::new(|| {
    let name = std::env::var("KERVAN_FUZZ_TARGET").ok()?;
    targets().into_iter().find(|target| target.name() == name)
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    match &*TARGET {
        Some(target) => drop(target.run(input)),
        None => std::process::abort(),
    }
});
