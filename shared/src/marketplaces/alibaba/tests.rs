use super::*;
use crate::clock::{Clock, ManualClock};
use crate::domain::{Address, Buyer, LineId, Money, OfferId, PurchaseLine, Reference, Sku};
use crate::http::{Http, HttpError, Sent};
use crate::limiter::Limiter;
use crate::marketplaces::{
    CallError, Effect, Kind, PlaceRequest, Placed, Pseudonyms, QuoteRequest, TokenStore,
    Unverified, Wanted,
};
use crate::{seal::MemorySeal, store::MemoryStore};
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Mutex;

const PLATFORMS: [&str; 2] = ["alibaba.com", "1688"];

/// Answers everything but a token's renewal with one body, or not at all.
#[derive(Debug)]
struct Platform {
    answer: Result<Bytes, Sent>,
    asked: Mutex<Vec<String>>,
}

impl Platform {
    fn saying(answer: impl Into<Bytes>) -> Arc<Self> {
        Arc::new(Self {
            answer: Ok(answer.into()),
            asked: Mutex::default(),
        })
    }
}

#[async_trait]
impl Http for Platform {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let path = request.uri().path().to_owned();
        if path.contains("oken") {
            let token = json!({"access_token": "hidden-access", "expires_in": "36000",
                               "refresh_token": "hidden-next", "code": "0"});
            return Ok(Response::new(token.to_string().into()));
        }
        self.asked.lock().unwrap().push(path);
        let answer = self.answer.clone().map(Response::new);
        answer.map_err(|sent| HttpError {
            sent,
            timed_out: false,
            problem: "it broke".to_owned(),
        })
    }
}

fn secret(platform: &str) -> Value {
    let mut secret = json!({"platform": platform, "environment": "http://127.0.0.1:9",
        "app_key": "500123", "app_secret": "hidden-secret", "refresh_token": "hidden-seed"});
    if platform == "1688" {
        secret["ship_to"] = json!("buyer");
        secret["address"] = json!({"address_id": 1});
    }
    secret
}

fn open(platform: &str, http: Arc<Platform>, limited: bool) -> Arc<dyn Account> {
    let now = "2026-11-02T08:00:00Z".parse().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let tokens = TokenStore::new(store.clone(), Arc::new(MemorySeal::new()), clock.clone());
    let outside = Outside {
        http,
        clock: clock.clone(),
        tokens: Some(Arc::new(tokens)),
        limiter: limited.then(|| Arc::new(Limiter::new(store, clock))),
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("key".into()))),
    };
    let secret = Secret::new(secret(platform).to_string());
    account("alibaba:main".parse().unwrap(), &secret, outside).unwrap()
}

fn offer() -> OfferId {
    OfferId::new("alibaba:main".parse().unwrap(), "7", "12").unwrap()
}

fn line(currency: &str) -> PurchaseLine {
    let currency = currency.parse().unwrap();
    PurchaseLine {
        line: LineId::parse("1").unwrap(),
        sku: Sku::parse("SKU-1").unwrap(),
        offer: offer(),
        quantity: 2,
        unit_cost: Money {
            minor: 1_000_000,
            currency,
        },
        shipping: Money::zero(currency),
        shipping_option: "CN/CARRIER".into(),
        variant_attributes: "company".into(),
    }
}

fn buyer() -> Buyer {
    Buyer {
        name: "Jane Doe".into(),
        phone: "13800000000".into(),
        email: String::new(),
        account_name: "jane1".into(),
        address: Address {
            line1: "1 Main Street".into(),
            line2: String::new(),
            city: "Orlando".into(),
            region: "Anywhere".into(),
            postal_code: "32807".into(),
            country: "CN".parse().unwrap(),
        },
    }
}

async fn place(account: &Arc<dyn Account>, not_after: Timestamp) -> Result<Placed, CallError> {
    let reference = Reference::of(&"ebay:main/01-1".parse().unwrap(), 1);
    let currency = if format!("{account:?}").contains("Icbu") {
        "USD"
    } else {
        "CNY"
    };
    let request = PlaceRequest {
        reference: &reference,
        lines: &[line(currency)],
        buyer: &buyer(),
        not_after,
    };
    account.buy().unwrap().place(&request).await
}

/// Everything that an account does, whatever the answers are.
async fn everything(account: &Arc<dyn Account>) -> Vec<CallError> {
    let buy = account.buy().unwrap();
    let to = "CN".parse().unwrap();
    let wanted = [Wanted {
        line: LineId::parse("1").unwrap(),
        offer: offer(),
        quantity: 1,
    }];
    let quote = QuoteRequest {
        wanted: &wanted,
        ship_to: &to,
    };
    let reference = Reference::of(&"ebay:main/01-1".parse().unwrap(), 1);
    let id = crate::domain::SupplierOrderId::parse("5").unwrap();
    let mut errors = vec![buy.quote(&quote).await.err()];
    errors.push(place(account, Timestamp::MAX).await.err());
    errors.push(buy.look_up(&reference, Timestamp::UNIX_EPOCH).await.err());
    errors.push(buy.supplier_order(&id).await.err());
    errors.push(
        account
            .read_stock()
            .unwrap()
            .stock(&[offer()], &to)
            .await
            .err(),
    );
    if let Some(missed) = account.pull_missed() {
        errors.push(missed.missed().await.err());
    }
    errors.into_iter().flatten().collect()
}

