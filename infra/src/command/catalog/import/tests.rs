use super::super::csv_file::MOST_ROW_BYTES;
use super::super::json_file::MOST_DOCUMENT_BYTES;
use super::*;
use jiff::Timestamp;
use kervan::clock::ManualClock;
use kervan::store::{Item, Key, MemoryStore, Page, Write, WriteError};
use std::fs;
use std::sync::Arc;

pub(super) const HEADER: &str =
    "sku,channel,listing_offer_id,price,currency,supplier,product_id,variant_id,rank";

/// Imports a file of these bytes; returns what was printed, and why the import stopped.
pub(super) async fn import(store: Option<&dyn Store>, content: &[u8]) -> (String, Option<String>) {
    import_named("skus.csv", store, content).await
}

pub(super) async fn import_named(
    name: &str,
    store: Option<&dyn Store>,
    content: &[u8],
) -> (String, Option<String>) {
    import_to(name, store, &Publisher::silent(), content).await
}

async fn import_to(
    name: &str,
    store: Option<&dyn Store>,
    publisher: &Publisher,
    content: &[u8],
) -> (String, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, content).unwrap();
    let input = Input::open(&file).unwrap();
    let mut out = Vec::new();
    let one = input.one();
    let mut report = Report::new(&mut out, one, false, store.is_none(), None, 1).unwrap();
    let table = store.map(|store| Table { store, publisher });
    let stopped = apply(table, input, &mut report).await.unwrap();
    report.finish(stopped.as_deref()).unwrap();
    (String::from_utf8(out).unwrap(), stopped)
}

pub(super) fn memory() -> MemoryStore {
    MemoryStore::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)))
}

pub(super) async fn entry(store: &dyn Store, sku: &str) -> catalog::Entry {
    let sku = Sku::parse(sku).unwrap();
    catalog::load(store, &sku).await.unwrap()
}

#[tokio::test]
async fn a_sku_in_several_rows_gets_every_listing_and_offer() {
    let store = memory();
    let rows = "MUG,ebay:main,1,5,USD,aliexpress:main,10,100,1\n\
                MUG,ebay:main,1,5,USD,aliexpress:main,11,110,2\n\
                MUG,ebay:second,2,6,USD,aliexpress:main,10,100,1\n";
    let file = format!("{HEADER}\n{rows}");
    let (text, stopped) = import(Some(&store), file.as_bytes()).await;
    assert_eq!((text.as_str(), stopped), ("3 rows: 3 applied\n", None));
    let entry = entry(&store, "MUG").await;
    assert_eq!((entry.listings.len(), entry.offers.len()), (2, 2));
}

#[tokio::test]
async fn a_bad_row_leaves_nothing_behind_and_does_not_hold_up_the_others() {
    let store = memory();
    let rows = "A,ebay:main,1,5,USD,aliexpress:main,10,100,1\n\
                B,ebay:main,2,5,USD,aliexpress:main,10,1 0,1\n\
                \"C\",ebay:main,3,5,USD,aliexpress:main,10,100\n\
                D,ebay:main,4,5,USD,aliexpress:main,10,103,\n";
    let file = format!("{HEADER}\n{rows}");
    let (text, _) = import(Some(&store), file.as_bytes()).await;
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("line 3, variant_id: must be"),
        "{text}"
    );
    assert!(lines[1].starts_with("line 4: has 8 cells"), "{text}");
    assert_eq!(lines[2], "4 rows: 2 applied, 2 bad");
    for (sku, there) in [("A", 1), ("B", 0), ("C", 0), ("D", 1)] {
        let entry = entry(&store, sku).await;
        assert_eq!((entry.listings.len(), entry.offers.len()), (there, there));
    }
}

#[tokio::test]
async fn files_of_spreadsheets_are_read() {
    let rows = format!(
        "\u{feff}{HEADER}\r\nA,ebay:main,1,5,USD,aliexpress:main,10,100,1\r\n,,,,,,,,\r\n\r\n\
         B,ebay:main,1,x,USD,aliexpress:main,10,100,1\r\n"
    );
    let problem = "price: must be a decimal number of the currency's units, as in 19.99\n";
    let end = "2 rows: 1 good, 1 bad; nothing was written, because this is a dry run\n";
    for (file, line) in [
        (rows.clone(), 5),
        (rows.replace(',', ";"), 5),
        (rows.replace(',', "\t"), 5),
        (rows.replace("\r\n", "\n"), 5),
        (rows.replace("\r\n", "\r"), 5),
        (rows.trim_end().to_owned(), 5),
        (rows.replace("USD,", "\"USD\","), 5),
        (rows.replace("A,", "\"A\r\n\","), 6),
    ] {
        let (text, stopped) = import(None, file.as_bytes()).await;
        assert_eq!(text, format!("line {line}, {problem}{end}"));
        assert_eq!(stopped, None);
    }
}

