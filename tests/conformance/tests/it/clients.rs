//! The simulators, seen by public clients of the marketplaces: unmodified packages of PyPI and npm, told another host and
//! nothing else. What such a client takes for the real marketplace is a better judge of a simulator than our own code.
//!
//! Each file of `clients/` is a script that gets the simulator's address, with the exact versions of its packages beside
//! it. They are installed below `target/`. Where Node or npm is missing, its scripts are left out and that is recorded.

use kervan_conformance::{Requirement, missing};
use kervan_infra::process::contain;
use kervan_infra::workspace;
use kervan_marketplaces::{Simulators, SimulatorsConfig};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn public_clients_take_the_simulators_for_the_marketplaces() {
    let folder = workspace::root().join("tests/conformance/clients");
    let mut scripts: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_script(path))
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "there are no scripts");
    if !exists("npm") || !exists("node") {
        let (left_out, others): (Vec<_>, Vec<_>) =
            scripts.into_iter().partition(|one| !is_python(one));
        let names: Vec<_> = left_out.iter().map(|script| label(script)).collect();
        let reason = format!(
            "npm or node cannot be started: {} does not run",
            names.join(", ")
        );
        missing(Requirement::Node, &reason);
        scripts = others;
    }
    for script in scripts {
        let name = stem(&script).to_owned();
        let label = label(&script);
        let simulators = Simulators::start(SimulatorsConfig::default())
            .await
            .unwrap();
        let url = url(&simulators, &name);
        let ran = tokio::task::spawn_blocking(move || run(&script, &url));
        let output = ran.await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{label}: {said}\n{errors}");
        println!("{label}: {}", said.trim());
    }
}

/// A script is named after its marketplace.
fn url(simulators: &Simulators, name: &str) -> String {
    match name {
        "ebay" => simulators.ebay_url(),
        "aliexpress" => simulators.aliexpress_url(),
        "amazon" => simulators.amazon_url(),
        "alibaba" => simulators.icbu_url(),
        "alibaba_1688" => simulators.cn1688_url(),
        other => panic!("no simulator is named {other}"),
    }
}

fn is_script(path: &Path) -> bool {
    matches!(path.extension().and_then(OsStr::to_str), Some("py" | "mjs"))
}

fn is_python(script: &Path) -> bool {
    script.extension() == Some(OsStr::new("py"))
}

fn label(script: &Path) -> String {
    script.file_name().unwrap().to_string_lossy().into_owned()
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(OsStr::to_str).unwrap()
}

fn run(script: &Path, url: &str) -> Output {
    let home = workspace::target_dir()
        .join("kervan-tools/clients")
        .join(script.file_name().unwrap());
    fs::create_dir_all(&home).unwrap();
    let mut command = if is_python(script) {
        with_pip(script, &home)
    } else {
        with_npm(script, &home)
    };
    command.arg(url).output().unwrap()
}

/// Installs a script's packages where that was not done yet; the stamp is what was asked for.
fn install_once(home: &Path, asked_for: &Path, install: impl FnOnce()) {
    let (stamp, asked_for) = (
        home.join("installed"),
        fs::read_to_string(asked_for).unwrap(),
    );
    if fs::read_to_string(&stamp).is_ok_and(|known| known == asked_for) {
        return;
    }
    install();
    fs::write(stamp, asked_for).unwrap();
}

fn with_pip(script: &Path, home: &Path) -> Command {
    let python = std::env::var("KERVAN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    assert!(exists(&python), "{python} cannot be started");
    let requirements = script.with_extension("requirements.txt");
    let own = home.join("venv/bin/python3");
    install_once(home, &requirements, || {
        done(
            Command::new(&python)
                .args(["-m", "venv"])
                .arg(home.join("venv")),
        );
        let mut pip = Command::new(&own);
        contain(&mut pip);
        pip.args([
            "-m",
            "pip",
            "install",
            "--no-input",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        done(pip.arg("-r").arg(&requirements));
    });
    let mut command = Command::new(own);
    contain(&mut command);
    command.arg(script);
    command
}

fn with_npm(script: &Path, home: &Path) -> Command {
    let packages = script.with_extension("package.json");
    install_once(home, &packages, || {
        fs::copy(&packages, home.join("package.json")).unwrap();
        let mut npm = Command::new("npm");
        contain(&mut npm);
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]);
        done(npm.current_dir(home));
    });
    // Node looks for packages beside the script.
    let copy = home.join(script.file_name().unwrap());
    fs::copy(script, &copy).unwrap();
    let mut command = Command::new("node");
    contain(&mut command);
    command.arg(copy);
    command
}

fn exists(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").output();
    asked.is_ok_and(|output| output.status.success())
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}
