//! The roles of a shop against a gateway of given answers.

use super::super::tests::shapes::{endless, reshaped, rooted};
use super::super::tests::{Gateway, NOW, block_on, outside};
use super::client::{
    FEED_LIST, FEED_QUERY, FULFILL, INFO_GET, ORDERS_GET, PRICES_UPDATE, RECEIPT_GET,
    SERVICES_LIST, STOCKS_UPDATE,
};
use super::*;
use crate::domain::{LineId, ListingId, Money, ParcelLine, Sku};
use crate::http::Sent;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

fn shop(gateway: Arc<Gateway>, further: &Value) -> Shop {
    let mut secret = json!({"environment": "http://127.0.0.1:9", "app_key": "500123",
        "app_secret": "app-secret", "refresh_token": "seed", "side": "seller"});
    let fields = secret.as_object_mut().unwrap();
    fields.extend(further.as_object().unwrap().clone());
    let id = "aliexpress:shop".parse().unwrap();
    Shop::new(id, &Secret::new(secret.to_string()), outside(gateway)).unwrap()
}

fn id() -> ChannelOrderId {
    ChannelOrderId::parse("1160045860056286").unwrap()
}

fn update(product: &str, code: &str, quantity: u32) -> ListingUpdate {
    ListingUpdate::new(
        ListingId {
            channel: "aliexpress:shop".parse().unwrap(),
            sku: Sku::parse(code).unwrap(),
            offer: product.to_owned(),
        },
        quantity,
        Money {
            minor: 1_250,
            currency: "USD".parse().unwrap(),
        },
    )
}

fn parcel() -> ParcelToConfirm {
    ParcelToConfirm {
        tracking_number: TrackingNumber::parse("RR123456785CN").unwrap(),
        carrier: "China Post".to_owned(),
        lines: vec![ParcelLine {
            line: LineId::parse("901").unwrap(),
            quantity: 2,
        }],
        shipped_at: Timestamp::UNIX_EPOCH,
        not_after: Timestamp::MAX,
    }
}

fn info() -> Value {
    json!({"result": {"data": {
        "id": 1_160_045_860_056_286_u64, "order_status": "WAIT_SELLER_SEND_GOODS",
        "logistics_status": "WAIT_SELLER_SEND_GOODS", "issue_status": "NO_ISSUE",
        "frozen_status": "NO_FROZEN", "gmt_create": "2026-01-02 03:04:05",
        "gmt_modified": "2026-07-02 03:04:05", "over_time_left": "2026-07-09 03:04:05",
        "order_amount": {"amount": "25.00", "currency_code": "USD"}, "buyerloginid": "us1",
        "receipt_address": {"country": "US"},
        "child_order_list": [{"child_order_id": "901", "sku_code": "CUP", "product_count": 2,
            "product_price": {"amount": "12.50", "currency_code": "USD"}, "escrow_fee_rate": "0.08"}],
        "logistic_info_list": [],
    }}})
}

fn receipt() -> Value {
    json!({"result": {"contact_person": "Jane Doe", "address": "1 Main Street", "city": "Orlando",
        "province": "Florida", "zip": "32807", "country": "US", "mobile_no": "4075550100"}})
}

fn services() -> Value {
    json!({"result_success": true, "result_list": [{"service_name": "CPAM",
        "display_name": "China Post Registered Air Mail", "recommend_order": 11},
        {"service_name": "Other", "display_name": "Other", "recommend_order": 99}]})
}

fn page() -> Value {
    json!({"result": {"success": true, "error_code": "1", "total_count": 2, "total_page": 1,
        "current_page": 1, "target_list": [
            {"order_id": 1_160_045_860_056_286_u64, "gmt_update": "2026-07-02 03:04:05"},
            {"order_id": 9_007_199_254_740_993_u64, "gmt_update": "2026-07-02 03:04:06"}]}})
}

fn updated() -> Value {
    json!({"update_success": false, "update_error_code": "",
        "update_failed_list": [{"product_id": 8, "error_code": "B_PRODUCT_NOT_FOUND"}],
        "update_successful_list": [{"product_id": 7}]})
}

