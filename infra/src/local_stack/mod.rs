//! The local stack: a MiniStack of our own on a free port, which stands for AWS.
//!
//! It runs below a keeper (`keeper.py`) that kills it with everything it started as soon as its owner lets go or dies,
//! even by SIGKILL. `infra/README.md` says what is known of MiniStack's behaviour.

mod http;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::{self, Progress};
use crate::tooling::Tools;
use crate::workspace;

/// MiniStack takes half a second to start; a loaded machine takes longer, but never this long.
const LONGEST_START: Duration = Duration::from_secs(60);
/// The keeper kills with SIGKILL, so that what is left after this is in the kernel's hands.
const LONGEST_STOP: Duration = Duration::from_secs(5);
/// How often a free port may be snatched away between being found and being used.
const PORT_TRIES: u32 = 3;

/// The region of the local stack.
pub const REGION: &str = "us-east-1";
/// The access key of the local stack, and its secret: any would do, and these cannot be taken for real ones.
pub const ACCESS_KEY: &str = "test";

/// How a local stack is started.
#[derive(Debug, Clone, Default)]
pub struct StackOptions {
    /// The port; `None` for one that is free.
    pub port: Option<u16>,
    /// Variables that every function sees beside those of the template, as the addresses of the simulators.
    pub environment: Vec<(String, String)>,
}

/// A running local stack. It ends when this is dropped, or with this process.
#[derive(Debug)]
pub struct LocalStack {
    address: StackAddress,
    folder: PathBuf,
    keeper: Child,
    /// Held open, never written to: that it closes tells the keeper that the owner is gone.
    lifeline: Option<ChildStdin>,
}

/// Where a local stack listens; what is needed to talk to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackAddress {
    endpoint: String,
}

impl StackAddress {
    /// The address of a stack on this machine.
    pub fn on_port(port: u16) -> Self {
        Self {
            endpoint: format!("http://127.0.0.1:{port}"),
        }
    }

    /// The address that stands for all of AWS, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Points a command at the local stack, and at nothing else: it can see neither the merchant's credentials nor a
    /// profile, so it cannot reach a real account by mistake.
    pub fn apply_to(&self, command: &mut Command) {
        command
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("no_proxy", "127.0.0.1,localhost")
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN");
    }

    /// Whether a MiniStack answers there.
    pub fn is_healthy(&self) -> bool {
        self.health().is_some()
    }

    fn health(&self) -> Option<String> {
        let host = self.endpoint.strip_prefix("http://")?;
        http::get(host, "/_ministack/ready").ok()?;
        http::get(host, "/_ministack/health").ok()
    }
}

impl LocalStack {
    /// Starts a stack and waits until it answers, which takes about half a second.
    ///
    /// # Errors
    /// Where the tools are missing and cannot be installed, the port is taken, or MiniStack does not come up.
    pub async fn start(options: StackOptions) -> Result<Self> {
        Self::start_with(options, process::quiet()).await
    }

    /// As [`LocalStack::start`], with progress.
    ///
    /// # Errors
    /// As [`LocalStack::start`].
    pub async fn start_with(options: StackOptions, progress: Progress) -> Result<Self> {
        tokio::task::spawn_blocking(move || Self::start_blocking(&options, &progress)).await?
    }

