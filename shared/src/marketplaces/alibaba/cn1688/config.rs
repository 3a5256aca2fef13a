//! The account's secret, parsed.
//!
//! ```json
//! {
//!   "platform": "1688", "environment": "production",
//!   "app_key": "1000000", "app_secret": "…", "refresh_token": "…", "refresh_token_ends": "2027-04-01T00:00:00Z",
//!   "member_id": "b2b-000000001", "flow": "general", "trade_types": ["assureTrade", "alipay"],
//!   "ship_to": "forwarder",
//!   "address": {"full_name": "…", "mobile": "…", "province": "广东省", "city": "广州市", "area": "白云区",
//!               "town": "", "address": "…", "post_code": "510000"},
//!   "pay": "alipay"
//! }
//! ```
//!
//! `address` is where 1688 delivers. With `"ship_to": "forwarder"` (as where it is left out) every order goes to it: write
//! the forwarder's address with your customer number in it, as your forwarder asks for it. With `"ship_to": "buyer"` orders
//! go to the buyers themselves, who must be in China; terms are still asked for with `address`, because a buyer's own must
//! not leave the seal for a question. An address that is saved at 1688 can be named as `{"address_id": "593861699"}`.
//!
//! `pay` is the channel that a contract of pre-signed payment (免密支付) is for: `alipay`, `shegou` (诚e赊), or `any` for the
//! platform's own order. Without it nothing is paid: a person pays on the site.
//!
//! `trade_types` are the trade modes to be taken, the first choice first; one must be offered by the order's preview. The
//! modes that buy on credit (`creditBuy`, `period`) are taken only where they are named here.

use super::super::fields::Fields;
use crate::domain::Invalid;
use crate::secrets::Secret;
use jiff::Timestamp;

const PRODUCTION: &str = "https://gw.open.1688.com";
const FIELDS: [&str; 13] = [
    "platform",
    "environment",
    "app_key",
    "app_secret",
    "refresh_token",
    "refresh_token_ends",
    "member_id",
    "flow",
    "trade_types",
    "ship_to",
    "address",
    "pay",
    "country",
];
const ADDRESS_FIELDS: [&str; 10] = [
    "address_id",
    "full_name",
    "mobile",
    "phone",
    "province",
    "city",
    "area",
    "town",
    "address",
    "post_code",
];
const FLOWS: [&str; 7] = [
    "general",
    "fenxiao",
    "saleproxy",
    "paired",
    "repurchase",
    "boutiquefenxiao",
    "boutiquepifa",
];

/// What an account needs. Secrets in it print as `[sealed]`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address that `/openapi` is put behind, without a slash at the end.
    pub(super) base: String,
    /// The application's public key, a number.
    pub(super) app_key: String,
    /// The application's secret, which signs.
    pub(super) app_secret: Secret,
    /// The refresh token that a person's consent gave; the token store goes on from it.
    pub(super) refresh_token: Secret,
    /// When that token ends. In its last 30 days it is prolonged with each renewal.
    pub(super) refresh_token_ends: Option<Timestamp>,
    /// The account's own id in messages; where it is set, messages of others give no signals.
    pub(super) member_id: Option<String>,
    /// The way of ordering: `general` for the open market, others for contracts with sellers.
    pub(super) flow: String,
    /// Trade modes that may be taken, the first choice first.
    pub(super) trade_types: Vec<String>,
    /// Whether orders go to the buyers in China themselves.
    pub(super) to_buyers: bool,
    /// Where orders go, or are reckoned for.
    pub(super) address: Place,
    /// The channel of the pre-signed payment; none where a person pays.
    pub(super) pay: Option<String>,
    /// The language of product texts, as in `en`.
    pub(super) country: String,
}

/// An address in China.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// One that is saved at 1688.
    Saved(u64),
    /// One in words.
    Written(Box<Written>),
}

/// An address in China in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) full_name: String,
    pub(super) mobile: String,
    pub(super) phone: String,
    pub(super) province: String,
    pub(super) city: String,
    pub(super) area: String,
    pub(super) town: String,
    pub(super) address: String,
    pub(super) post_code: String,
}