fn report() -> Value {
    json!({"job_id": 5, "total_item_count": 1, "success_item_count": 1, "result_list": [
        {"item_content_id": "7-0", "item_execution_result": "{\"productId\":7,\"success\":true}"}]})
}

/// What all roles make of their answers, as text that can be compared.
fn understood(answers: Vec<(&'static str, Value)>) -> Vec<String> {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone(), &json!({}));
    for (_, answer) in answers {
        gateway.will_say(&answer);
    }
    let (from, until): (Timestamp, Timestamp) = (Timestamp::UNIX_EPOCH, NOW.parse().unwrap());
    let page = block_on(shop.changed(from, until, None)).unwrap();
    let order = block_on(shop.order(&id())).unwrap();
    let buyer = order.buyer.clone().unwrap();
    let submission = Submission {
        id: "S5+P5".to_owned(),
        at: from,
    };
    vec![
        format!("{page:?}"),
        format!("{:?}", order.details),
        format!("{} {} {}", buyer.name, buyer.phone, buyer.address.city),
        format!("{:?}", block_on(shop.confirm(&id(), &parcel()))),
        format!(
            "{:?}",
            block_on(shop.push(
                &[update("7", "A", 1), update("8", "B", 1)],
                jiff::Timestamp::MAX
            ))
        ),
        format!(
            "{:?}",
            block_on(shop.report(&submission, &[update("7", "A", 1)]))
        ),
        format!("{:?}", block_on(shop.submissions(from))),
    ]
}

fn answers() -> Vec<(&'static str, Value)> {
    let jobs = json!({"total_count": 1, "total_page": 1, "job_list": [
        {"job_id": 77, "operation_type": "PRODUCT_STOCKS_UPDATE", "status": "FINISH"}]});
    vec![
        (ORDERS_GET, page()),
        (INFO_GET, info()),
        (RECEIPT_GET, receipt()),
        (INFO_GET, info()),
        (SERVICES_LIST, services()),
        (FULFILL, json!({"result": {"result_success": true}})),
        (STOCKS_UPDATE, updated()),
        (PRICES_UPDATE, updated()),
        (FEED_QUERY, report()),
        (FEED_QUERY, report()),
        (FEED_LIST, jobs),
    ]
}

#[test]
fn the_answers_mean_what_they_say() {
    let rooted = |(method, answer): (&'static str, Value)| (method, rooted(method, answer, 0));
    let said = understood(answers().into_iter().map(rooted).collect());
    assert!(said[0].contains("9007199254740993"), "{}", said[0]);
    // Summer time in July, and winter time in January.
    assert!(said[1].contains("2026-07-02T10:04:05Z") && said[1].contains("2026-01-02T11:04:05Z"));
    assert_eq!(said[2], "Jane Doe 4075550100 Orlando");
    assert_eq!(said[3], "Ok(())");
    assert!(said[4].starts_with("Ok([Ok(()), Err(") && said[4].contains("NotFound"));
    assert_eq!(said[5], "Ok(Some([Ok(())]))");
    assert!(said[6].contains("S77"), "{}", said[6]);
}

#[test]
fn stock_that_was_set_without_its_price_has_happened() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone(), &json!({}));
    let fine = json!({"update_success": true, "update_successful_list": [{"product_id": "7"}]});
    gateway.will_say(&fine);
    gateway.will_break(Sent::No);
    let outcomes = block_on(shop.push(&[update("7", "A", 1)], jiff::Timestamp::MAX)).unwrap();
    let error = outcomes[0].as_ref().unwrap_err();
    assert_eq!(
        (error.kind, error.effect),
        (Kind::Unreachable, Effect::Happened)
    );
    assert_eq!(
        block_on(shop.push(&[], jiff::Timestamp::MAX)),
        Ok(Vec::new())
    );
    let wrong = block_on(shop.push(&[update("abc", "A", 1)], jiff::Timestamp::MAX)).unwrap();
    assert_eq!(wrong[0].as_ref().unwrap_err().effect, Effect::None);
    assert_eq!(gateway.sent().len(), 2);
}