#[tokio::test]
async fn rows_that_contradict_each_other_are_not_applied_in_silence() {
    let store = memory();
    let rows = "A,ebay:main,1,5,USD,aliexpress:main,10,100,1\n\
                A,ebay:main,1,6,USD,aliexpress:main,10,100,2\n";
    let file = format!("{HEADER}\n{rows}");
    let (text, _) = import(Some(&store), file.as_bytes()).await;
    let told = "line 3, price: must be as in line 2, which has the same listing\n\
                line 3, rank: must be as in line 2, which has the same offer\n\
                2 rows: 1 applied, 1 bad\n";
    assert_eq!(text, told);
    assert_eq!(
        entry(&store, "A").await.listings[0].listing.price.minor,
        500
    );
}

#[tokio::test]
async fn a_quotation_mark_that_is_never_closed_stops_the_import_after_what_was_good() {
    let store = memory();
    let rows = "A,ebay:main,1,5,USD,aliexpress:main,10,100,1\n\"B,ebay:main\n";
    let mut file = format!("{HEADER}\n{rows}").into_bytes();
    file.resize(file.len() + 4 * MOST_ROW_BYTES, b'x');
    let (text, stopped) = import(Some(&store), &file).await;
    assert!(text.ends_with("1 row: 1 applied\n"), "{text}");
    let stopped = stopped.unwrap();
    assert!(stopped.contains("quotation mark"), "{stopped}");
    assert!(stopped.contains("after line 3"), "{stopped}");
}

#[test]
fn a_file_without_the_columns_is_refused_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("skus.csv");
    for (content, told) in [
        (&b""[..], "lacks the columns sku, channel"),
        (b"\xff\xfes\0k\0u\0", "UTF-16"),
        (b"name,amount\n1,2\n", "unknown columns (name, amount)"),
    ] {
        fs::write(&file, content).unwrap();
        let error = Input::open(&file).map(|_| ()).unwrap_err();
        assert!(format!("{error:#}").contains(told), "{error:#}");
    }
}

/// A table that is gone.
#[derive(Debug)]
struct Gone;

#[async_trait::async_trait]
impl Store for Gone {
    async fn get(&self, _: &Key) -> Result<Option<Item>, StoreError> {
        Err(StoreError::Refused("gone".to_owned()))
    }

    async fn query(&self, _: &str, _: &str, _: Option<&str>, _: usize) -> Result<Page, StoreError> {
        Err(StoreError::Refused("gone".to_owned()))
    }

    async fn write(&self, _: Vec<Write>) -> Result<(), WriteError> {
        Err(StoreError::Refused("gone".to_owned()).into())
    }

