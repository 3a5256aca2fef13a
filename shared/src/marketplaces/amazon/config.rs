//! The account's secret, parsed.
//!
//! ```json
//! {
//!   "environment": "production",
//!   "marketplace_ids": ["ATVPDKIKX0DER"],
//!   "client_id": "amzn1.application-oa2-client.…", "client_secret": "amzn1.oa2-cs.v1.…",
//!   "refresh_token": "Atzr|…", "seller_id": "A…",
//!   "product_type": "PRODUCT", "fee_percent": "15"
//! }
//! ```
//!
//! `environment` is `production`, `sandbox` or a URL. `region` (`na`, `eu`, `fe`) is needed only where the first
//! marketplace is one that this version does not know. `token_endpoint` is the token server's URL where it is not
//! Amazon's own; beside an `environment` that is a URL, it is `/auth/o2/token` there.

use super::{
    limits,
    sites::{self, Region},
};
use crate::{domain::Invalid, secrets::Secret};
use serde::Deserialize;
use serde_json::Value;
use url::{Host, Url};

/// Where access tokens are given, for all regions.
const TOKEN_ENDPOINT: &str = "https://api.amazon.com/auth/o2/token";

/// What Amazon keeps of a sale where the secret does not say it: the referral fee of most categories.
const USUAL_FEE_HUNDREDTHS: u32 = 1_500;

/// An Amazon account's configuration. Secrets print as `[sealed]`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the API is, without a slash at the end.
    pub api: String,
    /// Where tokens are given.
    pub token_endpoint: String,
    /// Whether the API is a stack of our own rather than Amazon's, whose documents may come over plain HTTP.
    pub is_local: bool,
    /// The application's id at Login with Amazon.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: Secret,
    /// The seller's consent.
    pub refresh_token: Secret,
    /// The seller's id, also called merchant token.
    pub seller_id: String,
    /// The marketplaces on which is sold, all of one region; the first is meant where a listing names none.
    pub marketplace_ids: Vec<String>,
    /// The product type that listings are patched as; `PRODUCT` is enough for quantity and price.
    pub product_type: String,
    /// What Amazon keeps of a sale, in hundredths of a percent: the API does not say it with an order.
    pub fee_hundredths_of_percent: u32,
}

impl Config {
    /// Reads the secret's JSON text. An error names the field and what would be right, never the value.
    pub fn parse(secret: &Secret) -> Result<Self, Invalid> {
        // The text is taken apart here and nowhere else. What serde says of it is dropped: it repeats values.
        let raw: Raw = serde_json::from_str(secret.expose()).map_err(|_| {
            let problem =
                "must be a JSON object; all fields but marketplace_ids and fee_percent are text";
            Invalid::new("amazon secret", problem)
        })?;
        let marketplace_ids = marketplaces(raw.marketplace_ids, raw.marketplace_id)?;
        let region = region(raw.region.as_deref(), &marketplace_ids)?;
        let environment = required(raw.environment, "environment")?;
        let (api, is_local) = api_of(&environment, region)?;
        let token_endpoint = match raw.token_endpoint {
            Some(url) => own_url(&url, "token_endpoint")?,
            None if is_local => format!("{api}/auth/o2/token"),
            None => TOKEN_ENDPOINT.to_owned(),
        };
        let product_type = raw.product_type.unwrap_or_else(|| "PRODUCT".to_owned());
        if !is_name(&product_type) {
            let problem = "must be capital letters, digits and _, as in PRODUCT";
            return Err(Invalid::new("product_type", problem));
        }
        let seller_id = required(raw.seller_id, "seller_id")?;
        if !is_name(&seller_id) {
            let problem = "must be the merchant token: capital letters and digits";
            return Err(Invalid::new("seller_id", problem));
        }
        Ok(Self {
            api,
            token_endpoint,
            is_local,
            client_id: plain(raw.client_id, "client_id")?,
            client_secret: plain_secret(raw.client_secret, "client_secret")?,
            refresh_token: plain_secret(raw.refresh_token, "refresh_token")?.percent_decoded(),
            seller_id,
            marketplace_ids,
            product_type,
            fee_hundredths_of_percent: fee(raw.fee_percent.as_ref())?,
        })
    }

    /// The marketplace that is meant where none is named.
    pub(super) fn main_marketplace(&self) -> &str {
        self.marketplace_ids.first().map_or("", String::as_str)
    }
}

#[derive(Deserialize)]
struct Raw {
    environment: Option<String>,
    region: Option<String>,
    token_endpoint: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
    seller_id: Option<String>,
    marketplace_id: Option<String>,
    marketplace_ids: Option<Value>,
    product_type: Option<String>,
    fee_percent: Option<Value>,
}