#[test]
fn a_product_of_many_skus_goes_in_several_calls_and_each_outcome_to_its_own() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone(), &json!({}));
    let updates: Vec<_> = (0..201)
        .map(|number| update("7", &format!("S{number}"), number))
        .collect();
    let fine = json!({"update_success": true, "update_successful_list": [{"product_id": 7}]});
    let failed = json!({"update_success": true, "update_failed_list": [{"product_id": 7,
        "error_code": "isv.invalid-parameter"}], "update_successful_list": [{"product_id": 7}]});
    for answer in [&fine, &fine, &failed, &fine] {
        gateway.will_say(answer);
    }
    let outcomes = block_on(shop.push(&updates, jiff::Timestamp::MAX)).unwrap();
    assert!(outcomes[..200].iter().all(Result::is_ok));
    assert_eq!(outcomes[200].as_ref().unwrap_err().kind, Kind::Refused);
    assert_eq!(gateway.sent().len(), 4);
}

#[test]
fn an_answer_in_xml_is_the_same_answer_and_a_page_for_people_is_none() {
    let gateway = Arc::new(Gateway::default());
    let old = json!({"gateway": "top"});
    let shop = shop(gateway.clone(), &old);
    gateway.will_send(
        "<?xml version=\"1.0\"?><aliexpress_solution_order_get_response><result><success>true</success>\
         <total_count>1</total_count><total_page>1</total_page><target_list><order_dto>\
         <order_id>9007199254740993</order_id><gmt_update>2026-07-02 03:04:05</gmt_update>\
         </order_dto></target_list></result></aliexpress_solution_order_get_response>",
    );
    let (from, until): (Timestamp, Timestamp) = (Timestamp::UNIX_EPOCH, NOW.parse().unwrap());
    let page = block_on(shop.changed(from, until, None)).unwrap();
    assert_eq!(page.orders[0].0.as_str(), "9007199254740993");
    assert_eq!(page.orders[0].1, "2026-07-02T10:04:05Z".parse().unwrap());
    let sent = &gateway.sent()[0];
    assert_eq!(
        (&*sent["timestamp"], &*sent["v"]),
        ("2026-11-02 16:00:00", "2.0")
    );
    let refusal = |inner: &str| format!("<error_response>{inner}</error_response>");
    gateway.will_send(refusal(
        "<code>7</code><msg>App Call Limited</msg>\
         <sub_msg>This ban will last for 2 more seconds</sub_msg>",
    ));
    let banned = block_on(shop.changed(from, until, None)).unwrap_err();
    let wait = Duration::from_secs(3);
    assert_eq!(
        (banned.kind, banned.retry),
        (Kind::Throttled, Retry::After(wait))
    );
    gateway.will_send(refusal(
        "<code>50</code><sub_code>isp.remote-error</sub_code>",
    ));
    let broken = block_on(shop.changed(from, until, None)).unwrap_err();
    assert_eq!(
        (broken.kind, &*broken.code),
        (Kind::Unavailable, "isp.remote-error")
    );
    for body in [
        "<html><body>gone</body></html>",
        "<a_response>",
        "",
        "[]",
        "{}",
    ] {
        gateway.will_send(body);
        let error = block_on(shop.changed(from, until, None)).unwrap_err();
        assert_eq!(error.kind, Kind::Unreadable, "{body}");
    }
}

#[test]
fn nothing_of_a_page_is_lost_in_silence() {
    let (from, until): (Timestamp, Timestamp) = (Timestamp::UNIX_EPOCH, NOW.parse().unwrap());
    let of = |answer: Value, page: Option<&str>| {
        let gateway = Arc::new(Gateway::default());
        gateway.will_say(&answer);
        block_on(shop(gateway, &json!({})).changed(from, until, page))
    };
    for change in [
        (|page: &mut Value| page["result"]["target_list"][0]["order_id"] = Value::Null)
            as fn(&mut Value),
        |page| page["result"]["target_list"][1] = json!(3),
        |page| page["result"] = Value::Null,
        |page| page["result"] = json!({}),
    ] {
        let mut answer = page();
        change(&mut answer);
        assert_eq!(of(answer, None).unwrap_err().kind, Kind::Unreadable);
    }
    let mut timeless = page();
    timeless["result"]["target_list"][0]["gmt_update"] = json!("yesterday");
    assert_eq!(of(timeless, None).unwrap().orders[0].1, until);
    let mut more = page();
    more["result"]["total_page"] = json!("3");
    assert_eq!(of(more.clone(), None).unwrap().next.as_deref(), Some("2"));
    assert_eq!(of(more, Some("3")).unwrap().next, None);
    let empty = json!({"result": {"success": true, "total_count": 0}});
    assert!(of(empty, None).unwrap().orders.is_empty());
    for wrong in ["0", "-1", "x"] {
        assert_eq!(of(page(), Some(wrong)).unwrap_err().kind, Kind::Refused);
    }
}

