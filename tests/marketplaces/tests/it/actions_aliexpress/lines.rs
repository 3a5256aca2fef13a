//! Lines that are sent by hand, refunded and cancelled.

use super::FULFILL;
use super::INFO;
use super::act;
use super::children;
use super::info;
use super::line;
use super::old;
use super::read;
use super::refused;
use super::shop;
use super::sold;
use super::stub;
use kervan_marketplaces::aliexpress::SaleRefundState;
use kervan_marketplaces::aliexpress::SaleStatus;
use serde_json::Value;
use serde_json::json;

#[tokio::test]
async fn units_sent_by_hand_leave_their_child_orders_in_states_of_their_own() {
    let client = shop();
    let id = sold(&client, true);
    client.advance_s(60);
    act(
        &client,
        id,
        json!({"action": "ship_by_hand", "line": 0, "units": 1}),
    )
    .await;
    let data = info(&client, id).await;
    assert_eq!(data["order_status"], "SELLER_PART_SEND_GOODS");
    assert_eq!(data["logistics_status"], "SELLER_SEND_PART_GOODS");
    assert_eq!(data["gmt_modified"], "2026-11-02 04:01:00");
    let parcels = &data["logistic_info_list"]["global_aeop_tp_logistic_info_dto"];
    assert_eq!(parcels.as_array().unwrap().len(), 1);
    let states = |data: &Value| -> Vec<Value> {
        let children = children(data);
        children
            .iter()
            .map(|child| child["order_status"].clone())
            .collect()
    };
    assert_eq!(
        states(&data),
        ["SELLER_PART_SEND_GOODS", "WAIT_SELLER_SEND_GOODS"]
    );
    act(
        &client,
        id,
        json!({"action": "ship_by_hand", "line": 0, "units": 1}),
    )
    .await;
    let data = info(&client, id).await;
    assert_eq!(
        states(&data),
        ["WAIT_BUYER_ACCEPT_GOODS", "WAIT_SELLER_SEND_GOODS"]
    );
    let products = &stub(&client, id).await["product_list"]["order_product_dto"];
    assert_eq!(products[1]["son_order_status"], "WAIT_SELLER_SEND_GOODS");
    assert!(
        refused(
            &client,
            id,
            json!({"action": "ship_by_hand", "line": 0, "units": 1})
        )
        .await
        .contains("0 units")
    );
    act(
        &client,
        id,
        json!({"action": "ship_by_hand", "line": 1, "units": 1}),
    )
    .await;
    let data = info(&client, id).await;
    assert_eq!(data["order_status"], "WAIT_BUYER_ACCEPT_GOODS");
    assert_eq!(data["logistics_status"], "SELLER_SEND_GOODS");
    let mugs = line(&client, id, 0);
    assert_eq!(
        (mugs.ordered, mugs.shipped_by_hand, mugs.shipped_by_api),
        (2, 2, 0)
    );
    // The seller's program comes too late, and is told so.
    let again = [
        ("out_ref", id.to_string()),
        ("service_name", "CAINIAO_STANDARD".to_owned()),
        ("logistics_no", "LP1234".to_owned()),
        ("send_type", "all".to_owned()),
    ];
    let got = client.business(FULFILL, &again).await.json();
    let result = &got["aliexpress_solution_order_fulfill_response"]["result"];
    assert_eq!(result["error_code"], "-999");
    let unpaid = sold(&client, false);
    refused(
        &client,
        unpaid,
        json!({"action": "ship_by_hand", "line": 0, "units": 1}),
    )
    .await;
}

#[tokio::test]
async fn what_goes_by_api_after_the_hand_is_the_rest() {
    let client = shop();
    let id = sold(&client, true);
    act(
        &client,
        id,
        json!({"action": "ship_by_hand", "line": 0, "units": 1}),
    )
    .await;
    let rest = [
        ("out_ref", id.to_string()),
        ("service_name", "CAINIAO_STANDARD".to_owned()),
        ("logistics_no", "LP1234".to_owned()),
        ("send_type", "all".to_owned()),
    ];
    client.business(FULFILL, &rest).await;
    let (mugs, vase) = (line(&client, id, 0), line(&client, id, 1));
    assert_eq!((mugs.shipped_by_hand, mugs.shipped_by_api), (1, 1));
    assert_eq!((vase.shipped_by_hand, vase.shipped_by_api), (0, 1));
    let shipments = client.aliexpress.sale(id).unwrap().shipments;
    let by_hand: Vec<bool> = shipments.iter().map(|one| one.by_hand).collect();
    assert_eq!(by_hand, [true, false]);
}

