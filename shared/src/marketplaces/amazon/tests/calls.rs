//! Orders, parcels, listings and feeds.

use super::*;

#[tokio::test]
async fn an_expired_token_is_renewed_once_and_the_call_made_once_more() {
    let world = world();
    world
        .network
        .answer(403, expired())
        .answer(200, order_json());
    world.amazon.order(&order_id("1-1")).await.unwrap();
    let asked = world.network.asked();
    let token = |n: usize| {
        asked[n].headers()["x-amz-access-token"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!((token(0), token(1)), ("token-0".into(), "token-1".into()));
    assert!(asked[0].headers()["x-amz-access-token"].is_sensitive());

    world.network.answer(403, expired()).answer(403, expired());
    let error = world.amazon.order(&order_id("1-1")).await.unwrap_err();
    assert_eq!(error.kind, Kind::TokenInvalid);
    assert_eq!(world.network.asked().len(), 2);

    let denied = json!({"errors": [{"code": "Unauthorized", "message": "denied", "details": ""}]});
    world.network.answer(403, denied);
    let error = world.amazon.order(&order_id("1-1")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (Kind::Misconfigured, Retry::Person)
    );
    assert_eq!(world.network.asked().len(), 1);
}

#[tokio::test]
async fn the_wait_after_a_429_is_the_time_of_one_token() {
    let world = world();
    let wait = async |calls: &str| {
        world.network.answer(429, calls);
        let until = now() - jiff::SignedDuration::from_hours(1);
        let error = world.amazon.changed(until, now(), None).await.unwrap_err();
        assert_eq!(error.kind, Kind::Throttled);
        error.retry
    };
    let documented = Duration::from_secs(10_000) / 56;
    assert_eq!(wait("<html>").await, Retry::After(documented));
    let page = json!({"orders": []});
    for (rate, wait_s) in [
        ("0.02", 50),
        ("nonsense", 50),
        ("0.0", 50),
        ("0.000001", 3_600),
        ("900.0", 1),
    ] {
        let headers = [("x-amzn-ratelimit-limit", rate)];
        world.network.answer_with(200, &headers, &page);
        let from = now() - jiff::SignedDuration::from_hours(1);
        world.amazon.changed(from, now(), None).await.unwrap();
        assert_eq!(
            wait("").await,
            Retry::After(Duration::from_secs(wait_s)),
            "{rate}"
        );
    }
}

#[tokio::test]
async fn an_answer_about_another_order_is_none() {
    let world = world();
    world.network.answer(200, order_json());
    let error = world.amazon.order(&order_id("2-2")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (Kind::Unreadable, "orderId")
    );
    for (body, retry_is_permanent) in [
        ("", false),
        ("{\"order\":", false),
        ("<html>", false),
        ("{}", true),
        ("[]", true),
        ("{\"order\":null}", true),
        ("{\"order\":{\"orderItems\":[7]}}", true),
    ] {
        world.network.answer(200, body);
        let error = world.amazon.order(&order_id("1-1")).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unreadable, "{body}");
        assert_eq!(
            error.retry == Retry::Permanent,
            retry_is_permanent,
            "{body}"
        );
    }
}

#[tokio::test]
async fn all_parameters_of_a_later_page_are_those_of_the_first_though_time_has_passed() {
    let world = world();
    let page = |token: Value| {
        json!({
            "orders": [{"orderId": "1-1", "lastUpdatedTime": "2026-01-15T10:01:00Z"}],
            "pagination": {"nextToken": token},
        })
    };
    world
        .network
        .answer(200, page(json!("a+/ ==")))
        .answer(200, page(Value::Null));
    let from = now() - jiff::SignedDuration::from_hours(1);
    let first = world.amazon.changed(from, now(), None).await.unwrap();
    world.clock.advance(jiff::SignedDuration::from_mins(7));
    let second = world
        .amazon
        .changed(from, now(), first.next.as_deref())
        .await
        .unwrap();
    assert_eq!(second.next, None);
    let asked = world.network.asked();
    let query = |n: usize| asked[n].uri().query().unwrap().to_owned();
    assert_eq!(
        query(1),
        format!("{}&paginationToken=a%2B%2F%20%3D%3D", query(0))
    );
    assert!(
        query(0).contains("lastUpdatedBefore=2026-01-15T11%3A57%3A55Z"),
        "{}",
        query(0)
    );
    assert!(query(0).contains("fulfilledBy=MERCHANT"));

    // A token that leads to itself would never end.
    world
        .network
        .answer(200, page(json!("t")))
        .answer(200, page(json!("t")));
    let first = world.amazon.changed(from, now(), None).await.unwrap();
    let round = world
        .amazon
        .changed(from, now(), first.next.as_deref())
        .await
        .unwrap_err();
    assert_eq!(round.code, "pagination.nextToken");
    let foreign = world
        .amazon
        .changed(from, now(), Some("7"))
        .await
        .unwrap_err();
    assert_eq!(foreign.code, "page");
}

#[tokio::test]
async fn a_page_without_its_orders_is_no_empty_page() {
    let world = world();
    let from = now() - jiff::SignedDuration::from_hours(1);
    for body in [
        "{}",
        "{\"orders\":null}",
        "{\"orders\":{}}",
        "{\"orders\":[7]}",
        "{\"orders\":[{\"orderId\":\"1\"}]}",
    ] {
        world.network.answer(200, body);
        let error = world.amazon.changed(from, now(), None).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unreadable, "{body}");
    }
    let empty = world.amazon.changed(now(), now(), None).await.unwrap();
    assert_eq!((empty.orders.len(), empty.next), (0, None));
    assert_eq!(
        world.network.asked().len(),
        5,
        "an empty span is not asked for"
    );
}

