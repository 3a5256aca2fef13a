//! The account's secret, parsed.
//!
//! ```json
//! {
//!   "platform": "alibaba.com", "environment": "production",
//!   "app_key": "500123", "app_secret": "…", "refresh_token": "…",
//!   "seller_id": "1001", "dispatch_from": ["CN", "US", "MX"],
//!   "quote_addresses": {"US": {"zip": "10012", "province": "New York", "province_code": "NY",
//!                              "city": "New York", "address": "1 Example Street"}},
//!   "pay": {"payment_method": "CREDIT_CARD", "user_ip": "203.0.113.7", "user_agent": "Mozilla/5.0 …",
//!           "accept_language": "en-US", "screen_resolution": "1920*1080", "registered_at_ms": 1616595118627}
//! }
//! ```
//!
//! Without `pay` nothing is paid: a person pays on the site. The platform's risk control wants to know who pays, so `pay`
//! says it; the first payment of a buyer has to be made by hand in any case.
//!
//! Terms are asked for before a buyer's address may leave the seal, but a carrier quote needs an address. It is asked
//! for with the sample address of the country in `quote_addresses`, or with the country alone.

use super::super::fields::Fields;
use crate::domain::Invalid;
use crate::secrets::Secret;
use std::collections::BTreeMap;

const PRODUCTION: &str = "https://openapi-api.alibaba.com";
const FIELDS: [&str; 9] = [
    "platform",
    "environment",
    "app_key",
    "app_secret",
    "refresh_token",
    "seller_id",
    "dispatch_from",
    "quote_addresses",
    "pay",
];
const ADDRESS_FIELDS: [&str; 5] = ["zip", "province", "province_code", "city", "address"];
const PAY_FIELDS: [&str; 6] = [
    "payment_method",
    "user_ip",
    "user_agent",
    "accept_language",
    "screen_resolution",
    "registered_at_ms",
];

/// What an account needs. Secrets in it print as `[sealed]`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address that `/rest` is put behind, without a slash at the end.
    pub(super) base: String,
    /// The application's public key.
    pub(super) app_key: String,
    /// The application's secret, which signs.
    pub(super) app_secret: Secret,
    /// The refresh token that a person's consent gave; the token store goes on from it.
    pub(super) refresh_token: Secret,
    /// The buyer account's `seller_id` in pushes; where it is set, pushes of others give no signals.
    pub(super) seller_id: Option<String>,
    /// Where goods may be sent from, the first choice first: `CN`, `US` or `MX`.
    pub(super) dispatch_from: Vec<String>,
    /// An address in each country with which carriers are asked for their fees.
    pub(super) quote_addresses: BTreeMap<String, SampleAddress>,
    /// Who pays; none where a person pays on the site.
    pub(super) payer: Option<Payer>,
}

/// An address that nobody lives at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SampleAddress {
    pub(super) zip: String,
    pub(super) province: String,
    pub(super) province_code: String,
    pub(super) city: String,
    pub(super) address: String,
}

/// What the platform's risk control wants to know of who pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payer {
    pub(super) payment_method: String,
    pub(super) user_ip: String,
    pub(super) user_agent: String,
    pub(super) accept_language: String,
    pub(super) screen_resolution: String,
    /// When the merchant became a customer of the application, in milliseconds since 1970.
    pub(super) registered_at_ms: u64,
}

impl Config {
    /// Reads the secret's JSON. The error names the field and what would be right, never the value.
    pub fn parse(secret: &Secret) -> Result<Self, Invalid> {
        let fields = Fields::parse(secret)?;
        fields.only("secret", &FIELDS)?;
        let dispatch_from = fields.texts("dispatch_from")?;
        let dispatch_from =
            dispatch_from.unwrap_or_else(|| ["CN", "US", "MX"].map(str::to_owned).to_vec());
        if !dispatch_from
            .iter()
            .all(|place| ["CN", "US", "MX"].contains(&place.as_str()))
        {
            return Err(Invalid::new("dispatch_from", "must be of CN, US and MX"));
        }
        Ok(Self {
            base: fields.base(PRODUCTION)?,
            app_key: fields.required("app_key")?,
            app_secret: Secret::new(fields.required("app_secret")?),
            refresh_token: Secret::new(fields.required("refresh_token")?).percent_decoded(),
            seller_id: fields.optional("seller_id")?,
            dispatch_from,
            quote_addresses: quote_addresses(&fields)?,
            payer: fields.object("pay")?.map(|pay| payer(&pay)).transpose()?,
        })
    }
}

