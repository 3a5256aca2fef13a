//! `kervan simulate`: hands everything to the simulation's own program, so that this command, which works on merchants'
//! tables, holds nothing that takes guards away.

// Only `--help` and the check of the options need it here; the program reads their values.
#[allow(dead_code, reason = "the simulation's program reads the fields")]
#[path = "../../../tests/simulation/src/arguments.rs"]
mod arguments;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};
use kervan_infra::process::cargo_friendly;
use kervan_infra::workspace;

pub(super) use arguments::Arguments;

/// The build profile of the simulation: optimised, and with a debug build's checks.
pub(super) const SIMULATION_PROFILE: &str = "simulation";

pub(super) async fn run(_: Arguments) -> Result<ExitCode> {
    tokio::task::spawn_blocking(move || {
        let status = cargo_friendly("cargo")
            .args(["run", "--locked", "--profile", SIMULATION_PROFILE])
            .args(["--package", "kervan-simulation", "--bin", "simulate", "--"])
            .args(own(env::args_os()))
            .current_dir(workspace::root())
            .status()
            .context("cargo cannot be run")?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(ExitCode::from(code.unwrap_or(1)))
    })
    .await?
}

/// The options that follow the name of this sub-command.
fn own(line: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    line.skip_while(|word| word != "simulate").skip(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_simulation_gets_its_options_as_they_were_given() {
        let line = [
            "kervan",
            "simulate",
            "--scenario",
            "plain",
            "--fault",
            "13:late",
        ];
        let passed: Vec<OsString> = own(line.into_iter().map(OsString::from)).collect();
        assert_eq!(passed, ["--scenario", "plain", "--fault", "13:late"]);
    }

    #[test]
    fn the_help_is_that_of_the_simulation() {
        let help = Arguments::command().render_help().to_string();
        assert!(help.contains("--sample"), "{help}");
    }
}
