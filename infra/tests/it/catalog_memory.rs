//! A catalogue file of any length is read in bounded memory, by the real command.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Rows of the file, which has some 22 MB. Held as they are read they would take more than 100 MB.
const ROWS: u64 = 200_000;
/// The most that the command may take, half of it for the rows that it remembers to find contradictions: 107 MB for a
/// million rows.
const MOST_KIB: u64 = 64 * 1024;

#[test]
fn two_hundred_thousand_rows_are_checked_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("skus.csv");
    let mut rows = BufWriter::new(File::create(&file).unwrap());
    writeln!(
        rows,
        "sku,channel,listing_offer_id,price,currency,supplier,product_id,variant_id"
    )
    .unwrap();
    for n in 0..ROWS {
        let (product, variant) = (1_005_000_000_000_000 + n / 4, 12_000_000_000 + n);
        writeln!(
            rows,
            "SHOP-{n:07},ebay:main,{n},19.99,USD,aliexpress:main,{product},{variant}"
        )
        .unwrap();
    }
    rows.flush().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kervan"))
        .args(["catalog", "import", "--dry-run", "--json"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", command.id());
    let mut peak_kib = 0;
    while command.try_wait().unwrap().is_none() {
        // A process that has just ended has no such line.
        peak_kib = peak_kib.max(peak(&fs::read_to_string(&status).unwrap_or_default()));
        thread::sleep(Duration::from_millis(20));
    }
    let output = command.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&summary["rows"], &summary["good"]),
        (&ROWS.into(), &ROWS.into())
    );
    assert!(
        (1..MOST_KIB).contains(&peak_kib),
        "{peak_kib} KiB at its peak"
    );
}

/// The most memory that a process has had, in KiB.
fn peak(status: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
