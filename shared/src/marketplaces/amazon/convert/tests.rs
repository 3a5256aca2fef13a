use super::*;
use crate::domain::{ListingId, ParcelLine, Sku};
use serde_json::{Value, json};

fn base() -> Value {
    json!({
        "orderId": "111-1234567-1234567",
        "createdTime": "2026-01-15T10:00:00Z",
        "lastUpdatedTime": "2026-01-15T10:05:00.123Z",
        "programs": ["PRIME"],
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "ATVPDKIKX0DER"},
        "aFieldOfTomorrow": {"x": [1]},
        "buyer": {"buyerName": "Ann Example", "buyerEmail": "alias@marketplace.example.invalid"},
        "recipient": {"deliveryAddress": {
            "name": "Ann Example", "addressLine1": "1 Test Rd", "addressLine2": "", "addressLine3": "Gate 3",
            "city": "Testville", "stateOrRegion": "CA", "postalCode": 90001, "countryCode": "US",
            "phone": "+1 555-0100 ext. 12345",
        }},
        "proceeds": {"grandTotal": {"amount": "44.99", "currencyCode": "USD"}},
        "fulfillment": {
            "fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT",
            "shipByWindow": {"latestDateTime": "2026-01-18T07:59:59Z"},
        },
        "orderItems": [
            {
                "orderItemId": "1001", "quantityOrdered": "2",
                "product": {"sellerSku": "LAMP-1", "price": {"unitPrice": {"amount": 20, "currencyCode": "USD"}}},
                "proceeds": {"breakdowns": [
                    {"type": "ITEM", "subtotal": {"amount": "38.00", "currencyCode": "USD"}},
                    {"type": "TAX", "subtotal": {"amount": "3.01", "currencyCode": "USD"}},
                    {"type": "OF_TOMORROW"},
                ]},
            },
            {
                "orderItemId": 1002, "quantityOrdered": 1,
                "product": {"price": {"unitPrice": {"amount": "2.00", "currencyCode": "USD"}}},
            },
        ],
    })
}

fn fetch(change: impl FnOnce(&mut Value)) -> Result<FetchedOrder, BadField> {
    let mut json = base();
    change(&mut json);
    super::order(&serde_json::from_value(json).unwrap(), 1_500)
}

fn item(order: &mut Value) -> &mut Value {
    &mut order["orderItems"][0]
}

#[test]
fn an_order_is_read_whole_and_numbers_and_text_are_taken_for_each_other() {
    let order = fetch(|_| {}).unwrap();
    let details = order.details;
    assert_eq!(
        (details.payment, details.cancel),
        (Payment::Paid, Cancel::No)
    );
    assert!(!details.fulfilled);
    assert_eq!(details.total.to_string(), "44.99 USD");
    // 15 % of the total, rounded up, and the tax.
    assert_eq!(details.fee.minor, 675 + 301);
    let lines: Vec<_> = details
        .lines
        .iter()
        .map(|line| (line.id.as_str(), line.quantity, line.price.minor))
        .collect();
    assert_eq!(lines, [("1001", 2, 3_800), ("1002", 1, 200)]);
    assert_eq!(
        details.lines[0].ship_by.unwrap().to_string(),
        "2026-01-18T07:59:59Z"
    );
    assert_eq!(
        (details.lines[0].sku.as_str(), details.lines[1].sku.as_str()),
        ("LAMP-1", "")
    );
    let buyer = order.buyer.unwrap();
    assert_eq!(
        (buyer.name.as_str(), buyer.address.line1.as_str()),
        ("Ann Example", "1 Test Rd")
    );
    assert_eq!(buyer.address.line2, "Gate 3");
    assert_eq!(buyer.address.postal_code, "90001");
    assert_eq!(buyer.email, buyer.account_name);
}

