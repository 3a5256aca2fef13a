//! `template.yaml` on a local stack: built with `sam build`, deployed with `sam deploy`, as the merchant does it.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::local_stack::{LocalStack, REGION, StackAddress};
use crate::process::{self, Heartbeat, Progress};
use crate::tooling::Tools;
use crate::workspace;

/// The name of the deployed stack, which the names of its secrets and functions begin with.
pub const STACK_NAME: &str = "kervan";

/// Units that each crate of the functions is compiled in for the local stack.
const LOCAL_CODEGEN_UNITS: &str = "16";

/// The functions of the template, by the names of their crates.
pub const FUNCTIONS: [&str; 5] = [
    "webhook-intake",
    "order-sweeper",
    "order-forwarder",
    "tracking-updater",
    "inventory-poller",
];

/// A deployed template. Outputs of the template are read by their names, as in `TableName`.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Base address of the HTTP API, without a slash at its end.
    pub api_url: String,
    /// Name of the table.
    pub table: String,
    /// Addresses of the queues.
    pub queues: Queues,
    /// Every output of the template, by its name.
    pub outputs: BTreeMap<String, String>,
}

/// The addresses of the template's queues.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Queues {
    pub orders: String,
    pub orders_dead_letters: String,
    pub tracking: String,
    pub tracking_dead_letters: String,
    pub inventory: String,
    pub inventory_dead_letters: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_key: String,
    output_value: String,
}

impl Deployment {
    /// Builds the functions and deploys the template with these parameters (name, value) on a local stack.
    ///
    /// # Errors
    /// Where the build or the deployment fails; the text ends with the last lines of their output.
    pub async fn up(
        stack: &LocalStack,
        parameters: &[(&str, &str)],
        progress: Progress,
    ) -> Result<Self> {
        Self::up_at(
            stack.address().clone(),
            stack.folder().to_owned(),
            parameters,
            progress,
        )
        .await
    }

    /// As [`Deployment::up`], on a stack that somebody else holds. The logs go to the folder.
    ///
    /// # Errors
    /// As [`Deployment::up`].
    pub async fn up_at(
        address: StackAddress,
        folder: PathBuf,
        parameters: &[(&str, &str)],
        progress: Progress,
    ) -> Result<Self> {
        let parameters: Vec<String> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        tokio::task::spawn_blocking(move || {
            let tools = Tools::ensure(&progress)?;
            let build = build(&tools, &progress)?;
            deploy(&tools, &build, &address, &folder, &parameters, &progress)?;
            Self::read(&tools, &address)
        })
        .await?
    }

    /// What is deployed on a stack.
    ///
    /// # Errors
    /// Where nothing is, or where an output is missing.
    pub fn read(tools: &Tools, address: &StackAddress) -> Result<Self> {
        let mut command = tools.sam();
        address.apply_to(&mut command);
        command.args([
            "list",
            "stack-outputs",
            "--stack-name",
            STACK_NAME,
            "--region",
            REGION,
            "--output",
            "json",
        ]);
        let answer = command.output().context("sam cannot be started")?;
        if !answer.status.success() {
            bail!(
                "Nothing is deployed at {}: {}",
                address.endpoint(),
                String::from_utf8_lossy(&answer.stderr)
            );
        }
        let outputs: Vec<Output> = serde_json::from_slice(&answer.stdout)
            .context("sam lists the outputs in an unknown form")?;
        let outputs: BTreeMap<String, String> = outputs
            .into_iter()
            .map(|output| (output.output_key, output.output_value))
            .collect();
        let get = |name: &str| {
            outputs
                .get(name)
                .cloned()
                .with_context(|| format!("The template has no output {name}"))
        };
        Ok(Self {
            // The output ApiUrl is right on AWS. Here its host is a name that only some resolvers know, so the API is
            // called by a path.
            api_url: format!(
                "{}/_aws/execute-api/{}/$default",
                address.endpoint(),
                get("ApiId")?
            ),
            table: get("TableName")?,
            queues: Queues {
                orders: get("OrdersQueueUrl")?,
                orders_dead_letters: get("OrdersDeadLettersUrl")?,
                tracking: get("TrackingQueueUrl")?,
                tracking_dead_letters: get("TrackingDeadLettersUrl")?,
                inventory: get("InventoryQueueUrl")?,
                inventory_dead_letters: get("InventoryDeadLettersUrl")?,
            },
            outputs,
        })
    }

