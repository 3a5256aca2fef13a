use super::*;
use crate::command::{Arguments as All, Command};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use clap::{CommandFactory, Parser};
use kervan::aws::Aws;
use kervan_infra::local_stack::{LocalStack, StackOptions};
use serde_json::Value;
use std::fs;

#[test]
fn the_command_line_and_every_help_text_builds() {
    All::command().debug_assert();
    for arguments in [
        &["catalog", "import", "--help"][..],
        &["catalog", "show", "--help"],
        &["catalog", "export", "--help"],
        &["catalog", "remove", "--help"],
        &["orders", "attention", "--help"],
        &["orders", "show", "--help"],
        &["price", "explain", "--help"],
        &["price", "held", "--help"],
        &["price", "accept", "--help"],
        &["price", "rates", "show", "--help"],
        &["price", "rates", "set", "--help"],
        &["price", "rates", "import", "--help"],
        &["rules", "show", "--help"],
        &["rules", "set", "--help"],
        &["orders", "resolve", "bought", "--help"],
        &["dlq", "list", "--help"],
        &["dlq", "redrive", "--help"],
        &["orders", "resolve", "buy-again", "--help"],
        &["orders", "resolve", "cancel", "--help"],
        &["orders", "resolve", "confirmed", "--help"],
    ] {
        let help = All::try_parse_from([&["kervan"], arguments].concat()).unwrap_err();
        let text = help.to_string();
        assert!(text.contains("Examples:"), "{text}");
        assert!(text.contains("Where it works:"), "{text}");
    }
}

/// As a user types it; returns the exit code and what is on standard output.
async fn kervan(arguments: &[&str]) -> Result<(ExitCode, String)> {
    let all = All::try_parse_from([&["kervan"], arguments].concat())?;
    let Command::Catalog(arguments) = all.command else {
        bail!("not a catalog command");
    };
    let mut out = Vec::new();
    let code = run_to(arguments, &mut out).await?;
    Ok((code, String::from_utf8(out)?))
}

/// On the stack at this endpoint.
async fn at(endpoint: &str, arguments: &[&str]) -> Result<(ExitCode, String)> {
    let place = ["--endpoint", endpoint];
    kervan(&[&["catalog"], arguments, &place[..]].concat()).await
}

/// As `template.yaml` declares it, under a name as CloudFormation gives.
async fn make_table(aws: &Aws) {
    let attribute = |name: &str, kind| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute.attribute_type(kind).build().unwrap()
    };
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name);
        key.key_type(kind).build().unwrap()
    };
    let whole = Projection::builder().projection_type(ProjectionType::All);
    let due = GlobalSecondaryIndex::builder()
        .index_name("due")
        .key_schema(key("due_lane", KeyType::Hash))
        .key_schema(key("due_at", KeyType::Range))
        .projection(whole.build());
    let table = aws.dynamodb().create_table();
    table
        .table_name("kervan-Table-1A2B3C4D5E6F7")
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S))
        .attribute_definitions(attribute("sk", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_lane", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(due.build().unwrap())
        .send()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_into_a_local_stack_is_shown() {
    let stack = LocalStack::start(StackOptions::default()).await.unwrap();
    let endpoint = stack.endpoint();
    let missing = kervan(&["catalog", "show", "MUG-1", "--endpoint", endpoint]).await;
    let missing = missing.unwrap_err().to_string();
    assert!(missing.contains("sam list stack-outputs"), "{missing}");
    make_table(&Aws::local(endpoint)).await;

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, verdicts) = (path("skus.csv"), path("verdicts.csv"));
    let header = "sku,channel,listing_offer_id,price,currency,supplier,product_id,variant_id,rank";
    let rows = "MUG-1,ebay:main,81,19.99,USD,aliexpress:main,1005,12,2\n\
                MUG-1,ebay:main,81,19.99,USD,aliexpress:main,1006,13,1\n\
                MUG-2,ebay:main,82,cheap,USD,aliexpress:main,1005,14,1\n";
    fs::write(&file, format!("{header}\n{rows}")).unwrap();
    let to_stack = ["--endpoint", endpoint];
    let import = [&["catalog", "import", &file, "--json"], &to_stack[..]].concat();
    let import = [&import[..], &["--verdicts", &verdicts]].concat();
    // Twice: what is there already is changed, not doubled.
    for _ in 0..2 {
        let (code, text) = kervan(&import).await.unwrap();
        assert_eq!(code, ExitCode::FAILURE);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["rows"], 3);
        assert_eq!(value["good"], 2);
        assert_eq!(value["problems"][0]["line"], 4);
        assert_eq!(value["problems"][0]["column"], "price");
    }
    let verdicts = fs::read_to_string(&verdicts).unwrap();
    assert!(verdicts.contains("\n2,MUG-1,applied,,\n"), "{verdicts}");
    assert!(verdicts.contains("\n4,MUG-2,bad,price,"), "{verdicts}");

    let show = [&["catalog", "show", "MUG-1"], &to_stack[..]].concat();
    let (code, text) = kervan(&show).await.unwrap();
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(text.contains("price 19.99 USD"), "{text}");
    let (first, second) = (text.find("/1006/13"), text.find("/1005/12"));
    assert!(first.is_some() && first < second, "{text}");
    let (_, text) = kervan(&[&show[..], &["--json"]].concat()).await.unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["listings"][0]["price"]["minor"], 1999);
    assert_eq!(value["offers"].as_array().unwrap().len(), 2);

    let other = [&["catalog", "show", "MUG-2"], &to_stack[..]].concat();
    let error = kervan(&other).await.unwrap_err();
    assert!(format!("{error:#}").contains("not in the catalogue"));

    let (set, copy) = (path("set.json"), path("copy.json"));
    let document = r#"[{"sku":"SET-1","bundle":[{"sku":"MUG-1","units":2}]}]"#;
    fs::write(&set, document).unwrap();
    at(endpoint, &["import", &set]).await.unwrap();
    let (_, text) = at(endpoint, &["show", "SET-1"]).await.unwrap();
    assert!(
        text.contains("a bundle, of which 0 could be sold now"),
        "{text}"
    );
    assert!(text.contains("2 of  MUG-1  0 there"), "{text}");
    let (_, text) = at(endpoint, &["show", "MUG-1"]).await.unwrap();
    assert!(text.contains("a part of SET-1"), "{text}");
    at(endpoint, &["export", &copy]).await.unwrap();
    let exported: Value = serde_json::from_str(&fs::read_to_string(&copy).unwrap()).unwrap();
    let exported = exported.as_array().unwrap();
    let of = |sku: &str| exported.iter().find(|it| it["sku"] == sku).unwrap();
    assert_eq!(exported.len(), 2);
    assert_eq!(of("SET-1")["bundle"][0]["units"], 2);
    assert_eq!(of("MUG-1")["offers"].as_array().unwrap().len(), 2);
    let before = at(endpoint, &["export", "--format", "csv"]).await.unwrap();
    at(endpoint, &["import", &copy]).await.unwrap();
    let after = at(endpoint, &["export", "--format", "csv"]).await.unwrap();
    assert_eq!(before, after);

    let (code, _) = at(endpoint, &["remove", "SET-1", "--all"]).await.unwrap();
    assert_eq!(code, ExitCode::SUCCESS);
    let offer = "aliexpress:main/1005/12";
    at(endpoint, &["remove", "MUG-1", "--offer", offer])
        .await
        .unwrap();
    let (code, text) = at(endpoint, &["remove", "MUG-1", "--all"]).await.unwrap();
    assert_eq!(code, ExitCode::FAILURE, "{text}");
    let forced = ["remove", "MUG-1", "--all", "--even-if-shown"];
    at(endpoint, &forced).await.unwrap();
    let (_, text) = at(endpoint, &["export"]).await.unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    stack.stop().await;
}