#[test]
fn only_what_is_paid_wanted_and_ours_to_send_can_be_bought() {
    use Cancel::{Done, No, Requested};
    use Payment::{Paid, Pending};
    let rows = [
        ("PENDING_AVAILABILITY", Pending, No, false),
        ("PENDING", Pending, No, false),
        ("UNSHIPPED", Paid, No, false),
        ("PARTIALLY_SHIPPED", Paid, No, false),
        ("SHIPPED", Paid, No, true),
        ("CANCELLED", Pending, Done, false),
        ("UNFULFILLABLE", Pending, Done, false),
        ("OF_TOMORROW", Pending, No, false),
    ];
    for (status, payment, cancel, fulfilled) in rows {
        let details = fetch(|order| {
            order["fulfillment"]["fulfillmentStatus"] = status.into();
            for item in order["orderItems"].as_array_mut().unwrap() {
                item["fulfillment"] = json!({ "quantityFulfilled": 0 });
            }
        });
        let details = details.unwrap().details;
        let seen = (details.payment, details.cancel, details.fulfilled);
        assert_eq!(seen, (payment, cancel, fulfilled), "{status}");
    }
    let untold =
        fetch(|order| order["fulfillment"]["fulfillmentStatus"] = "PARTIALLY_SHIPPED".into());
    let field = BadField("orderItems.fulfillment.quantityFulfilled");
    assert_eq!(untold.unwrap_err(), field, "how much is not guessed");
    let by_amazon = fetch(|order| order["fulfillment"]["fulfilledBy"] = "AMAZON".into());
    assert!(by_amazon.unwrap().details.fulfilled);
    let asked = |order: &mut Value| {
        item(order)["cancellation"] = json!({"cancellationRequest": {"requester": "BUYER"}});
    };
    assert_eq!(fetch(asked).unwrap().details.cancel, Requested);
    for (program, field) in super::NOT_OURS_TO_SHIP {
        let refused = fetch(|order| order["programs"] = json!([program]));
        assert_eq!(refused.unwrap_err(), field);
        let over = fetch(|order| {
            order["programs"] = json!([program]);
            order["fulfillment"]["fulfillmentStatus"] = "SHIPPED".into();
        });
        assert!(
            over.unwrap().details.fulfilled,
            "what is over stands in nobody's way"
        );
    }
}

#[test]
fn a_line_that_was_cancelled_is_not_wanted_and_with_the_last_the_order_is_over() {
    let cancelled =
        json!({"cancellationExecution": {"cancelledBy": "BUYER"}, "cancellationRequest": {}});
    let one = fetch(|order| item(order)["cancellation"] = cancelled.clone())
        .unwrap()
        .details;
    let cancelled_units: Vec<u32> = one.lines.iter().map(|line| line.cancelled).collect();
    assert_eq!(cancelled_units[0], one.lines[0].quantity);
    assert_eq!((cancelled_units[1], one.cancel), (0, Cancel::No));
    let none = fetch(|order| item(order)["quantityOrdered"] = 0.into())
        .unwrap()
        .details;
    assert_eq!(none.lines.len(), 1);
    let all = fetch(|order| {
        order["orderItems"][1]["cancellation"] = cancelled.clone();
        item(order)["quantityOrdered"] = 0.into();
    });
    assert_eq!(all.unwrap().details.cancel, Cancel::Done);
    let asked_for_nothing = fetch(|order| {
        item(order)["cancellation"] =
            json!({"cancellationRequest": null, "cancellationExecution": null});
    });
    assert_eq!(asked_for_nothing.unwrap().details.cancel, Cancel::No);
}

#[test]
fn an_unpaid_order_has_neither_address_nor_amounts_and_is_recorded_all_the_same() {
    let pending = fetch(|order| {
        order["fulfillment"] = json!({"fulfillmentStatus": "PENDING"});
        order["salesChannel"]["marketplaceId"] = "A1F83G8C2ARO7P".into();
        for part in ["buyer", "recipient", "proceeds"] {
            order[part] = Value::Null;
        }
        for place in 0..2 {
            order["orderItems"][place]["proceeds"] = Value::Null;
            order["orderItems"][place]["product"] = json!({"sellerSku": "LAMP-1"});
        }
    });
    let pending = pending.unwrap();
    assert_eq!(pending.details.payment, Payment::Pending);
    assert_eq!(pending.details.total.to_string(), "0.00 GBP");
    assert_eq!(pending.details.country.as_str(), "GB");
    assert!(pending.buyer.is_none());
}

#[test]
fn what_buying_needs_must_be_said() {
    type Change = fn(&mut Value);
    let rows: [(&str, Change); 11] = [
        ("fulfillment.fulfillmentStatus", |o| {
            o["fulfillment"] = Value::Null
        }),
        ("fulfillment.fulfilledBy", |o| {
            o["fulfillment"]["fulfilledBy"] = "OF_TOMORROW".into()
        }),
        ("fulfillment.shipByWindow", |o| {
            o["fulfillment"]["shipByWindow"]["latestDateTime"] = "soon".into()
        }),
        ("proceeds.grandTotal", |o| o["proceeds"] = Value::Null),
        ("proceeds.grandTotal", |o| {
            o["proceeds"]["grandTotal"]["amount"] = "1.999".into()
        }),
        ("orderItems", |o| o["orderItems"] = json!([])),
        ("orderItems.quantityOrdered", |o| {
            item(o)["quantityOrdered"] = (-1).into()
        }),
        ("orderItems.quantityOrdered", |o| {
            item(o)["quantityOrdered"] = Value::Null
        }),
        ("orderItems.orderItemId", |o| {
            item(o)["orderItemId"] = "a b".into()
        }),
        ("createdTime", |o| o["createdTime"] = Value::Null),
        ("proceeds.grandTotal.currencyCode", |o| {
            o["proceeds"]["grandTotal"]["currencyCode"] = "XYZ".into()
        }),
    ];
    for (field, change) in rows {
        assert_eq!(fetch(change).unwrap_err(), BadField(field));
    }
    let priceless = fetch(|order| {
        item(order)["proceeds"] = Value::Null;
        item(order)["product"]["price"] = Value::Null;
    });
    assert_eq!(priceless.unwrap_err(), BadField("orderItems.proceeds"));
}

