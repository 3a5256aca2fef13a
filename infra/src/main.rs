//! The command `kervan`, run as `cargo kervan`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command talks to its user"
)]

mod command;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    match command::run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            // The outermost sentence says what to do; what caused it follows.
            eprintln!("kervan: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}