#[tokio::test]
async fn an_order_of_several_marketplaces_is_confirmed_on_its_own() {
    let mut several = secret();
    several["marketplace_ids"] = json!(["A2EUQ1WTGCTBG2", "ATVPDKIKX0DER"]);
    let world = world_with(&several);
    world.network.answer(200, order_json()).answer(204, "");
    world
        .amazon
        .confirm(&order_id("1-1"), &parcel())
        .await
        .unwrap();
    let asked = world.network.asked();
    let body: Value = serde_json::from_slice(asked[1].body()).unwrap();
    assert_eq!(body["marketplaceId"], "ATVPDKIKX0DER");
}

#[tokio::test]
async fn only_amazons_own_answer_confirms_a_parcel() {
    for (status, body) in [(200, ""), (200, "<html></html>"), (201, ""), (202, "{}")] {
        let world = world();
        world.network.answer(status, body);
        let confirmed = world.amazon.confirm(&order_id("1-1"), &parcel()).await;
        let error = confirmed.unwrap_err();
        let axes = (error.kind, error.effect);
        assert_eq!(axes, (Kind::Unreadable, Effect::Unknown), "{status}");
        assert!(matches!(error.retry, Retry::After(_)), "{status}");
    }
}

#[tokio::test]
async fn a_listing_goes_to_the_marketplace_that_its_offer_names_or_to_the_first() {
    let mut several = secret();
    several["marketplace_ids"] = json!(["A2EUQ1WTGCTBG2", "ATVPDKIKX0DER"]);
    let world = world_with(&several);
    let accepted = json!({"status": "ACCEPTED"});
    for _ in 0..2 {
        world.network.answer(200, &accepted);
    }
    let updates = [update("A/B", "ATVPDKIKX0DER"), update("A/B", "B0ASIN")];
    let outcomes = world
        .amazon
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    assert_eq!(outcomes, [Ok(()), Ok(())]);
    let asked = world.network.asked();
    let path = |n: usize| asked[n].uri().path_and_query().unwrap().to_string();
    let items = "/listings/2021-08-01/items/A1SELLER/A%2FB?marketplaceIds=";
    assert_eq!(path(0), format!("{items}ATVPDKIKX0DER"));
    assert_eq!(path(1), format!("{items}A2EUQ1WTGCTBG2"));
}