    /// As [`LocalStack::start_with`], for callers without a runtime.
    ///
    /// # Errors
    /// As [`LocalStack::start`].
    pub fn start_blocking(options: &StackOptions, progress: &Progress) -> Result<Self> {
        let tools = Tools::ensure(progress)?;
        let mut tries_left = if options.port.is_some() {
            1
        } else {
            PORT_TRIES
        };
        loop {
            tries_left -= 1;
            let port = free_port(options.port)?;
            let folder = new_folder()?;
            let mut command = keeper_command(&tools, &folder, "-", port, &options.environment)?;
            let mut keeper = command
                .stdin(Stdio::piped())
                .spawn()
                .context("The keeper of the local stack cannot be started")?;
            let lifeline = keeper.stdin.take();
            let mut stack = Self {
                address: StackAddress::on_port(port),
                folder,
                keeper,
                lifeline,
            };
            match stack.wait_until_healthy() {
                Ok(()) => return Ok(stack),
                Err(error) if tries_left == 0 => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// The address that stands for all of AWS, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        self.address.endpoint()
    }

    /// What is needed to talk to the stack after this value was moved away.
    pub fn address(&self) -> &StackAddress {
        &self.address
    }

    /// The region to give to clients.
    pub fn region(&self) -> &'static str {
        REGION
    }

    /// The log of MiniStack, which holds the output of functions that queues have triggered. What every function
    /// wrote is in the log groups of the template, read through the stack's CloudWatch Logs.
    pub fn log_file(&self) -> PathBuf {
        self.folder.join("ministack.log")
    }

    /// The number of the process that everything of the stack descends from: MiniStack and the functions' processes.
    pub fn keeper_id(&self) -> u32 {
        self.keeper.id()
    }

    /// The folder of this run's logs, removed when the stack stops.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stops the stack and waits until no process of it is left. Its data is gone.
    pub async fn stop(self) {
        // Dropping is what stops; off the runtime, because it waits.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    fn wait_until_healthy(&mut self) -> Result<()> {
        let log = self.log_file();
        wait_until_healthy(&self.address, &self.folder, || {
            if let Some(status) = self.keeper.try_wait()? {
                bail!(
                    "The local stack ended while it started ({status}):\n{}",
                    process::last_lines(&log)
                );
            }
            Ok(())
        })
    }
}

impl Drop for LocalStack {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let deadline = Instant::now() + LONGEST_STOP;
        while matches!(self.keeper.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        // After a failed test the logs are what explains it.
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Starts a stack that outlives this process, on its own until [`stop_detached`] gets the same folder.
///
/// # Errors
/// As [`LocalStack::start`].
pub fn start_detached(
    tools: &Tools,
    folder: &Path,
    options: &StackOptions,
) -> Result<StackAddress> {
    let port = free_port(options.port)?;
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let lifeline = lifeline_file(folder);
    fs::write(&lifeline, port.to_string())
        .with_context(|| format!("{} cannot be written", lifeline.display()))?;
    let lifeline_text = lifeline.to_string_lossy();
    let mut command = keeper_command(tools, folder, &lifeline_text, port, &options.environment)?;
    let mut keeper = command
        .stdin(Stdio::null())
        .spawn()
        .context("The keeper of the local stack cannot be started")?;
    let address = StackAddress::on_port(port);
    let log = folder.join("ministack.log");
    let outcome = wait_until_healthy(&address, folder, || {
        if let Some(status) = keeper.try_wait()? {
            bail!(
                "The local stack ended while it started ({status}):\n{}",
                process::last_lines(&log)
            );
        }
        Ok(())
    });
    if outcome.is_err() {
        let _ = fs::remove_file(&lifeline);
    }
    outcome.map(|()| address)
}

/// The address of the stack that [`start_detached`] has left running in this folder, if it still does.
pub fn find_detached(folder: &Path) -> Option<StackAddress> {
    let port = fs::read_to_string(lifeline_file(folder))
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let address = StackAddress::on_port(port);
    let mark = mark_of(folder);
    address
        .health()
        .filter(|health| health.contains(&mark))
        .map(|_| address)
}

/// Stops the stack that [`start_detached`] has left running in this folder; false where there is none.
///
/// # Errors
/// Where it is still there after some seconds.
pub fn stop_detached(folder: &Path) -> Result<bool> {
    let running = find_detached(folder);
    let _ = fs::remove_file(lifeline_file(folder));
    let Some(address) = running else {
        return Ok(false);
    };
    let deadline = Instant::now() + LONGEST_STOP;
    while address.is_healthy() || folder.join("tmp").exists() {
        if Instant::now() > deadline {
            bail!("The local stack at {} does not stop", address.endpoint());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(true)
}

fn lifeline_file(folder: &Path) -> PathBuf {
    folder.join("remove-to-stop")
}

/// What a stack calls itself in its health report, so that another one that got the port first is not taken for it.
fn mark_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    format!("kervan-{name}")
}

fn wait_until_healthy(
    address: &StackAddress,
    folder: &Path,
    mut check_alive: impl FnMut() -> Result<()>,
) -> Result<()> {
    let mark = mark_of(folder);
    let deadline = Instant::now() + LONGEST_START;
    loop {
        check_alive()?;
        if address
            .health()
            .is_some_and(|health| health.contains(&mark))
        {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!(
                "The local stack does not answer at {} after {} seconds:\n{}",
                address.endpoint(),
                LONGEST_START.as_secs(),
                process::last_lines(&folder.join("ministack.log"))
            );
        }
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// The asked-for port, if it is free, or any free one.
fn free_port(asked_for: Option<u16>) -> Result<u16> {
    let port = asked_for.unwrap_or(0);
    let listener = TcpListener::bind(("127.0.0.1", port)).with_context(|| {
        format!("Port {port} is taken: end the program that listens there, or choose another port")
    })?;
    Ok(listener.local_addr()?.port())
}

/// A folder that no other stack uses, in this process or another.
fn new_folder() -> Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}-{number}", std::process::id());
    let folder = workspace::target_dir().join("kervan-stack").join(name);
    if folder.exists() {
        // Left by a process of the same number that was killed.
        fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder)
}

/// MiniStack below its keeper.
fn keeper_command(
    tools: &Tools,
    folder: &Path,
    lifeline: &str,
    port: u16,
    environment: &[(String, String)],
) -> Result<Command> {
    if !cfg!(target_os = "linux") {
        bail!(
            "The local stack runs the functions as they are deployed, which are programs for Linux: \
             run this on Linux, in WSL 2 or in a Linux virtual machine"
        );
    }
    let scratch = folder.join("tmp");
    fs::create_dir_all(&scratch)
        .with_context(|| format!("{} cannot be made", scratch.display()))?;
    let keeper = folder.join("keeper.py");
    fs::write(&keeper, process::KEEPER)
        .with_context(|| format!("{} cannot be written", keeper.display()))?;
    let address = StackAddress::on_port(port);
    let mut command = Command::new(tools.program("python3"));
    command
        .arg(keeper)
        .arg(lifeline)
        .arg(&scratch)
        .arg(folder.join("ministack.log"))
        .arg(tools.program("ministack"))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // MiniStack hands its whole environment to the functions, so it starts from an empty one: no credentials, no
    // proxy, none of our own variables can get into a function that would miss them on AWS.
    command.env_clear();
    for name in ["PATH", "HOME", "LANG"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    address.apply_to(&mut command);
    command
        .env("PYTHONUNBUFFERED", "1")
        // Code of functions, sockets and process numbers go here and vanish with the stack.
        .env("TMPDIR", &scratch)
        // Without these two it keeps keys and objects in folders of its own below /tmp.
        .env("STATE_DIR", scratch.join("state"))
        .env("S3_DATA_DIR", scratch.join("s3"))
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        // What it puts into queues' addresses; "localhost" would be tried over IPv6 first.
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("MINISTACK_REGION", REGION)
        // Shown in the health report.
        .env("MINISTACK_EDITION", mark_of(folder))
        // Two more listeners on fixed ports, of which a second stack would be short.
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        // Functions run as processes beside it, and a finished one stays and takes the next event, as on AWS.
        .env("LAMBDA_EXECUTOR", "local")
        // Roles and policies are enforced: a function that lacks a permission fails here as it would on AWS. Our own
        // key counts as the account's owner and may do everything.
        .env("AUTH", "true")
        .envs(environment.iter().map(|(name, value)| (name, value)));
    Ok(command)
}
