use super::super::import::{self, Input, Table};
use super::super::publisher::Publisher;
use super::super::report::Report;
use super::*;
use jiff::Timestamp;
use kervan::clock::ManualClock;
use kervan::flows::catalog;
use kervan::store::{MemoryStore, Write as Change};
use std::sync::Arc;

fn memory() -> MemoryStore {
    MemoryStore::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)))
}

async fn import(store: &MemoryStore, name: &str, content: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, content).unwrap();
    let input = Input::open(&file).unwrap();
    let mut out = Vec::new();
    let one = input.one();
    let mut report = Report::new(&mut out, one, false, false, None, 1).unwrap();
    let publisher = Publisher::silent();
    let table = Table {
        store,
        publisher: &publisher,
    };
    let stopped = import::apply(Some(table), input, &mut report).await;
    assert_eq!(stopped.unwrap(), None);
    let counts = report.finish(None).unwrap();
    assert!(counts.all_good(), "{}", String::from_utf8(out).unwrap());
}

async fn exported(store: &MemoryStore, format: Format) -> String {
    let mut out = Vec::new();
    export(store, format, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

/// A shop with all that a file can say.
async fn shop() -> MemoryStore {
    let store = memory();
    let mut file = String::from(
        "sku,channel,listing_offer_id,price,currency,pricing,floor,ceiling,map,variation_of,buffer,cap,supplier,\
         product_id,variant_id,rank,ship_to,shipping,parts\n\
         MUG,ebay:main,81,19.99,EUR,,,,,,0,50,aliexpress:main,1005,12,1,DE,3.50 CNY,\n\
         MUG,ebay:main,item:82,12,EUR,rules,10,30,11.5,item:82,2,7,alibaba:main,55,x_1,2,US,,\n\
         MUG,amazon:main,MUG-A,rules,JPY,,,,,,1,9,,,,,,,\n\
         \"ÖL,\"\"1\",,,,,,,,,,,,aliexpress:main,7,8,1,US,0 USD,\n\
         BARE,,,,,,,,,,,,aliexpress:main,7,9,1,US,,\n\
         SET,ebay:main,90,50,USD,,,,,,0,50,,,,,,,MUG*2 BARE*1\n\
         SET,ebay:second,91,51,USD,,,,,,0,50,,,,,,,\n\
         ONLY-PARTS,,,,,,,,,,,,,,,,,,BARE*3 NOT-YET-THERE*1\n",
    );
    for n in 0..120 {
        file.push_str(&format!(
            "MANY,ebay:main,{n},5,USD,,,,,,0,50,aliexpress:main,1,{n},1,US,,\n"
        ));
    }
    import(&store, "shop.csv", &file).await;
    store
}

#[tokio::test]
async fn an_import_of_an_export_is_the_same_catalogue() {
    let store = shop().await;
    for (format, name) in [
        (Format::Csv, "a.csv"),
        (Format::Json, "a.json"),
        (Format::Jsonl, "a.jsonl"),
        (Format::Jsonl, "a.NDJSON"),
    ] {
        assert_eq!(Format::of(Path::new(name)), format);
        let first = exported(&store, format).await;
        let second = memory();
        import(&second, name, &first).await;
        assert_eq!(exported(&second, format).await, first);
        let bodies = |store: &MemoryStore| {
            let items = store.items().into_iter();
            items.map(|item| (item.key, item.body)).collect::<Vec<_>>()
        };
        assert_eq!(bodies(&second), bodies(&store), "{format:?}");
        // And into where it is already, it changes nothing.
        let before = store.items();
        import(&store, name, &first).await;
        assert_eq!(store.items(), before, "{format:?}");
    }
}

#[tokio::test]
async fn a_file_of_an_export_says_everything_once() {
    let store = shop().await;
    let csv = exported(&store, Format::Csv).await;
    // Listings and offers of a sku share rows.
    assert_eq!(csv.lines().count(), 1 + 3 + 1 + 1 + 2 + 1 + 120);
    let json: Value = serde_json::from_str(&exported(&store, Format::Json).await).unwrap();
    let documents = json.as_array().unwrap();
    let of =
        |sku: &str| -> Vec<&Value> { documents.iter().filter(|it| it["sku"] == sku).collect() };
    assert_eq!(of("MANY").len(), 4, "a document fits one transaction");
    let mug = of("MUG")[0];
    let listings = mug["listings"].as_array().unwrap();
    let by_rules = listings
        .iter()
        .find(|it| it["listing_offer_id"] == "MUG-A")
        .unwrap();
    assert_eq!(
        (&by_rules["pricing"], &by_rules["cap"]),
        (&json!("rules"), &json!(9))
    );
    // What is left out would stay as it is where the file is imported.
    assert_eq!(
        (&by_rules["price"], &by_rules["floor"]),
        (&Value::Null, &Value::Null)
    );
    assert!(by_rules.as_object().unwrap().contains_key("floor"));
    assert_eq!(mug["offers"][1]["shipping"], "3.50 CNY");
    let set = json!([{"sku": "MUG", "units": 2}, {"sku": "BARE", "units": 1}]);
    assert_eq!(of("SET")[0]["bundle"], set);
    assert!(of("NOT-YET-THERE").is_empty());
    assert_eq!(exported(&memory(), Format::Json).await, "[\n]\n");
}

#[tokio::test]
async fn a_file_is_there_only_when_all_of_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.json");
    fs::write(&file, "before").unwrap();
    let store = shop().await;
    let mut item = store.items().pop().unwrap();
    item.key.pk = "SKU#ZZ".to_owned();
    item.key.sk = "LISTING#x".to_owned();
    let change = Change::Put {
        item: item.clone(),
        only_if: kervan::store::Condition::Always,
    };
    store.write(vec![change]).await.unwrap();
    let error = export_to(&store, Format::Json, &file).await.unwrap_err();
    assert!(format!("{error:#}").contains("cannot be read"), "{error:#}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let delete = Change::Delete { key: item.key };
    store.write(vec![delete]).await.unwrap();
    assert_eq!(export_to(&store, Format::Json, &file).await.unwrap(), 6);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text, exported(&store, Format::Json).await);
    let sku = Sku::parse("MUG").unwrap();
    assert!(catalog::load(&store, &sku).await.unwrap().is_there());
}