fn required<T>(value: Option<T>, field: &'static str) -> Result<T, Invalid> {
    value.ok_or_else(|| Invalid::new(field, "is missing from the amazon secret"))
}

/// The ids, from a list or from one text with commas.
fn marketplaces(list: Option<Value>, one: Option<String>) -> Result<Vec<String>, Invalid> {
    let wrong = || {
        let problem =
            "must be 1 to 25 different marketplace ids of one region, as in [\"ATVPDKIKX0DER\"]";
        Invalid::new("marketplace_ids", problem)
    };
    let given: Vec<String> = match list {
        None | Some(Value::Null) => vec![required(one, "marketplace_ids")?],
        Some(Value::String(text)) => text.split(',').map(|id| id.trim().to_owned()).collect(),
        Some(list) => serde_json::from_value(list).map_err(|_| wrong())?,
    };
    let mut ids: Vec<String> = Vec::new();
    for id in given {
        if !is_name(&id) || ids.contains(&id) {
            return Err(wrong());
        }
        ids.push(id);
    }
    let mut regions = ids.iter().filter_map(|id| sites::of(id)).map(|s| s.region);
    let first = regions.next();
    let of_one_region = regions.all(|region| Some(region) == first);
    if ids.is_empty() || ids.len() > limits::MARKETPLACES_PER_CALL || !of_one_region {
        return Err(wrong());
    }
    Ok(ids)
}

fn region(named: Option<&str>, marketplace_ids: &[String]) -> Result<Region, Invalid> {
    let known = marketplace_ids.iter().find_map(|id| sites::of(id));
    let wrong = |problem| Err(Invalid::new("region", problem));
    match (named.map(Region::parse), known) {
        (Some(None), _) => wrong("must be na, eu or fe"),
        (Some(Some(named)), Some(site)) if site.region != named => {
            wrong("is not the one of the marketplaces")
        }
        (Some(Some(named)), _) => Ok(named),
        (None, Some(site)) => Ok(site.region),
        (None, None) => wrong("must be na, eu or fe, because no marketplace is one that is known"),
    }
}

/// Where the API is, and whether that is a stack of our own rather than Amazon's.
fn api_of(environment: &str, region: Region) -> Result<(String, bool), Invalid> {
    match environment {
        "production" => Ok((region.production().to_owned(), false)),
        "sandbox" => Ok((region.sandbox().to_owned(), false)),
        url => Ok((own_url(url, "environment")?, true)),
    }
}

