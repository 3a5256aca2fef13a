use super::*;
use std::fs;
use std::process;

/// A folder of the test's own.
fn scratch(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("kervan-conformance-{name}-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_list_of_requirements_is_read_with_spaces_and_gaps() {
    use Requirement::{Contracts, Node};
    assert_eq!(required_in(""), Ok(Vec::new()));
    assert_eq!(required_in("node"), Ok(vec![Node]));
    assert_eq!(
        required_in(" contracts,, node ,"),
        Ok(vec![Contracts, Node])
    );
}

#[test]
fn an_unknown_requirement_is_refused_with_the_names_that_exist() {
    assert_eq!(
        required_in("contracts,npm"),
        Err(
            "KERVAN_REQUIRE names \"npm\", which is no requirement; there are: contracts, node"
                .to_owned()
        )
    );
}

#[test]
fn no_folder_is_named_by_an_empty_variable() {
    assert_eq!(folder(OsStr::new(""), Path::new("/"), "ebay"), Ok(None));
}

#[test]
fn a_relative_folder_is_meant_from_the_top() {
    let top = scratch("relative");
    let ebay = top.join("contracts/ebay");
    fs::create_dir_all(&ebay).unwrap();
    assert_eq!(
        folder(OsStr::new("contracts"), &top, "ebay"),
        Ok(Some(ebay.clone()))
    );
    let absolute = top.join("contracts");
    assert_eq!(
        folder(absolute.as_os_str(), Path::new("/nowhere"), "ebay"),
        Ok(Some(ebay))
    );
    fs::remove_dir_all(top).unwrap();
}

#[test]
fn a_named_folder_that_is_missing_or_lacks_the_marketplace_is_an_error_that_names_it() {
    let top = scratch("missing");
    fs::create_dir_all(top.join("contracts/ebay")).unwrap();
    fs::write(top.join("file"), "").unwrap();
    for (named, wrong) in [
        ("contrats", "contrats"),
        ("file", "file"),
        ("contracts", "contracts/amazon"),
    ] {
        let error = folder(OsStr::new(named), &top, "amazon").unwrap_err();
        let wrong = top.join(wrong);
        let begin = format!(
            "{} is no folder, but KERVAN_CONTRACTS is {named}:",
            wrong.display()
        );
        assert!(error.starts_with(&begin), "{error}");
    }
    fs::remove_dir_all(top).unwrap();
}

#[test]
fn a_test_is_named_by_its_thread_or_by_what_was_asked_for() {
    let exact = words("/target/it-0a1b --exact ebay::codes::every --nocapture");
    let all = words("/target/it-0a1b --test-threads 1");
    assert_eq!(
        test_name(Some("ebay::samples::all"), &all),
        "ebay::samples::all"
    );
    assert_eq!(test_name(Some("main"), &exact), "ebay::codes::every");
    assert_eq!(test_name(None, &exact), "ebay::codes::every");
    assert_eq!(test_name(Some("main"), &all), "it-0a1b");
    assert_eq!(test_name(Some("main"), &[]), "");
}

#[test]
fn a_test_is_recorded_once_for_each_requirement() {
    assert!(is_first(Requirement::Contracts, "once"));
    assert!(!is_first(Requirement::Contracts, "once"));
    assert!(is_first(Requirement::Node, "once"));
    assert!(is_first(Requirement::Contracts, "another"));
}

#[test]
fn a_line_stays_one_line_of_three_fields() {
    let line = line(Requirement::Node, "clients::all", "npm\tis\nmissing");
    assert_eq!(line, "node\tclients::all\tnpm is missing\n");
}

#[test]
fn lines_of_several_writers_do_not_mix() {
    let folder = scratch("record");
    let file = folder.join("skipped");
    let reason = "r".repeat(300);
    thread::scope(|scope| {
        for writer in 0..4 {
            let (file, reason) = (&file, &reason);
            scope.spawn(move || {
                for number in 0..50 {
                    let test = format!("test_{writer}_{number}");
                    append(file, &line(Requirement::Contracts, &test, reason)).unwrap();
                }
            });
        }
    });
    let text = fs::read_to_string(&file).unwrap();
    let tests: BTreeSet<&str> = text
        .lines()
        .map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
            ["contracts", test, told] if told == reason => test,
            _ => panic!("a mixed line: {line}"),
        })
        .collect();
    assert_eq!(tests.len(), 200);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_record_that_cannot_be_written_is_an_error() {
    assert!(append(Path::new("/nowhere/skipped"), "line").is_err());
}
