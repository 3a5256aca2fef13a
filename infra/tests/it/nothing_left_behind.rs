//! However the owner of a local stack ends, no process of it is left.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kervan_infra::local_stack::{LocalStack, StackAddress, StackOptions};
use kervan_infra::process::quiet;
use kervan_infra::tooling::Tools;
use kervan_infra::workspace;

/// Processes of this machine whose command line holds the text.
fn processes_with(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let command_line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command_line = String::from_utf8_lossy(&command_line).replace('\0', " ");
        if command_line.contains(text) {
            found.push(format!(
                "{} {command_line}",
                entry.file_name().to_string_lossy()
            ));
        }
    }
    found
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A keeper over a family of processes: a child, one in a session of its own, and an orphan.
fn keep_a_family(name: &str, seconds: &str) -> (Child, std::path::PathBuf) {
    let folder = workspace::target_dir()
        .join("kervan-stack")
        .join(format!("test-{name}-{}", std::process::id()));
    fs::create_dir_all(folder.join("tmp")).unwrap();
    let family = format!(
        "setsid sleep {seconds} & (setsid sh -c 'sleep {seconds} & exit' &) ; sleep {seconds}"
    );
    let keeper = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/local_stack/keeper.py");
    let child = Command::new(Tools::ensure(&quiet()).unwrap().program("python3"))
        .arg(keeper)
        .args([
            "-".as_ref(),
            folder.join("tmp").as_os_str(),
            folder.join("log").as_os_str(),
        ])
        .args(["sh", "-c", &family])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("three sleeps run", || {
        processes_with(&format!("sleep {seconds}"))
            .iter()
            .filter(|line| !line.contains("sh -c"))
            .count()
            == 3
    });
    (child, folder)
}

#[test]
fn the_keeper_kills_children_other_sessions_and_orphans_when_its_owner_lets_go() {
    let seconds = "100001";
    let (mut keeper, folder) = keep_a_family("let-go", seconds);
    drop(keeper.stdin.take());
    keeper.wait().unwrap();
    assert_eq!(
        processes_with(&format!("sleep {seconds}")),
        Vec::<String>::new()
    );
    assert!(
        !folder.join("tmp").exists(),
        "the scratch folder is removed"
    );
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_keeper_kills_everything_when_it_is_asked_to_end() {
    let seconds = "100002";
    let (mut keeper, folder) = keep_a_family("asked", seconds);
    Command::new("kill")
        .arg(keeper.id().to_string())
        .status()
        .unwrap();
    keeper.wait().unwrap();
    assert_eq!(
        processes_with(&format!("sleep {seconds}")),
        Vec::<String>::new()
    );
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_stack_answers_until_it_is_stopped() {
    let stack = LocalStack::start_blocking(&StackOptions::default(), &quiet()).unwrap();
    let (address, folder) = (stack.address().clone(), stack.folder().to_owned());
    assert!(address.is_healthy());
    drop(stack);
    assert!(!address.is_healthy());
    assert!(!folder.exists());
    assert_eq!(
        processes_with(&folder.to_string_lossy()),
        Vec::<String>::new()
    );
}

#[test]
fn stacks_run_beside_each_other() {
    let first = LocalStack::start_blocking(&StackOptions::default(), &quiet()).unwrap();
    let second = LocalStack::start_blocking(&StackOptions::default(), &quiet()).unwrap();
    assert_ne!(first.endpoint(), second.endpoint());
    assert!(first.address().is_healthy() && second.address().is_healthy());
}

#[test]
fn a_taken_port_is_named_with_what_to_do() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = StackOptions {
        port: Some(port),
        ..StackOptions::default()
    };
    let error = LocalStack::start_blocking(&options, &quiet()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("Port {port} is taken: end the program that listens there, or choose another port")
    );
}

/// Not a test of its own: the process that the next one kills.
#[test]
#[ignore = "the owner that nothing_is_left_when_the_owner_is_killed starts and kills"]
fn owner() {
    let stack = LocalStack::start_blocking(&StackOptions::default(), &quiet()).unwrap();
    println!("\nstack {} {}", stack.endpoint(), stack.folder().display());
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn nothing_is_left_when_the_owner_is_killed() {
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args([
            "nothing_left_behind::owner",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let line = lines
        .map_while(Result::ok)
        .find(|line| line.starts_with("stack "))
        .unwrap();
    let mut words = line.split(' ').skip(1);
    let endpoint = words.next().unwrap();
    let folder = words.next().unwrap().to_owned();
    let port = endpoint.rsplit_once(':').unwrap().1.parse().unwrap();
    assert!(StackAddress::on_port(port).is_healthy());
    assert!(!processes_with(&folder).is_empty());

    owner.kill().unwrap(); // SIGKILL: nothing of the owner runs any more
    owner.wait().unwrap();

    wait_until("no process is left", || processes_with(&folder).is_empty());
    assert!(!StackAddress::on_port(port).is_healthy());
    fs::remove_dir_all(folder).unwrap();
}