fn quote_addresses(fields: &Fields) -> Result<BTreeMap<String, SampleAddress>, Invalid> {
    let Some(countries) = fields.object("quote_addresses")? else {
        return Ok(BTreeMap::new());
    };
    let wrong = || {
        let problem = "must be an object of addresses by country, as in {\"US\": {\"zip\": …}}";
        Invalid::new("quote_addresses", problem)
    };
    let read = |(country, address): (&String, Option<Fields>)| {
        let address = address.ok_or_else(wrong)?;
        let is_country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        if !is_country {
            return Err(wrong());
        }
        address.only("quote_addresses", &ADDRESS_FIELDS)?;
        let text = |name| address.text(name).map(Option::unwrap_or_default);
        let sample = SampleAddress {
            zip: text("zip")?,
            province: text("province")?,
            province_code: text("province_code")?,
            city: text("city")?,
            address: text("address")?,
        };
        Ok((country.clone(), sample))
    };
    countries.objects().map(read).collect()
}

fn payer(pay: &Fields) -> Result<Payer, Invalid> {
    pay.only("pay", &PAY_FIELDS)?;
    let needed = |name| {
        let text = pay.text(name)?;
        text.ok_or_else(|| Invalid::new(name, "is missing; `pay` needs it"))
    };
    let registered_at_ms = needed("registered_at_ms")?.parse();
    Ok(Payer {
        payment_method: needed("payment_method")?,
        user_ip: needed("user_ip")?,
        user_agent: needed("user_agent")?,
        accept_language: needed("accept_language")?,
        screen_resolution: needed("screen_resolution")?,
        registered_at_ms: registered_at_ms
            .map_err(|_| Invalid::new("registered_at_ms", "must be milliseconds since 1970"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(change: impl FnOnce(&mut Value)) -> Result<Config, Invalid> {
        let mut secret = json!({
            "platform": "alibaba.com",
            "environment": "production",
            "app_key": "500123",
            "app_secret": "hidden-secret",
            "refresh_token": "hidden-token",
        });
        change(&mut secret);
        Config::parse(&Secret::new(secret.to_string()))
    }

    #[test]
    fn what_is_left_out_has_a_safe_value() {
        let config = parse(|_| ()).unwrap();
        assert_eq!(config.base, "https://openapi-api.alibaba.com");
        assert_eq!(config.dispatch_from, ["CN", "US", "MX"]);
        assert!(
            config.payer.is_none(),
            "nothing is paid unless somebody says so"
        );
        assert!(!format!("{config:?}").contains("hidden"));
    }

    #[test]
    fn an_error_names_the_field_and_never_the_value() {
        for (field, value) in [
            ("environment", json!("http://elsewhere.example")),
            ("app_key", json!(["hidden value"])),
            ("app_secret", json!("hidden value")),
            ("refresh_token", Value::Null),
            ("dispatch_from", json!(["DE"])),
            ("dispatch_from", json!([])),
            ("quote_addresses", json!({"usa": {}})),
            ("quote_addresses", json!({"US": {"hidden": 1}})),
            ("pay", json!(true)),
            ("payment_method", json!(null)),
        ] {
            let error = parse(|secret| match field {
                "payment_method" => {
                    secret["pay"] = json!({"registered_at_ms": 1});
                }
                _ => secret[field] = value,
            });
            let error = error.unwrap_err();
            assert_eq!(error.what, field);
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
        let unknown = parse(|s| s["hidden"] = json!(1)).unwrap_err();
        assert!(!unknown.to_string().contains("hidden"));
    }
}
