//! From exec to the first poll of the Runtime API, for each function as `sam build` made it.
//!
//! A listener plays the Runtime API and Secrets Manager, so what is measured is the program: its start, its clients, and
//! for webhook-intake the reading of its secrets, which it does before it polls. Run it with
//! `cargo bench -p kervan-benches --bench cold_start` after `cargo kervan demo` or `cargo kervan stack up` has built.

#![allow(clippy::print_stdout, reason = "it prints its figures")]

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const STARTS: usize = 40;
const LONGEST_START: Duration = Duration::from_secs(10);
const FUNCTIONS: [&str; 5] = [
    "WebhookIntake",
    "OrderSweeper",
    "OrderForwarder",
    "TrackingUpdater",
    "InventoryPoller",
];

fn main() -> Result<()> {
    let folder =
        kervan_infra::workspace::target_dir()
            .join("sam")
            .join(match std::env::consts::ARCH {
                "aarch64" => "arm64",
                other => other,
            });
    println!(
        "{:<16} {:>9} {:>9} {:>9} {:>12}",
        "function", "median", "p90", "longest", "program"
    );
    for function in FUNCTIONS {
        let program = folder.join(function).join("bootstrap");
        let size = std::fs::metadata(&program)
            .with_context(|| {
                format!(
                    "{} is not built; run cargo kervan demo first",
                    program.display()
                )
            })?
            .len();
        let mut times = Vec::new();
        for _ in 0..STARTS {
            times.push(start(&program)?);
        }
        times.sort();
        let ms = |place: usize| {
            times
                .get(place)
                .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        println!(
            "{function:<16} {:>6.1} ms {:>6.1} ms {:>6.1} ms {:>8} KiB",
            ms(STARTS / 2),
            ms(STARTS * 9 / 10),
            ms(STARTS - 1),
            size / 1024
        );
    }
    Ok(())
}

/// Starts the program and waits for its first poll.
fn start(program: &Path) -> Result<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let (polled, first_poll) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let polled = polled.clone();
            std::thread::spawn(move || answer(stream, &polled));
        }
    });
    let variables = [
        ("AWS_LAMBDA_RUNTIME_API", address.clone()),
        ("AWS_ENDPOINT_URL", format!("http://{address}")),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("KERVAN_TABLE", "kervan".to_owned()),
        ("KERVAN_SEAL_KEY", "key".to_owned()),
        ("KERVAN_ACCOUNTS", "ebay:main,aliexpress:main".to_owned()),
        ("KERVAN_SECRETS_PREFIX", "kervan/".to_owned()),
        ("KERVAN_ORDERS_QUEUE", format!("http://{address}/orders")),
        (
            "KERVAN_TRACKING_QUEUE",
            format!("http://{address}/tracking"),
        ),
        (
            "KERVAN_INVENTORY_QUEUE",
            format!("http://{address}/inventory"),
        ),
    ];
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(variables)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn()?;
    let polled = first_poll.recv_timeout(LONGEST_START);
    child.kill()?;
    child.wait()?;
    match polled {
        Ok(at) => Ok(at.duration_since(started)),
        Err(_) => bail!(
            "{} did not poll within {LONGEST_START:?}",
            program.display()
        ),
    }
}

/// Answers secrets, and notes the first poll, which is never answered.
fn answer(stream: TcpStream, polled: &mpsc::Sender<Instant>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut request = String::new();
        reader
            .read_line(&mut request)
            .ok()
            .filter(|read| *read > 0)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if header.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        if request.contains("/invocation/next") {
            return polled.send(Instant::now()).ok();
        }
        let secret = secret_for(&String::from_utf8_lossy(&body));
        let text = serde_json::json!({ "Name": "bench", "SecretString": secret }).to_string();
        // One write: several small ones would each wait for an acknowledgement.
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        (&stream).write_all(answer.as_bytes()).ok()?;
    }
}

fn secret_for(request: &str) -> String {
    let secret = if request.contains("ebay") {
        serde_json::json!({
            "environment": "production", "client_id": "a", "client_secret": "b", "refresh_token": "c",
            "endpoint": "https://hooks.example.invalid/hooks/ebay/main",
            "verification_token": "0123456789abcdef0123456789abcdef",
        })
    } else {
        serde_json::json!({
            "environment": "production", "app_key": "1", "app_secret": "b", "refresh_token": "c",
        })
    };
    secret.to_string()
}