#[tokio::test]
async fn verdicts_never_replace_the_file_that_is_imported_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let content = "sku,supplier,product_id,variant_id\nA,aliexpress:main,1,2\n";
    let file = path("skus.csv");
    fs::write(&file, content).unwrap();
    std::os::unix::fs::symlink(&file, path("link.csv")).unwrap();
    fs::hard_link(&file, path("hard.csv")).unwrap();
    let named = |name: &str| path(name).to_str().unwrap().to_owned();
    for verdicts in [
        named("skus.csv"),
        named("./skus.csv"),
        named("link.csv"),
        named("hard.csv"),
    ] {
        let arguments = ["catalog", "import", &named("skus.csv"), "--dry-run"];
        let arguments = [&arguments[..], &["--verdicts", &verdicts]].concat();
        let error = kervan(&arguments).await.unwrap_err();
        assert!(
            error.to_string().contains("would replace the file"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), content, "{verdicts}");
    }
}

#[tokio::test]
async fn a_row_with_several_faults_has_one_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let rows = "A,aliexpress:main,1,x y,first\nB,aliexpress:main,1,2,1\nB,aliexpress:main,1,3,-1\n";
    fs::write(
        path("a.csv"),
        format!("sku,supplier,product_id,variant_id,rank\n{rows}"),
    )
    .unwrap();
    let (file, verdicts) = (path("a.csv"), path("verdicts.csv"));
    kervan(&[
        "catalog",
        "import",
        &file,
        "--dry-run",
        "--verdicts",
        &verdicts,
    ])
    .await
    .unwrap();
    let text = fs::read_to_string(&verdicts).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(
        lines[1].starts_with("2,A,bad,variant_id rank,\"variant_id must be"),
        "{text}"
    );
    assert!(lines[1].contains("; rank must be a whole number"), "{text}");
    assert_eq!(lines[2], "3,B,good,,");
    assert!(
        lines[3].starts_with("4,B,bad,rank,\"must be a whole number"),
        "{text}"
    );
}

/// A pipe that nobody reads any more.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[tokio::test]
async fn an_export_whose_reader_has_gone_is_known_from_one_that_failed() {
    let store = kervan::store::MemoryStore::new(std::sync::Arc::new(
        kervan::clock::ManualClock::at(jiff::Timestamp::UNIX_EPOCH),
    ));
    for format in [Format::Csv, Format::Json] {
        let mut out = io::BufWriter::with_capacity(1, Closed);
        let error = export::export(&store, format, &mut out).await.unwrap_err();
        assert!(is_broken_pipe(&error), "{error:#}");
    }
    assert!(!is_broken_pipe(&anyhow::anyhow!("the table is gone")));
}