/// A URL of a stack of our own: secrets are sent there, so it is encrypted or on this machine.
fn own_url(text: &str, field: &'static str) -> Result<String, Invalid> {
    let wrong = || {
        let problem = "must be production, sandbox, or a URL with https (http for this machine alone), without user, query and fragment";
        Invalid::new(field, problem)
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !is_safe(&url) || !is_bare {
        return Err(wrong());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether what is sent to this URL stays unread: it is encrypted, or does not leave this machine.
pub(super) fn is_safe(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

/// Hundredths of a percent, from text or a number.
fn fee(given: Option<&Value>) -> Result<u32, Invalid> {
    let text = match given {
        None | Some(Value::Null) => return Ok(USUAL_FEE_HUNDREDTHS),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let wrong = || Invalid::new("fee_percent", "must be 0 to 100 with at most two decimals");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 2 || !all_digits(whole) || !all_digits(fraction) {
        return Err(wrong());
    }
    let hundredths: u32 = format!("{whole}{fraction:0<2}")
        .parse()
        .map_err(|_| wrong())?;
    (hundredths <= 10_000)
        .then_some(hundredths)
        .ok_or_else(wrong)
}

fn plain(value: Option<String>, field: &'static str) -> Result<String, Invalid> {
    let value = required(value, field)?;
    if !is_plain(&value) {
        let problem = "must be visible ASCII without blanks, as Amazon shows it";
        return Err(Invalid::new(field, problem));
    }
    Ok(value)
}

fn plain_secret(value: Option<Secret>, field: &'static str) -> Result<Secret, Invalid> {
    let value = required(value, field)?;
    // Looked at to check its letters.
    if !is_plain(value.expose()) {
        let problem = "must be visible ASCII without blanks, as Amazon shows it";
        return Err(Invalid::new(field, problem));
    }
    Ok(value)
}

fn is_plain(text: &str) -> bool {
    (1..=8_192).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Ids and product types: what stands in a path or a query without being encoded.
fn is_name(text: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields() -> Value {
        json!({
            "environment": "production",
            "marketplace_ids": ["A1F83G8C2ARO7P", "A1PA6795UKMFR9"],
            "client_id": "amzn1.application-oa2-client.example",
            "client_secret": "amzn1.oa2-cs.v1.example",
            "refresh_token": "Atzr|example",
            "seller_id": "A1EXAMPLE",
        })
    }

    fn parse(fields: &Value) -> Result<Config, Invalid> {
        Config::parse(&Secret::new(fields.to_string()))
    }

    fn with(field: &str, value: impl Into<Value>) -> Result<Config, Invalid> {
        let mut fields = fields();
        fields[field] = value.into();
        parse(&fields)
    }

    #[test]
    fn the_region_follows_from_the_marketplaces_and_the_rest_has_defaults() {
        let config = parse(&fields()).unwrap();
        assert_eq!(config.api, "https://sellingpartnerapi-eu.amazon.com");
        assert_eq!(
            config.token_endpoint,
            "https://api.amazon.com/auth/o2/token"
        );
        assert_eq!(config.product_type, "PRODUCT");
        assert_eq!(config.fee_hundredths_of_percent, 1_500);
        assert_eq!(config.main_marketplace(), "A1F83G8C2ARO7P");
        let sandbox = with("environment", "sandbox").unwrap().api;
        assert_eq!(sandbox, "https://sandbox.sellingpartnerapi-eu.amazon.com");
        assert_eq!(with("region", "eu").unwrap().api, config.api);
    }

    #[test]
    fn a_stack_of_our_own_is_the_token_server_too() {
        let config = with("environment", "http://127.0.0.1:4000/").unwrap();
        assert_eq!(config.api, "http://127.0.0.1:4000");
        assert_eq!(config.token_endpoint, "http://127.0.0.1:4000/auth/o2/token");
        for wrong in [
            "http://amazon.example.com",
            "https://user:pass@example.com",
            "https://example.com?a=b",
            "Production",
            "",
        ] {
            assert!(with("environment", wrong).is_err(), "{wrong}");
            assert!(with("token_endpoint", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn marketplaces_come_as_a_list_or_as_text_and_are_of_one_region() {
        let us = ["ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"];
        let config = with("marketplace_ids", "ATVPDKIKX0DER, A2EUQ1WTGCTBG2").unwrap();
        assert_eq!(config.marketplace_ids, us);
        assert_eq!(config.api, "https://sellingpartnerapi-na.amazon.com");
        let mut one = fields();
        one["marketplace_ids"] = Value::Null;
        one["marketplace_id"] = "A1VC38T7YXB528".into();
        let config = parse(&one).unwrap();
        assert_eq!(config.api, "https://sellingpartnerapi-fe.amazon.com");
        for wrong in [
            json!([]),
            json!(["ATVPDKIKX0DER", "A1VC38T7YXB528"]),
            json!(["ATVPDKIKX0DER", "ATVPDKIKX0DER"]),
            json!(["a b"]),
            json!([7]),
            json!({}),
        ] {
            assert!(with("marketplace_ids", wrong.clone()).is_err(), "{wrong}");
        }
        assert!(with("region", "na").is_err());
        assert!(with("marketplace_ids", json!(["TOMORROW"])).is_err());
        let mut tomorrow = fields();
        tomorrow["marketplace_ids"] = json!(["TOMORROW"]);
        tomorrow["region"] = "fe".into();
        assert!(parse(&tomorrow).is_ok());
    }

    #[test]
    fn the_fee_is_read_without_rounding() {
        for (given, hundredths) in [
            (json!("0"), 0),
            (json!("8.5"), 850),
            (json!(15), 1_500),
            (json!("100"), 10_000),
        ] {
            let config = with("fee_percent", given.clone()).unwrap();
            assert_eq!(config.fee_hundredths_of_percent, hundredths, "{given}");
        }
        for wrong in [
            json!("-1"),
            json!("100.01"),
            json!("1.234"),
            json!(""),
            json!([]),
        ] {
            assert!(with("fee_percent", wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_error_names_the_field_and_never_the_value() {
        let names = [
            "client_id",
            "client_secret",
            "refresh_token",
            "seller_id",
            "product_type",
            "region",
            "environment",
            "marketplace_ids",
        ];
        for field in names {
            let error = with(field, "Jane Doe").unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}");
            assert!(!error.contains("Jane"), "{error}");
        }
        let text = format!("{:?}", parse(&fields()).unwrap());
        assert!(!text.contains("Atzr") && !text.contains("oa2-cs"), "{text}");
        assert!(Config::parse(&Secret::new("Jane".into())).is_err());
    }
}