#[test]
fn a_day_has_no_more_submissions_than_are_documented() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone(), &json!({}));
    let mut made = 0;
    let error = loop {
        gateway.will_say(&json!({"job_id": 1}));
        gateway.will_say(&json!({"job_id": 2}));
        match block_on(shop.submit(&[update("7", "A", 1)])) {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.effect, &*error.code), (Effect::None, "own-limit"));
    assert!((1..=limits::SUBMISSIONS_PER_DAY).contains(&made), "{made}");
    let none = block_on(shop.submit(&[])).unwrap_err();
    assert_eq!((none.kind, none.effect), (Kind::Refused, Effect::None));
}

#[test]
fn a_submission_is_written_and_read_back() {
    assert_eq!(jobs_of("S1+P2"), Some(vec![1, 2]));
    assert_eq!(
        jobs_of("P200000000060024475"),
        Some(vec![200_000_000_060_024_475])
    );
    for wrong in ["", "1", "S", "S-1", "P1+S2", "S1+P2+S3", "S+1", "Ä1", "S1+"] {
        assert_eq!(jobs_of(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn every_shape_of_the_answers_means_the_same(
        choices in prop::collection::vec(any::<u8>(), 1..64), root in any::<u8>(),
    ) {
        let plain = |(method, answer): (&'static str, Value)| (method, rooted(method, answer, 0));
        let expected = understood(answers().into_iter().map(plain).collect());
        let mut choices = endless(&choices);
        let shaped = answers().into_iter().enumerate().map(|(place, (method, answer))| {
            let answer = reshaped(&answer, &mut choices);
            let root = root.wrapping_add(u8::try_from(place).unwrap());
            (method, rooted(method, answer, root))
        });
        prop_assert_eq!(understood(shaped.collect()), expected);
    }

    #[test]
    fn no_answer_makes_a_role_panic_or_a_success_of_nothing(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..120),
            "[<>/a-z_\"{}:,\\[\\] ]{0,120}".prop_map(String::into_bytes),
            Just(b"{\"result\":{}}".to_vec()),
            Just(b"{\"result\":{\"data\":{}}}".to_vec()),
        ],
        old in any::<bool>(),
    ) {
        let further = if old { json!({"gateway": "top"}) } else { json!({}) };
        let ask = |answers: Vec<Value>| {
            let gateway = Arc::new(Gateway::default());
            for answer in answers {
                gateway.will_say(&answer);
            }
            // A token that the answer calls refused is renewed and the call made again.
            for _ in 0..2 {
                gateway.will_send(body.clone());
            }
            shop(gateway, &further)
        };
        let (from, until) = (Timestamp::UNIX_EPOCH, NOW.parse().unwrap());
        let _ = block_on(ask(vec![]).changed(from, until, None));
        prop_assert!(block_on(ask(vec![]).order(&id())).is_err());
        prop_assert!(block_on(ask(vec![info(), services()]).confirm(&id(), &parcel())).is_err());
        let pushed = block_on(ask(vec![]).push(&[update("7", "A", 1)], jiff::Timestamp::MAX));
        prop_assert!(pushed.is_err() || pushed.is_ok_and(|pushed| pushed[0].is_err()));
        prop_assert!(block_on(ask(vec![]).submit(&[update("7", "A", 1)])).is_err());
        let submission = Submission { id: "S5+P5".to_owned(), at: from };
        let report = block_on(ask(vec![]).report(&submission, &[update("7", "A", 1)]));
        prop_assert!(!matches!(report, Ok(Some(outcomes)) if outcomes[0].is_ok()));
    }
}