#[test]
fn addresses_are_made_whole_where_amazon_is_sparing() {
    let address = |change: fn(&mut Value)| {
        let order = fetch(|order| change(&mut order["recipient"]["deliveryAddress"])).unwrap();
        (order.details.country.as_str().to_owned(), order.buyer)
    };
    assert_eq!(address(|a| a["countryCode"] = "UK".into()).0, "GB");
    assert_eq!(address(|a| a["countryCode"] = "de".into()).0, "DE");
    assert_eq!(
        address(|a| a["countryCode"] = Value::Null).0,
        "US",
        "the marketplace's"
    );
    let company = address(|a| a["companyName"] = "Example Ltd".into())
        .1
        .unwrap();
    assert_eq!(company.address.line2, "Example Ltd, Gate 3");
    let nameless = |a: &mut Value| {
        a["name"] = Value::Null;
        a["companyName"] = "Example Ltd".into();
    };
    let nameless = address(nameless).1.unwrap();
    assert_eq!(
        (nameless.name.as_str(), nameless.address.line2.as_str()),
        ("Example Ltd", "Gate 3")
    );
    let shifted = address(|a| a["addressLine1"] = "".into()).1.unwrap();
    assert_eq!(
        (
            shifted.address.line1.as_str(),
            shifted.address.line2.as_str()
        ),
        ("Gate 3", "")
    );
    let town = |a: &mut Value| {
        a["city"] = Value::Null;
        a["municipality"] = "Town".into();
        a["stateOrRegion"] = Value::Null;
        a["districtOrCounty"] = "County".into();
    };
    let town = address(town).1.unwrap().address;
    assert_eq!(
        (town.city.as_str(), town.region.as_str()),
        ("Town", "County")
    );
    let turkish = |a: &mut Value| {
        a["addressLine2"] = "Daire 5".into();
        a["districtOrCounty"] = "Kadıköy".into();
    };
    let line2 = address(turkish).1.unwrap().address.line2;
    assert_eq!(line2, "Daire 5, Gate 3, Kadıköy");
    let brazilian = |a: &mut Value| {
        a["addressLine1"] = Value::Null;
        a["addressLine3"] = Value::Null;
        a["extendedFields"] = json!({
            "streetName": "Rua das Flores", "streetNumber": "12",
            "complement": "Apto 4", "neighborhood": "Jardins"
        });
    };
    let brazilian = address(brazilian).1.unwrap().address;
    assert_eq!(brazilian.line1, "Rua das Flores 12");
    assert_eq!(brazilian.line2, "Apto 4, Jardins");
    let buyers_name = fetch(|order| order["recipient"]["deliveryAddress"]["name"] = Value::Null);
    assert_eq!(buyers_name.unwrap().buyer.unwrap().name, "Ann Example");
    for part in ["addressLine1", "addressLine3"] {
        let hidden = fetch(|order| {
            order["recipient"]["deliveryAddress"] = json!({"countryCode": "US", part: "x"});
            order["buyer"] = Value::Null;
        });
        assert!(hidden.unwrap().buyer.is_none());
    }
}

fn parcel(carrier: &str, tracking: &str) -> ParcelToConfirm {
    let line = |id: &str, quantity| ParcelLine {
        line: LineId::parse(id).unwrap(),
        quantity,
    };
    ParcelToConfirm {
        tracking_number: TrackingNumber::parse(tracking).unwrap(),
        carrier: carrier.to_owned(),
        lines: vec![line("1", 1), line("2", 3), line("1", 2)],
        shipped_at: "2026-01-15T12:00:00.9Z".parse().unwrap(),
        not_after: Timestamp::MAX,
    }
}

