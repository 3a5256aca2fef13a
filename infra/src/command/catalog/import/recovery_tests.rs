//! What is wrong in one place of a file leaves the rest of it as it is.

use super::super::json_file::MOST_DOCUMENT_BYTES;
use super::tests::{HEADER, entry, import, import_named, memory};

#[tokio::test]
async fn a_line_that_is_no_document_is_named_and_the_next_is_read() {
    let good = |code: &str| {
        format!("{{\"sku\":\"{code}\",\"bundle\":[{{\"sku\":\"PART\",\"units\":1}}]}}")
    };
    let long = format!("{{\"sku\":\"{}\"}}", "x".repeat(2 * MOST_DOCUMENT_BYTES));
    let cut_after_comma = "{\"sku\":\"B\",\"bundle\":[{\"sku\":\"P\",\"units\":1},";
    for (wrong, told) in [
        ("7", "line 2: a document must begin here"),
        ("# a remark {", "not with '#'; the line is left out"),
        ("[1]", "not with '['"),
        (
            "{\"sku\":\"B\"",
            "line 2: the document that begins on line 2 is not closed",
        ),
        ("{\"sku\":\"B", "is not closed before the next one begins"),
        (
            "{\"sku\":\"B\",\"bundle\":[",
            "is not closed before the next one begins",
        ),
        (cut_after_comma, "is not closed before the next one begins"),
        (&long, "is longer than 256 KiB"),
    ] {
        let file = format!("{}\n{wrong}\n{}\n{}\n", good("A"), good("C"), good("D"));
        let store = memory();
        let (text, stopped) = import_named("a.jsonl", Some(&store), file.as_bytes()).await;
        assert_eq!(stopped, None, "{told}");
        assert!(text.contains(told), "{text}");
        assert!(text.ends_with("4 documents: 3 applied, 1 bad\n"), "{text}");
        for code in ["A", "C", "D"] {
            assert!(entry(&store, code).await.is_there(), "{code} after {told}");
        }
    }
    let file = format!("{}\n{{\"sku\":\"B\",\n", good("A"));
    let (text, stopped) = import_named("a.jsonl", None, file.as_bytes()).await;
    assert_eq!(stopped, None);
    assert!(
        text.contains("line 2: the file ends inside of the document"),
        "{text}"
    );
}

#[tokio::test]
async fn a_stray_quotation_mark_is_told_with_the_lines_that_it_takes() {
    let row = |code: &str| format!("{code},ebay:main,1,5,USD,aliexpress:main,10,{code},1\n");
    let rows = format!("{}\"{}{}{}", row("A"), row("B"), row("C"), row("D"));
    let closed = format!("{HEADER}\n{rows}\"E,{}{}", row("F"), row("G"));
    let (text, stopped) = import(None, closed.as_bytes()).await;
    assert_eq!(stopped, None);
    assert!(
        text.starts_with("line 3: spans lines 3–6; is a quotation mark never closed?\n"),
        "{text}"
    );
    assert!(text.contains("3 rows: 2 good, 1 bad on 4 lines;"), "{text}");
    for end in ["", "\n"] {
        let open = format!("{HEADER}\n{}{end}", rows.trim_end());
        let (text, _) = import(None, open.as_bytes()).await;
        assert!(text.starts_with("line 3: spans lines 3–5;"), "{text}");
        assert!(text.contains("2 rows: 1 good, 1 bad on 3 lines;"), "{text}");
    }
}

#[tokio::test]
async fn a_document_of_more_than_fits_is_bad_already_in_a_dry_run() {
    let listing = |n: usize| {
        format!(
            "{{\"channel\":\"ebay:main\",\"listing_offer_id\":\"{n}\",\"price\":\"5\",\"currency\":\"USD\"}}"
        )
    };
    for (count, is_good) in [(100, true), (101, false)] {
        let listings: Vec<String> = (0..count).map(listing).collect();
        let file = format!("{{\"sku\":\"A\",\"listings\":[{}]}}", listings.join(","));
        let (text, _) = import_named("a.jsonl", None, file.as_bytes()).await;
        assert_eq!(text.contains("1 good"), is_good, "{text}");
        let told = "brings 101 listings, 0 offers and 0 parts, and 100 fit";
        assert_eq!(text.contains(told), !is_good, "{text}");
    }
}

#[tokio::test]
async fn a_narrow_file_leaves_what_it_has_no_columns_for() {
    let store = memory();
    let wide = "sku,channel,listing_offer_id,price,currency,floor,buffer,cap,supplier,product_id,variant_id,rank,shipping\n\
                MUG,ebay:main,1,5,USD,4,2,0,aliexpress:main,10,100,3,1.50 USD\n";
    import(Some(&store), wide.as_bytes()).await;
    let narrow = "sku,channel,listing_offer_id,price,currency,supplier,product_id,variant_id\n\
                  MUG,ebay:main,1,6,USD,aliexpress:main,10,100\n";
    let document = r#"{"sku":"MUG","listings":[{"channel":"ebay:main","listing_offer_id":"1","price":"6","currency":"USD"}],
        "offers":[{"supplier":"aliexpress:main","product_id":"10","variant_id":"100"}]}"#;
    for (name, file) in [("a.csv", narrow), ("a.json", document)] {
        let (text, _) = import_named(name, Some(&store), file.as_bytes()).await;
        assert!(text.contains("1 applied") || text.contains("[{"), "{text}");
        let mug = entry(&store, "MUG").await;
        let (listing, offer) = (&mug.listings[0].listing, &mug.offers[0].offer);
        assert_eq!(
            (listing.price.minor, listing.buffer, listing.cap),
            (600, 2, 0)
        );
        assert_eq!(listing.pricing.floor.map(|it| it.minor), Some(400));
        assert_eq!(
            (offer.rank, offer.shipping.map(|it| it.minor)),
            (3, Some(150))
        );
    }
    // An empty cell says something: the default.
    let emptied =
        "sku,channel,listing_offer_id,price,currency,floor,cap\nMUG,ebay:main,1,6,USD,,\n";
    let nulls = r#"{"sku":"MUG","listings":[{"channel":"ebay:main","listing_offer_id":"1","price":"6","currency":"USD",
        "buffer":null}]}"#;
    import(Some(&store), emptied.as_bytes()).await;
    import_named("a.jsonl", Some(&store), nulls.as_bytes()).await;
    let listing = entry(&store, "MUG").await.listings.remove(0).listing;
    assert_eq!((listing.buffer, listing.cap), (0, 50));
    assert_eq!(listing.pricing.floor, None);
}