#[tokio::test]
async fn what_concerns_the_account_keeps_the_other_listings_back_and_what_concerns_one_does_not() {
    let world = world();
    let updates = [update("A", ""), update("B", ""), update("C", "")];
    let invalid = json!({"status": "INVALID", "issues": [
        {"code": "1", "severity": "WARNING"}, {"code": "90220", "severity": "ERROR"}]});
    world
        .network
        .answer(200, json!({"status": "ACCEPTED"}))
        .answer(429, "")
        .answer(200, &invalid);
    let outcomes = world
        .amazon
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    let kinds: Vec<_> = outcomes
        .into_iter()
        .map(|one| one.err().map(|error| (error.kind, error.effect)))
        .collect();
    let throttled = Some((Kind::Throttled, Effect::None));
    assert_eq!(kinds, [None, throttled, throttled]);
    assert_eq!(world.network.asked().len(), 2);

    world.network.answers.lock().unwrap().clear();
    world
        .network
        .answer(200, &invalid)
        .answer(500, "")
        .answer(200, json!({"status": "VALID"}));
    let outcomes = world
        .amazon
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    let codes: Vec<_> = outcomes
        .into_iter()
        .map(|one| one.unwrap_err())
        .map(|e| (e.code, e.effect))
        .collect();
    let code = |code: &str, effect| (code.to_owned(), effect);
    assert_eq!(
        codes,
        [
            code("90220", Effect::None),
            code("http-500", Effect::Unknown),
            code("status", Effect::Unknown)
        ]
    );

    world.network.answer(403, "");
    assert_eq!(
        world
            .amazon
            .push(&updates, jiff::Timestamp::MAX)
            .await
            .unwrap_err()
            .kind,
        Kind::Misconfigured
    );
    assert_eq!(
        world.amazon.push(&[], jiff::Timestamp::MAX).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn a_document_is_never_put_where_it_could_be_read_on_the_way() {
    let world = world();
    for url in [
        "http://storage.example.com/x",
        "http://127.0.0.1/x",
        "ftp://x/y",
        "x",
        "",
    ] {
        world
            .network
            .answer(201, json!({"feedDocumentId": "d", "url": url}));
        let error = world.amazon.submit(&[update("A", "")]).await.unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.effect),
            ("url", Effect::None),
            "{url}"
        );
        assert_eq!(world.network.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_hand_in_without_a_readable_answer_is_a_doubt() {
    let world = world();
    let document = json!({"feedDocumentId": "d", "url": "https://storage.example.com/x"});
    for (status, body) in [
        (202, "{\"feed"),
        (202, "{}"),
        (202, ""),
        (500, ""),
        (409, ""),
    ] {
        world
            .network
            .answer(201, &document)
            .answer(200, "")
            .answer(status, body);
        let error = world.amazon.submit(&[update("A", "")]).await.unwrap_err();
        assert_eq!(error.effect, Effect::Unknown, "{status} {body}");
    }
    world.network.asked();
    for count in [0, limits::MESSAGES_PER_FEED + 1] {
        let updates = vec![update("A", ""); count];
        let error = world.amazon.submit(&updates).await.unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.retry),
            ("messages", Retry::Permanent)
        );
    }
    assert_eq!(world.network.asked().len(), 0);
    assert_eq!(world.amazon.most(), limits::MESSAGES_PER_FEED);
}

#[tokio::test]
async fn a_feed_that_is_not_done_has_no_report_and_one_without_a_document_no_success() {
    let world = world();
    let at_work = Submission {
        id: "f".into(),
        at: now(),
    };
    let updates = [update("A", "")];
    for status in ["IN_QUEUE", "IN_PROGRESS", "OF_TOMORROW"] {
        world
            .network
            .answer(200, json!({"feedId": "f", "processingStatus": status}));
        assert_eq!(
            world.amazon.report(&at_work, &updates).await.unwrap(),
            None,
            "{status}"
        );
    }
    for (status, effect) in [
        ("DONE", Effect::Unknown),
        ("FATAL", Effect::Unknown),
        ("CANCELLED", Effect::None),
    ] {
        world
            .network
            .answer(200, json!({"feedId": "f", "processingStatus": status}));
        let report = world
            .amazon
            .report(&at_work, &updates)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(report[0].clone().unwrap_err().effect, effect, "{status}");
    }
    world.network.answer(200, "{}");
    assert!(world.amazon.report(&at_work, &updates).await.is_err());
}

#[tokio::test]
async fn a_list_of_feeds_is_whole_or_an_error() {
    let world = world();
    let page = |id: &str, next: Value| {
        json!({
        "feeds": [{"feedId": id, "createdTime": format!("2026-01-15T11:0{id}:00Z")}], "nextToken": next})
    };
    world
        .network
        .answer(200, page("1", json!("t/1")))
        .answer(200, page("2", Value::Null));
    let found = world.amazon.submissions(now()).await.unwrap();
    let ids: Vec<_> = found.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["2", "1"], "the newest first");
    let asked = world.network.asked();
    assert_eq!(
        asked[1].uri().query(),
        Some("nextToken=t%2F1"),
        "the token alone"
    );
    for _ in 0..limits::FEED_PAGES {
        world.network.answer(200, page("1", json!("t")));
    }
    let endless = world.amazon.submissions(now()).await.unwrap_err();
    assert_eq!(
        (endless.code.as_str(), endless.effect),
        ("too-many-feeds", Effect::None)
    );
    world.network.answer(200, "{\"feeds\":null}");
    assert!(world.amazon.submissions(now()).await.is_err());
}

#[tokio::test]
async fn what_is_shipped_is_not_cancelled_and_what_is_cancelled_not_twice() {
    let world = world();
    for (status, outcome) in [
        ("CANCELLED", Ok(())),
        ("SHIPPED", Err("order-shipped")),
        ("PARTIALLY_SHIPPED", Err("order-shipped")),
    ] {
        let mut order = order_json();
        order["order"]["fulfillment"]["fulfillmentStatus"] = status.into();
        world.network.answer(200, order);
        let cancelled = world.amazon.cancel(&order_id("1-1"), &[]).await;
        assert_eq!(
            cancelled.map_err(|error| error.code),
            outcome.map_err(str::to_owned),
            "{status}"
        );
        assert_eq!(world.network.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_cancellation_that_was_handed_in_is_no_failure_where_its_report_cannot_be_read_yet() {
    let world = world();
    let document = json!({"feedDocumentId": "d", "url": "https://storage.example.com/x"});
    world
        .network
        .answer(200, order_json())
        .answer(201, document)
        .answer(200, "")
        .answer(202, json!({"feedId": 7}));
    world
        .network
        .answer(200, json!({"feedId": 7, "processingStatus": "IN_QUEUE"}));
    // The second look gets no answer at all.
    world.amazon.cancel(&order_id("1-1"), &[]).await.unwrap();
    assert_eq!(world.network.asked().len(), 6);
    assert_eq!(
        world.clock.now(),
        now() + jiff::SignedDuration::from_secs(2)
    );
}