    /// The address where a marketplace pushes to an account: `webhook_url("ebay", "main")`.
    pub fn webhook_url(&self, marketplace: &str, account: &str) -> String {
        format!("{}/hooks/{marketplace}/{account}", self.api_url)
    }

    /// The full name of a secret: `secret_name("account/ebay/main")`.
    pub fn secret_name(&self, name: &str) -> String {
        format!("{STACK_NAME}/{name}")
    }

    /// The deployed name of one of the [`FUNCTIONS`].
    pub fn function_name(&self, function: &str) -> String {
        format!("{STACK_NAME}-{function}")
    }

    /// The log group of one of the [`FUNCTIONS`].
    pub fn log_group(&self, function: &str) -> String {
        format!("/{STACK_NAME}/{function}")
    }
}

/// The folder that `sam build` fills: a template and a folder for each function with its `bootstrap`. Until this is
/// dropped, other builds wait: SAM empties the folder first, and whoever deploys must find it whole.
#[derive(Debug)]
pub struct Build {
    folder: PathBuf,
    _lock: File,
}

impl Build {
    /// The template that `sam deploy` takes.
    pub fn template(&self) -> PathBuf {
        self.folder.join("template.yaml")
    }

    /// The program of one of the functions, by its name in the template, as `WebhookIntake`.
    pub fn program(&self, logical_name: &str) -> PathBuf {
        self.folder.join(logical_name).join("bootstrap")
    }
}

/// Builds the functions for this machine's processor. Cargo decides what there is to do, so this is quick when nothing
/// changed and never skips what did.
///
/// # Errors
/// Where a function does not compile.
pub fn build(tools: &Tools, progress: &Progress) -> Result<Build> {
    let architecture = architecture()?;
    let sam_folder = workspace::target_dir().join("sam");
    let lock = process::lock(&sam_folder.join("lock"), "builds the functions", progress)?;
    let build = Build {
        folder: sam_folder.join(architecture),
        _lock: lock,
    };
    progress("Building the functions with sam build (minutes the first time)");
    let mut command = tools.sam();
    command
        .args(["build", "--beta-features", "--template-file"])
        .arg(workspace::root().join("template.yaml"))
        .arg("--build-dir")
        .arg(&build.folder)
        .arg("--parameter-overrides")
        .arg(format!("Architecture={architecture}"))
        // What is deployed on this machine is compiled on all its processors. What ships is not: one unit makes the
        // smallest program, and that is what `sam build` gives a merchant.
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", LOCAL_CODEGEN_UNITS);
    let (python, log) = (tools.program("python3"), sam_folder.join("build.log"));
    let heartbeat = Heartbeat::of(&log, progress);
    process::run_kept("sam build", &python, &command, &log)?;
    drop(heartbeat);
    progress("The functions are built");
    Ok(build)
}

fn architecture() -> Result<&'static str> {
    match ARCH {
        "x86_64" => Ok("x86_64"),
        "aarch64" => Ok("arm64"),
        other => bail!(
            "Lambda has no functions for the processor {other}: use a machine with x86_64 or aarch64"
        ),
    }
}

fn deploy(
    tools: &Tools,
    build: &Build,
    address: &StackAddress,
    folder: &Path,
    parameters: &[String],
    progress: &Progress,
) -> Result<()> {
    progress("Deploying the template with sam deploy");
    let mut command = tools.sam();
    address.apply_to(&mut command);
    command
        .args([
            "deploy",
            "--stack-name",
            STACK_NAME,
            "--region",
            REGION,
            "--template-file",
        ])
        .arg(build.template())
        .args([
            "--resolve-s3",
            "--capabilities",
            "CAPABILITY_IAM",
            "--no-confirm-changeset",
        ])
        .args([
            "--no-fail-on-empty-changeset",
            "--no-progressbar",
            "--parameter-overrides",
        ])
        .arg(format!("Architecture={}", architecture()?))
        .args(parameters);
    let python = tools.program("python3");
    process::run_kept("sam deploy", &python, &command, &folder.join("deploy.log"))
}