    async fn due(
        &self,
        _: &str,
        _: Timestamp,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<Item>, StoreError> {
        Err(StoreError::Refused("gone".to_owned()))
    }
}

#[tokio::test]
async fn a_table_that_cannot_be_written_stops_the_import() {
    let rows: String = (0..2 * BATCH)
        .map(|n| format!("S{n},ebay:main,{n},5,USD,aliexpress:main,10,{n},1\n"))
        .collect();
    let file = format!("{HEADER}\n{rows}");
    let (text, stopped) = import(Some(&Gone), file.as_bytes()).await;
    assert!(
        stopped
            .unwrap()
            .contains("the table cannot be read or written")
    );
    assert!(text.contains("line 2: the store refused: gone\n"), "{text}");
    assert!(text.ends_with(&format!("{BATCH} rows: 0 applied, {BATCH} not applied\n")));
}

#[tokio::test]
async fn a_row_brings_a_bundle_and_its_parts_may_come_later() {
    let store = memory();
    let header = "sku,channel,listing_offer_id,price,currency,supplier,product_id,variant_id,parts";
    let rows = "SET,ebay:main,1,5,USD,,,,MUG*2 BOWL*1\n\
                MUG,,,,,aliexpress:main,10,100,\n\
                BOWL,ebay:main,2,3,USD,aliexpress:main,10,101,\n";
    let file = format!("{header}\n{rows}");
    let (text, _) = import(Some(&store), file.as_bytes()).await;
    assert_eq!(text, "3 rows: 3 applied\n");
    let set = entry(&store, "SET").await;
    assert_eq!(set.bundle.unwrap().parts().len(), 2);
    assert_eq!((set.listings.len(), set.offers.len()), (1, 0));
    let mug = entry(&store, "MUG").await;
    assert_eq!((mug.listings.len(), mug.offers.len()), (0, 1));
    assert_eq!(mug.part_of.len(), 1);
    // What the table holds counts too, and leaves nothing of the row behind.
    let rows = "SET,,,,,aliexpress:main,10,100,\nOUTER,ebay:main,9,5,USD,,,,SET*1\n";
    let file = format!("{header}\n{rows}");
    let (text, _) = import(Some(&store), file.as_bytes()).await;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("line 2: SET is a bundle"), "{text}");
    assert!(
        lines[1].starts_with("line 3: the part SET is a bundle itself"),
        "{text}"
    );
    assert_eq!(lines[2], "2 rows: 0 applied, 2 not applied");
    assert!(entry(&store, "SET").await.offers.is_empty());
    assert!(!entry(&store, "OUTER").await.is_there());
}

#[tokio::test]
async fn rows_that_make_a_bundle_of_a_bought_sku_or_of_a_bundle_are_found_without_a_table() {
    let rows = "A,aliexpress:main,10,100,\n\
                A,,,,B*1\n\
                SET,,,,B*1\n\
                SET,aliexpress:main,10,100,\n\
                SET,,,,B*2\n\
                B,,,,C*1\n\
                OUTER,,,,SET*1\n";
    let file = format!("sku,supplier,product_id,variant_id,parts\n{rows}");
    let (text, _) = import(None, file.as_bytes()).await;
    let told = "line 3, parts: must be empty, because line 2 has an offer of the sku\n\
                line 5, supplier: must be empty, because line 4 says of which parts the sku is made\n\
                line 6, parts: must be as in line 4, which has the same sku\n\
                line 7, parts: must be empty, because the sku is a part of a bundle in line 3\n\
                line 8, parts: must not name SET, which is a bundle itself in line 4\n\
                7 rows: 2 good, 5 bad; nothing was written, because this is a dry run\n";
    assert_eq!(text, told);
}

#[tokio::test]
async fn several_listings_of_a_sku_on_one_channel_are_not_a_contradiction() {
    let rows = "A,ebay:main,1,5,USD\nA,ebay:main,2,6,USD\n";
    let file = format!("sku,channel,listing_offer_id,price,currency\n{rows}");
    let store = memory();
    let (text, _) = import(Some(&store), file.as_bytes()).await;
    assert_eq!(text, "2 rows: 2 applied\n");
    assert_eq!(entry(&store, "A").await.listings.len(), 2);
}

#[tokio::test]
async fn documents_are_applied_each_as_a_whole() {
    let good = r#"{"sku": "A", "listings": [
            {"channel": "ebay:main", "listing_offer_id": 81, "price": "5", "currency": "USD"},
            {"channel": "ebay:main", "listing_offer_id": "82", "pricing": "rules", "currency": "USD", "cap": 3}],
        "offers": [{"supplier": "aliexpress:main", "product_id": "10", "variant_id": "1", "shipping": "3.50 CNY"}]}"#;
    let set = r#"{"sku":"SET","bundle":[{"sku":"A","units":2}]}"#;
    let bad = r#"{"sku":"B","listings":[{"channel":"ebay:main","listing_offer_id":"9","price":5.5,"currency":"USD"}],
        "offers":[{"supplier":"aliexpress:main","product_id":"10","variant_id":"1","colour":"red"}]}"#;
    for (name, file) in [
        ("a.json", format!("\u{feff}[\n{good},\n{bad}, {set}\n]\n")),
        ("a.jsonl", format!("{good}\n{bad}\n\n{set}")),
        ("a.NDJSON", format!("{good}{bad}{set}\r\n")),
    ] {
        let store = memory();
        let (text, stopped) = import_named(name, Some(&store), file.as_bytes()).await;
        assert_eq!(stopped, None);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].contains("listings[0].price: must be in quotation marks"),
            "{text}"
        );
        assert!(
            lines[1].contains("offers[0].colour: is unknown; the fields are supplier"),
            "{text}"
        );
        assert_eq!(lines[2], "3 documents: 2 applied, 1 bad");
        let there = entry(&store, "A").await;
        assert_eq!((there.listings.len(), there.offers.len()), (2, 1));
        assert_eq!(there.part_of[0].as_str(), "SET");
        assert!(!entry(&store, "B").await.is_there());
    }
}