impl Config {
    /// Reads the secret's JSON. The error names the field and what would be right, never the value.
    pub fn parse(secret: &Secret) -> Result<Self, Invalid> {
        let fields = Fields::parse(secret)?;
        fields.only("secret", &FIELDS)?;
        let app_key = fields.required("app_key")?;
        if !app_key.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Invalid::new("app_key", "must be a number"));
        }
        let flow = fields.optional("flow")?;
        let flow = flow.unwrap_or_else(|| "general".to_owned());
        if !FLOWS.contains(&flow.as_str()) {
            return Err(Invalid::new(
                "flow",
                format!("must be one of: {}", FLOWS.join(", ")),
            ));
        }
        let to_buyers = match fields.optional("ship_to")?.as_deref() {
            None | Some("forwarder") => false,
            Some("buyer") => true,
            Some(_) => return Err(Invalid::new("ship_to", "must be forwarder or buyer")),
        };
        let pay = fields.optional("pay")?;
        if !matches!(pay.as_deref(), None | Some("alipay" | "shegou" | "any")) {
            return Err(Invalid::new("pay", "must be alipay, shegou or any"));
        }
        let ends = fields.optional("refresh_token_ends")?;
        let ends = ends.map(|text| text.parse()).transpose().map_err(|_| {
            Invalid::new(
                "refresh_token_ends",
                "must be a time, as in 2027-04-01T00:00:00Z",
            )
        })?;
        let trade_types = fields.texts("trade_types")?;
        let usual = ["assureTrade", "alipay", "nzassure", "assure"];
        Ok(Self {
            base: fields.base(PRODUCTION)?,
            app_key,
            app_secret: Secret::new(fields.required("app_secret")?),
            refresh_token: Secret::new(fields.required("refresh_token")?).percent_decoded(),
            refresh_token_ends: ends,
            member_id: fields.optional("member_id")?,
            flow,
            trade_types: trade_types.unwrap_or_else(|| usual.map(str::to_owned).to_vec()),
            to_buyers,
            address: place(&fields)?,
            pay,
            country: fields
                .optional("country")?
                .unwrap_or_else(|| "en".to_owned()),
        })
    }
}

fn place(fields: &Fields) -> Result<Place, Invalid> {
    let missing = || Invalid::new("address", "is missing; it must be where 1688 delivers");
    let address = fields.object("address")?.ok_or_else(missing)?;
    address.only("address", &ADDRESS_FIELDS)?;
    if let Some(id) = address.optional("address_id")? {
        let id = id.parse();
        return id
            .map(Place::Saved)
            .map_err(|_| Invalid::new("address_id", "must be a number"));
    }
    let needed = |name| {
        let text = address.text(name)?;
        text.ok_or_else(|| Invalid::new(name, "is missing; the address needs it"))
    };
    let other = |name| address.text(name).map(Option::unwrap_or_default);
    Ok(Place::Written(Box::new(Written {
        full_name: needed("full_name")?,
        mobile: needed("mobile")?,
        phone: other("phone")?,
        province: needed("province")?,
        city: needed("city")?,
        area: needed("area")?,
        town: other("town")?,
        address: needed("address")?,
        post_code: other("post_code")?,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(change: impl FnOnce(&mut Value)) -> Result<Config, Invalid> {
        let mut secret = json!({
            "platform": "1688", "environment": "production", "app_key": 1000000,
            "app_secret": "hidden-secret", "refresh_token": "hidden-token",
            "address": {"full_name": "收货 KV", "mobile": "13800000000", "province": "广东省",
                        "city": "广州市", "area": "白云区", "address": "仓库 1"},
        });
        change(&mut secret);
        Config::parse(&Secret::new(secret.to_string()))
    }

    #[test]
    fn what_is_left_out_has_a_safe_value() {
        let config = parse(|_| ()).unwrap();
        assert_eq!(config.base, "https://gw.open.1688.com");
        assert_eq!(config.flow, "general");
        assert!(
            !config.to_buyers,
            "a buyer's data goes to China only where somebody says so"
        );
        assert!(
            config.pay.is_none(),
            "nothing is paid unless somebody says so"
        );
        assert!(!config.trade_types.iter().any(|mode| mode == "creditBuy"));
        assert!(!format!("{config:?}").contains("hidden"));
        let saved = parse(|s| s["address"] = json!({"address_id": "593861699"})).unwrap();
        assert_eq!(saved.address, Place::Saved(593_861_699));
    }

    #[test]
    fn an_error_names_the_field_and_never_the_value() {
        for (field, value) in [
            ("environment", json!("http://elsewhere.example")),
            ("app_key", json!("hidden")),
            ("app_secret", Value::Null),
            ("refresh_token", json!("hidden value")),
            ("refresh_token_ends", json!("hidden")),
            ("flow", json!("hidden")),
            ("ship_to", json!("hidden")),
            ("pay", json!("hidden")),
            ("trade_types", json!([])),
            ("address", Value::Null),
            ("full_name", json!({"mobile": "1"})),
            ("address_id", json!({"address_id": "hidden"})),
        ] {
            let error = parse(|secret| match field {
                "full_name" | "address_id" => secret["address"] = value,
                _ => secret[field] = value,
            });
            let error = error.unwrap_err();
            assert_eq!(error.what, field);
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }
}