#[tokio::test]
async fn a_refund_of_a_line_is_told_with_its_child_order_and_with_the_order() {
    let client = shop();
    let id = sold(&client, true);
    let line_0 = json!({"part": "line", "line": 0});
    act(
        &client,
        id,
        json!({"action": "refund", "of": line_0, "ends": "paid"}),
    )
    .await;
    let data = info(&client, id).await;
    assert_eq!(data["order_status"], "WAIT_SELLER_SEND_GOODS");
    let refund = &data["refund_info"];
    assert_eq!(refund["refund_status"], "refund_ok");
    assert_eq!(refund["refund_cash_amt"]["amount"], "25.00");
    assert_eq!(refund["refund_cash_amt"]["cent"], 2_500);
    assert_eq!(refund["refund_time"], "2026-11-02 04:00:00");
    let [mugs, vase] = children(&data).try_into().unwrap();
    assert_eq!(mugs["order_status"], "FINISH");
    assert_eq!(mugs["refund_info"]["refund_status"], "refund_ok");
    assert_eq!(
        mugs["refund_info"]["refund_cash_amt"]["amount_str"],
        "25.00"
    );
    assert_eq!(vase["order_status"], "WAIT_SELLER_SEND_GOODS");
    assert!(vase.get("refund_info").is_none());
    // Nothing was sent, so nothing is disputed.
    assert_eq!(data["issue_status"], "NO_ISSUE");
    let query = json!({ "order_id": id, "ext_info_bit_flag": 8 });
    let without = read(&client, INFO, "param1", &query).await;
    assert!(without["data"].get("refund_info").is_none());
    let xml = old(
        &client,
        INFO,
        "param1",
        &json!({ "order_id": id }).to_string(),
        "xml",
    )
    .await;
    let xml = String::from_utf8(xml.body.to_vec()).unwrap();
    assert!(
        xml.contains("<refund_status>refund_ok</refund_status>"),
        "{xml}"
    );
    let view = line(&client, id, 0);
    assert_eq!((view.refunded_cents, view.refunded_whole), (2_500, true));
    let again = json!({"action": "refund", "of": line_0, "ends": "paid"});
    assert!(refused(&client, id, again).await.contains("0 cents"));
}

#[tokio::test]
async fn a_refund_under_way_is_paid_later_or_comes_to_nothing() {
    let client = shop();
    let id = sold(&client, true);
    act(
        &client,
        id,
        json!({"action": "ship_by_hand", "line": 0, "units": 2}),
    )
    .await;
    for (place, ends) in [(0, "pending"), (1, "fails_later")] {
        let of = json!({"part": "line", "line": place});
        act(
            &client,
            id,
            json!({"action": "refund", "of": of, "ends": ends}),
        )
        .await;
    }
    let data = info(&client, id).await;
    assert_eq!(data["issue_status"], "IN_ISSUE");
    assert_eq!(data["refund_info"]["refund_status"], "wait_refund");
    for child in children(&data) {
        assert_eq!(child["refund_info"]["refund_status"], "wait_refund");
        assert_eq!(child["issue_status"], "IN_ISSUE");
        assert_eq!(child["child_issue_info"]["issue_status"], "processing");
        assert_ne!(child["order_status"], "FINISH");
    }
    assert!(client.aliexpress.next_due().is_some());
    client.advance_s(3_600);
    let data = info(&client, id).await;
    assert_eq!(data["issue_status"], "END_ISSUE");
    assert_eq!(data["gmt_modified"], "2026-11-02 05:00:00");
    assert_eq!(data["refund_info"]["refund_cash_amt"]["amount"], "25.00");
    let [mugs, vase] = children(&data).try_into().unwrap();
    assert_eq!(mugs["refund_info"]["refund_status"], "refund_ok");
    assert_eq!(mugs["child_issue_info"]["issue_status"], "finish");
    // They were sent before.
    assert_eq!(mugs["order_status"], "WAIT_BUYER_ACCEPT_GOODS");
    assert_eq!(vase["refund_info"]["refund_status"], "refund_cancel");
    assert_eq!(
        vase["refund_info"]["refund_cash_amt"]["amount_str"],
        "20.00"
    );
    let failed = line(&client, id, 1);
    assert_eq!((failed.refunded_cents, failed.refunded_whole), (0, false));
    assert_eq!(failed.refunds[0].state, SaleRefundState::RefundCancel);
    // What failed can be tried again.
    let of = json!({"part": "line", "line": 1});
    act(
        &client,
        id,
        json!({"action": "refund", "of": of, "ends": "paid"}),
    )
    .await;
    assert_eq!(line(&client, id, 1).refunded_cents, 2_000);
}

#[tokio::test]
async fn a_refund_of_a_part_leaves_the_goods_to_be_sent_and_one_of_the_order_does_not() {
    let client = shop();
    let id = sold(&client, true);
    let part = json!({"part": "part", "line": 0, "cents": 300});
    act(
        &client,
        id,
        json!({"action": "refund", "of": part, "ends": "paid"}),
    )
    .await;
    let data = info(&client, id).await;
    let mugs = &children(&data)[0];
    assert_eq!(mugs["order_status"], "WAIT_SELLER_SEND_GOODS");
    assert_eq!(mugs["refund_info"]["refund_cash_amt"]["amount_str"], "3.00");
    let view = line(&client, id, 0);
    assert_eq!((view.refunded_cents, view.refunded_whole), (300, false));
    let order = json!({"part": "order"});
    act(
        &client,
        id,
        json!({"action": "refund", "of": order, "ends": "paid"}),
    )
    .await;
    let data = info(&client, id).await;
    assert_eq!(data["order_status"], "FINISH");
    assert_eq!(data["order_end_reason"], "cancel_order_close_trade");
    assert_eq!(data["logistics_status"], "NO_LOGISTICS");
    assert_eq!(data["refund_info"]["refund_cash_amt"]["amount"], "45.00");
    assert_eq!(line(&client, id, 0).refunded_cents, 2_500);
    refused(
        &client,
        id,
        json!({"action": "refund", "of": order, "ends": "paid"}),
    )
    .await;
    let unpaid = sold(&client, false);
    refused(
        &client,
        unpaid,
        json!({"action": "refund", "of": order, "ends": "paid"}),
    )
    .await;
}

