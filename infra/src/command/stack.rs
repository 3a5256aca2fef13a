//! `kervan stack`: the local stack, left running.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use kervan_infra::deployment::{Deployment, FUNCTIONS};
use kervan_infra::local_stack::{self, ACCESS_KEY, REGION, StackAddress, StackOptions};
use kervan_infra::tooling::Tools;
use kervan_infra::workspace;

use super::progress;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan stack up                 start it on port 4566 and deploy the template
  cargo kervan stack up --port 4600     on another port
  cargo kervan stack up --set LogLevel=debug
  cargo kervan stack status             print its addresses again
  cargo kervan stack down               stop it; its data is gone")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start the stack, or take the one that runs, and deploy the template as it is now.
    Up {
        /// The port that stands for all of AWS.
        #[arg(long, default_value_t = 4566)]
        port: u16,
        /// A parameter of the template, as Name=value; may be repeated.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        parameters: Vec<String>,
    },
    /// Stop the stack. Its data is gone.
    Down,
    /// Print where it listens and what is deployed.
    Status,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.action {
        Action::Up { port, parameters } => up(port, parameters).await,
        Action::Down => tokio::task::spawn_blocking(down).await?,
        Action::Status => tokio::task::spawn_blocking(status).await?,
    }
}

/// Where the stack that was left running is known.
pub(super) fn folder() -> PathBuf {
    workspace::target_dir()
        .join("kervan-stack")
        .join("left-running")
}

async fn up(port: u16, parameters: Vec<String>) -> Result<ExitCode> {
    let started = Instant::now();
    let mut pairs = Vec::new();
    for parameter in &parameters {
        let Some(pair) = parameter.split_once('=') else {
            bail!("--set takes Name=value, and {parameter} has no =");
        };
        pairs.push(pair);
    }
    let address = tokio::task::spawn_blocking(move || start_or_take(port)).await??;
    let deployment = Deployment::up_at(address.clone(), folder(), &pairs, progress()).await?;
    print(&address, &deployment);
    println!(
        "\nUp after {:.1} s. Stop it with: cargo kervan stack down",
        started.elapsed().as_secs_f32()
    );
    Ok(ExitCode::SUCCESS)
}

fn start_or_take(port: u16) -> Result<StackAddress> {
    let tools = Tools::ensure(&progress())?;
    if let Some(running) = local_stack::find_detached(&folder()) {
        return Ok(running);
    }
    let options = StackOptions {
        port: Some(port),
        ..StackOptions::default()
    };
    local_stack::start_detached(&tools, &folder(), &options)
}

fn down() -> Result<ExitCode> {
    if local_stack::stop_detached(&folder())? {
        println!("The local stack is stopped.");
    } else {
        println!("No local stack was running.");
    }
    Ok(ExitCode::SUCCESS)
}

fn status() -> Result<ExitCode> {
    let Some(address) = local_stack::find_detached(&folder()) else {
        println!("No local stack is running. Start one with: cargo kervan stack up");
        return Ok(ExitCode::FAILURE);
    };
    let tools = Tools::ensure(&progress())?;
    print(&address, &Deployment::read(&tools, &address)?);
    Ok(ExitCode::SUCCESS)
}

fn print(address: &StackAddress, deployment: &Deployment) {
    println!(
        "AWS endpoint       {}   (region {REGION}, access key and secret: {ACCESS_KEY})",
        address.endpoint()
    );
    println!(
        "webhooks           {}",
        deployment.webhook_url("{marketplace}", "{account}")
    );
    println!("table              {}", deployment.table);
    println!("orders queue       {}", deployment.queues.orders);
    println!("tracking queue     {}", deployment.queues.tracking);
    println!("inventory queue    {}", deployment.queues.inventory);
    println!(
        "seal key           {}",
        deployment
            .outputs
            .get("SealKeyArn")
            .map_or("", String::as_str)
    );
    println!(
        "secrets            {}",
        deployment.secret_name("account/{marketplace}/{account}")
    );
    println!(
        "functions          {}",
        FUNCTIONS
            .map(|name| deployment.function_name(name))
            .join(", ")
    );
    println!(
        "log of the stack   {}",
        folder().join("ministack.log").display()
    );
}