#[tokio::test]
async fn a_hostile_document_is_named_and_the_next_is_read() {
    let listing = r#"{"channel":"ebay:main","listing_offer_id":"1","price":"5","currency":"USD"}"#;
    let deep = format!("{{\"sku\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    for (document, told) in [
        (deep.as_str(), "sku: must be text"),
        (r#"{"sku":"A","sku":"A"}"#, "duplicate field `sku`"),
        (r#"{"sku":"A","colour":1}"#, "unknown field `colour`"),
        (r#"{"sku":"A"}"#, "brings nothing"),
        (r#"{"listings":[]}"#, "sku: must be given"),
        (r#"{"sku":true,"offers":[]}"#, "sku: must be text"),
        (r#"{"sku":"A","listings":[7]}"#, "expected an object"),
        (r#"{"sku":"A","listings":{}}"#, "expected a sequence"),
        (
            r#"{"sku":"A","bundle":[{"sku":"B","units":-1}]}"#,
            "bundle[0].units: must be a whole number",
        ),
        (
            r#"{"sku":"A","bundle":[{"sku":"B","units":1,"units":2}]}"#,
            "bundle[0].units: stands twice",
        ),
        (
            r#"{"sku":"A","bundle":[{"sku":"A","units":1}]}"#,
            "bundle: cannot be a part of itself",
        ),
        ("{\"sku\":\"A\u{1b}[2J\"}", "control character"),
        ("{\"sku\" \"A\"}", "expected `:`"),
    ] {
        let next = format!("{{\"sku\":\"Z\",\"listings\":[{listing}]}}");
        let file = format!("[{document},{next}]");
        let (text, stopped) = import_named("a.json", None, file.as_bytes()).await;
        assert_eq!(stopped, None, "{document}");
        assert!(text.contains(told), "{text}");
        assert!(text.contains("2 documents: 1 good, 1 bad"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
    for (fields, told) in [
        (
            format!("{listing},{listing}"),
            "listings[1]: stands in the document before",
        ),
        (
            listing.replace("\"5\"", "\"5\",\"price\":\"6\""),
            "listings[0].price: stands twice",
        ),
        (
            listing.replace("price", "Price"),
            "listings[0].Price: is unknown",
        ),
        (
            listing.replace("\"5\"", "[5]"),
            "listings[0].price: must be text",
        ),
        (
            listing.replace("\"5\"", "null"),
            "listings[0].price: must be given",
        ),
    ] {
        let file = format!("[{{\"sku\":\"A\",\"listings\":[{fields}]}}]");
        let (text, _) = import_named("a.json", None, file.as_bytes()).await;
        assert!(text.contains(told), "{text}");
    }
}

#[tokio::test]
async fn documents_that_contradict_each_other_are_named() {
    let listing = |price: &str| {
        format!(
            r#"{{"channel":"ebay:main","listing_offer_id":"1","price":"{price}","currency":"USD"}}"#
        )
    };
    let file = format!(
        "{{\"sku\":\"A\",\"listings\":[{}]}}\n{{\"sku\":\"A\",\"listings\":[{}]}}\n\
         {{\"sku\":\"A\",\"bundle\":[{{\"sku\":\"B\",\"units\":1}}]}}\n\
         {{\"sku\":\"B\",\"bundle\":[{{\"sku\":\"C\",\"units\":1}}]}}\n",
        listing("5"),
        listing("6")
    );
    let (text, _) = import_named("a.jsonl", None, file.as_bytes()).await;
    let told = "line 2, listings[0].price: must be as in line 1, which has the same listing\n\
                line 4, bundle: must be empty, because the sku is a part of a bundle in line 3\n\
                4 documents: 2 good, 2 bad; nothing was written, because this is a dry run\n";
    assert_eq!(text, told);
}

#[tokio::test]
async fn a_file_whose_documents_cannot_be_told_apart_stops_after_what_was_good() {
    let good = r#"{"sku":"A","bundle":[{"sku":"B","units":1}]}"#;
    let endless = format!(
        "[{good},{{\"sku\":\"{}",
        "x".repeat(2 * MOST_DOCUMENT_BYTES)
    );
    for (file, told) in [
        (endless.as_str(), "longer than 256 KiB"),
        (
            &format!("[{good},{{\"sku\":\"B\"")[..],
            "ends inside of the document that begins on line 1",
        ),
        (&format!("[{good}"), "] is missing"),
        (&format!("[{good},"), "] is missing"),
        (&format!("[{good},]"), "a document must begin here"),
        (&format!("[{good}\n{good}]"), "line 2: a comma or ]"),
        (&format!("[{good}] {good}"), "nothing may come after"),
    ] {
        let store = memory();
        let (text, stopped) = import_named("a.json", Some(&store), file.as_bytes()).await;
        let stopped = stopped.unwrap();
        assert!(stopped.contains(told), "{stopped}");
        assert!(text.ends_with("1 document: 1 applied\n"), "{text}");
        assert!(entry(&store, "A").await.is_there());
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.json");
    for content in ["", "  \n", "sku,price\n", "\"A\""] {
        fs::write(&file, content).unwrap();
        let error = Input::open(&file).map(|_| ()).unwrap_err();
        assert!(
            error.to_string().contains("must hold a list of documents"),
            "{error}"
        );
    }
    let (text, stopped) = import_named("a.json", None, b" [ ] ").await;
    assert!(
        text.starts_with("0 documents") && stopped.is_none(),
        "{text}"
    );
}

#[tokio::test]
async fn listings_that_change_are_queued_for_publishing_once_their_stock_is_known() {
    use kervan::domain::{Bundle, Part};
    use kervan::flows::InventoryTask;
    use kervan::queue::MemoryQueue;

    let store = memory();
    let queue = Arc::new(MemoryQueue::new(Arc::new(ManualClock::at(
        Timestamp::UNIX_EPOCH,
    ))));
    let publisher = Publisher::to(queue.clone());
    let header = "sku,channel,listing_offer_id,price,currency,cap";
    let sku = |code: &str| Sku::parse(code).unwrap();
    for n in 0..30 {
        let part = Part {
            sku: sku("PART"),
            units: 1,
        };
        let bundle = Bundle::new(sku(&format!("S{n}")), vec![part]).unwrap();
        catalog::put_bundle(&store, bundle, Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
    }
    let rows: String = (0..30)
        .map(|n| format!("S{n},ebay:main,{n},5,USD,\n"))
        .collect();
    let file = format!("{header}\nNEW,ebay:main,99,5,USD,\n{rows}");
    import_to("a.csv", Some(&store), &publisher, file.as_bytes()).await;
    let told: Vec<InventoryTask> = queue
        .bodies()
        .iter()
        .map(|body| serde_json::from_str(body).unwrap())
        .collect();
    let mut skus = Vec::new();
    for task in told {
        let InventoryTask::Publish { skus: some, .. } = task else {
            panic!("only publishing was asked for");
        };
        assert!(some.len() <= 25);
        skus.extend(some);
    }
    // Of the new sku nothing is known: the first look at its stock publishes it.
    assert_eq!(skus.len(), 30);
    assert!(!skus.contains(&sku("NEW")));
}

#[tokio::test]
async fn a_queue_that_cannot_be_written_is_told_of_each_row_and_stops_the_import() {
    use kervan::queue::UnsetQueue;

    let store = memory();
    let header = "sku,channel,listing_offer_id,price,currency,parts";
    let file = format!("{header}\nSET,ebay:main,1,5,USD,MUG*1\n");
    let publisher = Publisher::to(Arc::new(UnsetQueue("A_QUEUE")));
    let (text, stopped) = import_to("a.csv", Some(&store), &publisher, file.as_bytes()).await;
    assert!(text.starts_with("line 2: is in the table, but"), "{text}");
    assert!(text.contains("1 row: 0 applied, 1 not applied"), "{text}");
    assert!(stopped.unwrap().contains("inventory queue"));
}