#[tokio::test]
async fn a_buyer_cancels_a_child_order_and_nobody_else_does() {
    let client = shop();
    let id = sold(&client, true);
    act(
        &client,
        id,
        json!({"action": "cancel_line", "line": 1, "by": "buyer"}),
    )
    .await;
    let data = info(&client, id).await;
    assert_eq!(data["order_status"], "WAIT_SELLER_SEND_GOODS");
    let [mugs, vase] = children(&data).try_into().unwrap();
    assert_eq!(mugs["order_status"], "WAIT_SELLER_SEND_GOODS");
    assert_eq!(vase["order_status"], "FINISH");
    assert_eq!(vase["refund_info"]["refund_status"], "refund_ok");
    let view = line(&client, id, 1);
    assert_eq!((view.cancelled, view.refunded_cents), (1, 2_000));
    // The rest goes, and with it the order is sent.
    act(
        &client,
        id,
        json!({"action": "ship_by_hand", "line": 0, "units": 2}),
    )
    .await;
    let data = info(&client, id).await;
    assert_eq!(data["order_status"], "WAIT_BUYER_ACCEPT_GOODS");
    assert_eq!(children(&data)[1]["order_status"], "FINISH");
    for by in ["seller", "marketplace"] {
        let other = sold(&client, true);
        let reason = refused(
            &client,
            other,
            json!({"action": "cancel_line", "line": 0, "by": by}),
        );
        assert!(reason.await.contains("child order"), "{by}");
    }
    let sent = json!({"action": "cancel_line", "line": 0, "by": "buyer"});
    assert!(refused(&client, id, sent).await.contains("sent"));
}

#[tokio::test]
async fn an_order_is_cancelled_with_the_words_of_who_did_it() {
    let client = shop();
    for (by, before, info_says, list_says) in [
        (
            "buyer",
            SaleStatus::WaitSellerSendGoods,
            "cancel_order_close_trade",
            "buyer_cancel_order",
        ),
        (
            "buyer",
            SaleStatus::InCancel,
            "cancel_order_close_trade",
            "buyer_cancel_order",
        ),
        (
            "buyer",
            SaleStatus::PlaceOrderSuccess,
            "buyer_cancel_notpay_order",
            "buyer_cancel_notpay_order",
        ),
        (
            "buyer",
            SaleStatus::RiskControl,
            "buyer_cancel_order_in_risk",
            "buyer_cancel_order_in_risk",
        ),
        (
            "seller",
            SaleStatus::WaitSellerSendGoods,
            "seller_send_goods_timeout",
            "send_goods_timeout",
        ),
        (
            "marketplace",
            SaleStatus::WaitSellerSendGoods,
            "security_close",
            "security_close",
        ),
        (
            "marketplace",
            SaleStatus::RiskControl,
            "risk_reject_closed",
            "risk_closed",
        ),
    ] {
        let id = sold(&client, true);
        client.aliexpress.set_sale_status(id, before, None).unwrap();
        act(&client, id, json!({"action": "cancel_order", "by": by})).await;
        let data = info(&client, id).await;
        assert_eq!(data["order_status"], "FINISH");
        assert_eq!(data["order_end_reason"], info_says);
        assert_eq!(data["logistics_status"], "NO_LOGISTICS");
        let stub = stub(&client, id).await;
        assert_eq!(
            (&stub["order_status"], &stub["end_reason"]),
            (&json!("FINISH"), &json!(list_says))
        );
        let was_paid = before == SaleStatus::WaitSellerSendGoods || before == SaleStatus::InCancel;
        assert_eq!(
            data["refund_info"]["refund_status"] == "refund_ok",
            was_paid
        );
        assert_eq!(line(&client, id, 0).cancelled, 2);
    }
    let unpaid = sold(&client, false);
    let reason = refused(
        &client,
        unpaid,
        json!({"action": "cancel_order", "by": "seller"}),
    )
    .await;
    assert!(reason.contains("not paid"), "{reason}");
    let sent = sold(&client, true);
    act(
        &client,
        sent,
        json!({"action": "ship_by_hand", "line": 1, "units": 1}),
    )
    .await;
    let reason = refused(
        &client,
        sent,
        json!({"action": "cancel_order", "by": "buyer"}),
    )
    .await;
    assert!(reason.contains("disputes"), "{reason}");
}
