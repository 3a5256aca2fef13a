use super::{super::error::Operation, *};
use crate::{
    domain::{AccountId, ListingId, Money, Sku},
    marketplaces::{Effect, Kind, Retry},
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;

fn account() -> AccountId {
    "amazon:main".parse().unwrap()
}

fn fault(account: &AccountId) -> Fault<'_> {
    Fault {
        account,
        operation: Operation::DownloadFeedDocument,
    }
}

fn update(sku: &str, offer: &str) -> ListingUpdate {
    ListingUpdate::new(
        ListingId {
            channel: account(),
            sku: Sku::parse(sku).unwrap(),
            offer: offer.into(),
        },
        5,
        Money::parse("1.00", "USD".parse().unwrap()).unwrap(),
    )
}

fn report(json: &Value, updates: usize) -> Result<Vec<Option<(String, Effect)>>, CallError> {
    let updates: Vec<_> = (0..updates)
        .map(|n| update(&format!("S-{n}"), ""))
        .collect();
    let account = account();
    let outcomes = listings_report(fault(&account), "f", json.to_string().as_bytes(), &updates)?;
    let seen = |one: Result<(), CallError>| one.err().map(|error| (error.code, error.effect));
    Ok(outcomes.into_iter().map(seen).collect())
}

#[test]
fn a_listing_that_is_there_twice_is_sent_once_with_its_last_update() {
    let updates = [
        update("A", "x"),
        update("B", "x"),
        update("A", "x"),
        update("A", "y"),
    ];
    let feed = listings("SELLER", "PRODUCT", &updates, |update| {
        &update.listing.offer
    })
    .unwrap();
    let feed: Value = serde_json::from_slice(&feed).unwrap();
    let ids: Vec<_> = feed["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["messageId"])
        .collect();
    assert_eq!(ids, [&json!(2), &json!(3), &json!(4)]);
    assert_eq!(last_places(&updates), [2, 1, 2, 3]);
}

#[test]
fn a_report_is_believed_only_as_far_as_its_figures_reach() {
    let error = |id: Value, code: &str| json!({"messageId": id, "severity": "ERROR", "code": code, "message": "Jane"});
    let refused = |code: &str| Some((code.to_owned(), Effect::None));
    let unsaid = Some(("summary.messagesAccepted".to_owned(), Effect::Unknown));
    let issues = json!([error(json!(2), "90220"), error(json!("2"), "99022"),
        {"messageId": 1, "severity": "WARNING", "code": "1"}]);
    let of = |accepted: Value, issues: &Value| json!({"issues": issues, "summary": {"messagesAccepted": accepted}});
    assert_eq!(
        report(&of(json!(2), &issues), 3).unwrap(),
        [None, refused("90220"), None]
    );
    assert_eq!(
        report(&of(json!("2"), &issues), 3).unwrap(),
        [None, refused("90220"), None]
    );
    for accepted in [json!(1), json!(null), json!(-2), json!("x")] {
        let seen = report(&of(accepted, &issues), 3).unwrap();
        assert_eq!(seen, [unsaid.clone(), refused("90220"), unsaid.clone()]);
    }
    let of_all = json!([error(Value::Null, "4000000")]);
    assert_eq!(
        report(&of(json!(0), &of_all), 2).unwrap(),
        [refused("4000000"), refused("4000000")]
    );
    let of_tomorrow = json!([{"messageId": 1, "severity": "FATAL", "code": "9"}]);
    assert_eq!(
        report(&of(json!(0), &of_tomorrow), 1).unwrap(),
        [refused("9")]
    );
    assert_eq!(report(&json!({}), 1).unwrap(), [unsaid]);
}

#[test]
fn a_report_of_another_feed_or_without_shape_is_none() {
    let other = report(&json!({"header": {"feedId": "g"}}), 1).unwrap_err();
    assert_eq!(
        (other.kind, other.code.as_str()),
        (Kind::Unreadable, "header.feedId")
    );
    assert!(report(&json!([]), 1).is_err());
    assert!(report(&json!({"issues": [7]}), 1).is_err());
    let account = account();
    for broken in ["", "<html>", "{\"issues\":"] {
        let error = listings_report(fault(&account), "f", broken.as_bytes(), &[]).unwrap_err();
        assert!(matches!(error.retry, Retry::After(_)), "{broken}");
    }
}

#[test]
fn ids_are_written_into_xml_so_that_they_stay_what_they_are() {
    let order = ChannelOrderId::parse("a<&>\"b").unwrap();
    let lines = [LineId::parse("1").unwrap(), LineId::parse("2").unwrap()];
    let xml = String::from_utf8(cancellation("SELLER", &order, &lines).unwrap()).unwrap();
    assert!(
        xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"),
        "{xml}"
    );
    assert!(xml.contains("<AmazonOrderID>a&lt;&amp;&gt;"), "{xml}");
    assert_eq!(
        xml.matches("<CancelReason>NoInventory</CancelReason>")
            .count(),
        2
    );
    let order = [
        "DocumentVersion",
        "MerchantIdentifier",
        "MessageType",
        "MessageID",
        "AmazonOrderID",
        "StatusCode",
        "AmazonOrderItemCode",
        "CancelReason",
    ];
    let places: Vec<_> = order.iter().map(|name| xml.find(name).unwrap()).collect();
    assert!(places.is_sorted(), "{xml}");
}

#[test]
fn a_processing_report_says_success_only_where_it_counts_one() {
    let account = account();
    let read = |inner: &str| {
        let text = format!(
            "<AmazonEnvelope><Message><ProcessingReport>{inner}</ProcessingReport></Message></AmazonEnvelope>"
        );
        cancellation_report(fault(&account), text.as_bytes()).map_err(|e| (e.code, e.effect))
    };
    let summary = |fine: &str, failed: &str| {
        format!(
            "<ProcessingSummary><MessagesSuccessful>{fine}</MessagesSuccessful><MessagesWithError>{failed}</MessagesWithError></ProcessingSummary>"
        )
    };
    assert_eq!(read(&summary("1", "0")), Ok(()));
    assert_eq!(read(&summary(" 1 ", "")), Ok(()));
    let warned = format!(
        "{}<Result><ResultCode>Warning</ResultCode></Result>",
        summary("1", "0")
    );
    assert_eq!(read(&warned), Ok(()));
    let failed = format!(
        "{}<Result><ResultCode>Error</ResultCode><ResultMessageCode>18028</ResultMessageCode><ResultDescription>Jane</ResultDescription></Result>",
        summary("0", "1")
    );
    assert_eq!(read(&failed), Err(("18028".to_owned(), Effect::None)));
    assert_eq!(
        read(&summary("0", "1")),
        Err(("MessagesWithError".to_owned(), Effect::None))
    );
    for nothing in ["", &summary("0", "0"), &summary("x", "y")] {
        assert_eq!(
            read(nothing),
            Err(("ProcessingSummary".to_owned(), Effect::Unknown))
        );
    }
    for broken in ["", "<html>", "{}", "<AmazonEnvelope><Message><Proc"] {
        let outcome = cancellation_report(fault(&account), broken.as_bytes());
        assert!(outcome.is_err(), "{broken}");
    }
}

#[test]
fn reports_are_unpacked_where_they_are_packed() {
    let account = account();
    let packed = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let whole = packed(b"{\"a\":1}");
    let unpack = |bytes: &[u8], compression| {
        unpacked(fault(&account), bytes, compression).map_err(|error| error.code)
    };
    for compression in [None, Some("GZIP")] {
        assert_eq!(unpack(&whole, compression).unwrap(), b"{\"a\":1}");
        assert_eq!(
            unpack(b"{\"a\":1}", compression).unwrap(),
            b"{\"a\":1}",
            "unpacked on the way"
        );
    }
    assert_eq!(
        unpack(&whole[..whole.len() - 9], Some("GZIP")),
        Err("gzip".to_owned())
    );
    assert_eq!(
        unpack(b"x", Some("ZSTD")),
        Err("compressionAlgorithm".to_owned())
    );
}

#[test]
fn a_message_takes_no_more_bytes_than_are_reckoned_and_25_000_of_usual_ones_fit_below_10_mib() {
    let site = "ATVPDKIKX0DER";
    let reckoned = |update: &ListingUpdate| message_bytes("PRODUCT", update, site);
    let mut updates: Vec<ListingUpdate> = (0..1_000)
        .map(|n| update(&format!("LAMP-{n}"), site))
        .collect();
    updates.push(update(&"ü".repeat(20), site));
    let feed = listings("SELLER", "PRODUCT", &updates, |_| site).unwrap();
    let sum: usize = updates.iter().map(reckoned).sum();
    assert!(feed.len() <= limits::FEED_HEADER_BYTES + sum);
    assert!(
        feed.len() + 10 * updates.len() > sum,
        "it is reckoned closely"
    );
    let usual = reckoned(&update("LAMP-RED-0001", site));
    let long = reckoned(&update(&"L".repeat(40), site));
    assert_eq!((usual, long), (410, 437));
    let most = limits::LARGEST_FEED_BYTES - limits::FEED_HEADER_BYTES;
    assert!(usual * limits::MESSAGES_PER_FEED < most);
    assert!(long * limits::MESSAGES_PER_FEED > most);
}