#[test]
fn a_parcels_number_stays_the_same_and_is_a_positive_whole_number_as_text() {
    let order = ChannelOrderId::parse("111-1234567-1234567").unwrap();
    let other = ChannelOrderId::parse("111-1234567-1234568").unwrap();
    let number = |order: &ChannelOrderId, tracking: &str| {
        package_reference(order, &TrackingNumber::parse(tracking).unwrap())
    };
    let first = number(&order, "1Z999AA10123456784");
    // Written down, because parcels that were sent before an update of Kervan must keep theirs.
    assert_eq!(first, "1930085769");
    assert_eq!(first, number(&order, "1z 999-AA1 0123456784"));
    assert_ne!(first, number(&order, "1Z999AA10123456785"));
    assert_ne!(first, number(&other, "1Z999AA10123456784"));
    for n in 0..1_000 {
        let reference: u32 = number(&order, &format!("NUMBER{n}")).parse().unwrap();
        assert!((1..=0x7fff_ffff).contains(&reference));
    }
}

#[test]
fn a_confirmation_names_each_line_once_and_a_carrier_that_amazon_does_not_know_beside_other() {
    let order = ChannelOrderId::parse("1").unwrap();
    let latest = "2026-01-15T11:59:55Z".parse().unwrap();
    let sent = |carrier| {
        let parcel = parcel(carrier, "LP00123456789012");
        serde_json::to_value(confirmation(&order, "M", &parcel, latest)).unwrap()
    };
    let body = sent("Lucky Parcels");
    let detail = &body["packageDetail"];
    assert!(detail["packageReferenceId"].is_string());
    assert_eq!(detail["carrierCode"], "Other");
    assert_eq!(detail["carrierName"], "Lucky Parcels");
    assert_eq!(
        detail["shipDate"], "2026-01-15T11:59:55Z",
        "never in Amazon's future"
    );
    let items = json!([{"orderItemId": "1", "quantity": 3}, {"orderItemId": "2", "quantity": 3}]);
    assert_eq!(detail["orderItems"], items);
    assert_eq!(sent("")["packageDetail"]["carrierName"], "Other");
    let known = sent("UPS");
    assert_eq!(known["packageDetail"]["carrierCode"], "UPS");
    assert!(known["packageDetail"].get("carrierName").is_none());
}

#[test]
fn prices_are_written_as_the_decimals_that_they_are() {
    for (price, currency, written) in [
        ("19.99", "USD", "19.99"),
        ("0.10", "USD", "0.1"),
        ("1980", "JPY", "1980"),
        ("123456789.01", "EUR", "123456789.01"),
    ] {
        let update = ListingUpdate::new(
            ListingId {
                channel: "amazon:main".parse().unwrap(),
                sku: Sku::parse("A").unwrap(),
                offer: String::new(),
            },
            1,
            Money::parse(price, currency.parse().unwrap()).unwrap(),
        );
        let patches = serde_json::to_value(patches(&update, "M").unwrap()).unwrap();
        let offer = &patches[1]["value"][0];
        let number = &offer["our_price"][0]["schedule"][0]["value_with_tax"];
        assert_eq!(number.to_string(), written, "{price}");
        assert!(number.is_number());
        assert_eq!(
            (&patches[0]["op"], &offer["currency"]),
            (&json!("merge"), &json!(currency))
        );
    }
}

#[test]
fn what_goes_to_zero_is_patched_without_a_price() {
    let listing = ListingId {
        channel: "amazon:main".parse().unwrap(),
        sku: Sku::parse("A").unwrap(),
        offer: String::new(),
    };
    let price = Money::parse("19.99", "USD".parse().unwrap()).unwrap();
    let update = ListingUpdate::new(listing, 0, price);
    let patches = serde_json::to_value(patches(&update, "M").unwrap()).unwrap();
    let availability = json!([{
        "op": "merge",
        "path": "/attributes/fulfillment_availability",
        "value": [{ "fulfillment_channel_code": "DEFAULT", "quantity": 0 }],
    }]);
    assert_eq!(patches, availability);
}

#[test]
fn a_span_ends_two_minutes_ago_and_begins_within_two_years() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let now = at("2026-01-15T12:00:00Z");
    let (from, until) = super::span(at("2026-01-15T11:00:00Z"), now, now).unwrap();
    assert_eq!(
        (from, until),
        (at("2026-01-15T11:00:00Z"), at("2026-01-15T11:57:55Z"))
    );
    let (from, _) = super::span(at("2020-01-01T00:00:00Z"), now, now).unwrap();
    assert_eq!(from, at("2024-01-17T12:00:00Z"));
    assert_eq!(super::span(at("2026-01-15T11:58:00Z"), now, now), None);
    assert_eq!(super::span(now, Timestamp::MIN, Timestamp::MIN), None);
}
