//! `kervan simulate`: hands everything to the simulation's own program. That one is built with guards that can be taken
//! away; this command works on merchants' tables and is not.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use kervan_infra::process::cargo_friendly;
use kervan_infra::workspace;

#[derive(Debug, Args)]
// The simulation has a help text of its own.
#[command(disable_help_flag = true)]
pub(super) struct Arguments {
    /// Options of the simulation; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<OsString>,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    tokio::task::spawn_blocking(move || {
        let status = cargo_friendly("cargo")
            .args(["run", "--quiet", "--locked"])
            .args(["--package", "kervan-simulation", "--bin", "simulate", "--"])
            .args(&arguments.options)
            .current_dir(workspace::root())
            .status()
            .context("cargo cannot be run")?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(ExitCode::from(code.unwrap_or(1)))
    })
    .await?
}