#[test]
fn a_secret_says_which_platform_it_is() {
    for platform in PLATFORMS {
        let account = open(platform, Platform::saying(""), false);
        let text = format!("{account:?}");
        assert!(!text.contains("hidden"), "{text}");
        assert_eq!(account.pull_missed().is_some(), platform == "1688");
        assert!(account.read_orders().is_none() && account.refund().is_none());
    }
    let outside = || Outside {
        http: Platform::saying(""),
        clock: Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)),
        tokens: None,
        limiter: None,
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("key".into()))),
    };
    for wrong in [json!({}), json!({"platform": "taobao"}), json!([])] {
        let secret = Secret::new(wrong.to_string());
        let opened = account("alibaba:main".parse().unwrap(), &secret, outside());
        assert!(opened.is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn nothing_is_sent_once_the_lease_is_over() {
    for platform in PLATFORMS {
        let preview = json!({"success": true, "orderPreviewResuslt": [{"tradeModeNameList": ["alipay"],
            "sumPayment": 1, "sumPaymentNoCarriage": 1}]});
        let http = Platform::saying(preview.to_string());
        let account = open(platform, http.clone(), false);
        let error = place(&account, Timestamp::UNIX_EPOCH).await.unwrap_err();
        assert_eq!((error.kind, error.effect), (Kind::TooLate, Effect::None));
        let asked = http.asked.lock().unwrap().clone();
        assert!(
            asked.iter().all(|path| path.contains("preview")),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn without_a_token_store_nothing_is_asked_and_a_person_is_told() {
    for platform in PLATFORMS {
        let http = Platform::saying("{}");
        let outside = Outside {
            http: http.clone(),
            clock: Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)),
            tokens: None,
            limiter: None,
            pseudonyms: Arc::new(Pseudonyms::new(Secret::new("key".into()))),
        };
        let secret = Secret::new(secret(platform).to_string());
        let account = account("alibaba:main".parse().unwrap(), &secret, outside).unwrap();
        for error in everything(&account)
            .await
            .iter()
            .filter(|error| error.operation != "push.query.messageList")
        {
            assert_eq!(
                (error.kind, error.effect),
                (Kind::Misconfigured, Effect::None)
            );
        }
    }
}

#[tokio::test]
async fn a_limit_that_1688_refused_for_keeps_the_next_call_away() {
    let refused = json!({"error_code": "gw.QosAppFrequencyLimit", "error_message": "x"});
    let http = Platform::saying(refused.to_string());
    let account = open("1688", http.clone(), true);
    let id = crate::domain::SupplierOrderId::parse("5").unwrap();
    for code in ["gw.QosAppFrequencyLimit", "own-limit"] {
        let error = account
            .buy()
            .unwrap()
            .supplier_order(&id)
            .await
            .unwrap_err();
        assert_eq!((error.kind, &*error.code), (Kind::Throttled, code));
    }
    assert_eq!(
        http.asked.lock().unwrap().len(),
        1,
        "the second was never sent"
    );
}

/// JSON that looks a little like an answer.
fn answers() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9a-zA-Z.:;# -]{0,20}".prop_map(Value::from),
        Just(json!("USD")),
        Just(json!("0")),
        Just(json!("200")),
        Just(json!("7")),
        Just(json!("12")),
    ];
    let names = prop::sample::select(vec![
        "code",
        "value",
        "result",
        "result_data",
        "result_code",
        "error_response",
        "skus",
        "sku_id",
        "ladder_price",
        "price",
        "currency",
        "min_quantity",
        "eCompanyId",
        "inventory_list",
        "shipping_from",
        "inventory_count",
        "vendor_code",
        "fee",
        "amount",
        "trade_id",
        "trade_status",
        "total_count",
        "order_list",
        "tracking_list",
        "tracking_number",
        "success",
        "orderPreviewResuslt",
        "tradeModeNameList",
        "sumPayment",
        "sumPaymentNoCarriage",
        "orderId",
        "orderList",
        "baseInfo",
        "idOfStr",
        "status",
        "outOrderId",
        "totalRecord",
        "productSkuInfos",
        "specId",
        "amountOnSale",
        "pushMessagePage",
        "datas",
        "msgId",
        "data",
        "error_code",
        "errorCode",
        "message",
    ]);
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #[test]
    fn no_answer_makes_an_account_panic(answer in answers()) {
        for platform in PLATFORMS {
            let account = open(platform, Platform::saying(answer.to_string()), false);
            for error in block_on(everything(&account)) {
                prop_assert!(error.code.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b)));
            }
        }
    }

    #[test]
    fn no_bytes_make_an_account_panic_or_believe_that_it_bought(answer in prop::collection::vec(any::<u8>(), 0..60)) {
        for platform in PLATFORMS {
            let account = open(platform, Platform::saying(answer.clone()), false);
            prop_assert!(block_on(place(&account, Timestamp::MAX)).is_err());
            block_on(everything(&account));
        }
    }

    #[test]
    fn no_push_without_its_signature_is_taken(body in ".{0,60}", header in "[0-9a-f]{0,64}") {
        for platform in PLATFORMS {
            let account = open(platform, Platform::saying(""), false);
            let mut headers = HeaderMap::new();
            headers.insert("authorization", header.parse().unwrap());
            let push = Unverified::new(headers, Bytes::from(body.clone()));
            prop_assert!(block_on(account.verify_pushes().unwrap().verify(push)).is_err());
        }
    }
}
