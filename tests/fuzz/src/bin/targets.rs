//! Names every target, one a line; with a folder as argument, lays known answers for each there, for the fuzzer to begin
//! with.
#![allow(clippy::print_stdout, reason = "the names are what it is for")]

use kervan_fuzz::{seeds, targets};
use std::path::PathBuf;
use std::{fs, io};

fn main() -> io::Result<()> {
    let corpus = std::env::args_os().nth(1).map(PathBuf::from);
    for target in targets() {
        println!("{}", target.name());
        let Some(corpus) = &corpus else {
            continue;
        };
        let folder = corpus.join(target.name());
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds(target.kind)?.iter().enumerate() {
            // Two bytes choose status and content type; zero is a success in JSON.
            let input = [&[0, 0], seed.as_slice()].concat();
            fs::write(folder.join(format!("known-{number:04}")), input)?;
        }
    }
    Ok(())
}
