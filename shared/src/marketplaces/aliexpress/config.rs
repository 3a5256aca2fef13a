//! The account's secret, parsed.
//!
//! ```json
//! {
//!   "environment": "production",
//!   "app_key": "500123", "app_secret": "…", "refresh_token": "…",
//!   "seller_id": "1234", "currency": "USD", "language": "en_US", "pay": false
//! }
//! ```
//!
//! A shop that sells at AliExpress has `"side": "seller"`. Where its application is still one of the old gateway, it has
//! `"gateway": "top"` too, and with `"sign_method": "hmac"` its requests are signed by HMAC-MD5 instead of MD5.

use super::signature::Scheme;
use crate::domain::{Currency, Invalid};
use crate::secrets::Secret;
use serde_json::{Map, Value};
use url::{Host, Url};

const PRODUCTION: &str = "https://api-sg.aliexpress.com";
const OLD_PRODUCTION: &str = "https://gw.api.taobao.com";
const FIELDS: [&str; 11] = [
    "environment",
    "app_key",
    "app_secret",
    "refresh_token",
    "seller_id",
    "currency",
    "language",
    "pay",
    "side",
    "gateway",
    "sign_method",
];

/// What the account does at AliExpress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// It buys there: a supplier.
    Buyer,
    /// It has a shop there: a channel.
    Seller,
}

/// Where business calls go, and how they are signed and dated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gateway {
    /// `/sync` with HMAC-SHA256 and milliseconds since 1970.
    Sync,
    /// `/router/rest` of the old gateway with one of its two schemes and times of GMT+8.
    Top(Scheme),
}

/// What an account needs. Secrets in it print as `[sealed]`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address that `/sync` and `/rest` are put behind, without a slash at the end.
    pub(super) base: String,
    /// The address that the old gateway's `/router/rest` is put behind.
    pub(super) old_base: String,
    /// What the account does.
    pub(super) side: Side,
    /// Where business calls go.
    pub(super) gateway: Gateway,
    /// The application's public key.
    pub(super) app_key: String,
    /// The application's secret, which signs.
    pub(super) app_secret: Secret,
    /// The refresh token that a person's consent gave; the token store goes on from it.
    pub(super) refresh_token: Secret,
    /// The buyer account's `seller_id` in pushes; where it is set, pushes of others give no signals.
    pub(super) seller_id: Option<String>,
    /// The currency in which prices are asked for and paid.
    pub(super) currency: Currency,
    /// The language of answers, as in `en_US`.
    pub(super) language: String,
    /// Whether an order is paid when it is placed. Works only for application keys that AliExpress has listed for it;
    /// all others pay on the site.
    pub(super) pay: bool,
}

impl Config {
    /// Reads the secret's JSON. The error names the field and what would be right, never the value.
    pub fn parse(secret: &Secret) -> Result<Self, Invalid> {
        // Read here once; every secret part goes into a Secret of its own.
        let value: Value = serde_json::from_str(secret.expose())
            .map_err(|_| Invalid::new("secret", "must be a JSON object"))?;
        let Value::Object(fields) = value else {
            return Err(Invalid::new("secret", "must be a JSON object"));
        };
        if fields.keys().any(|name| !FIELDS.contains(&name.as_str())) {
            let problem = format!("has a field that is none of: {}", FIELDS.join(", "));
            return Err(Invalid::new("secret", problem));
        }
        let currency = optional(&fields, "currency")?.unwrap_or_else(|| "USD".to_owned());
        let base = base(&required(&fields, "environment")?)?;
        let side = side(&fields)?;
        Ok(Self {
            old_base: if base == PRODUCTION {
                OLD_PRODUCTION.to_owned()
            } else {
                base.clone()
            },
            base,
            side,
            gateway: gateway(&fields, side)?,
            app_key: required(&fields, "app_key")?,
            app_secret: Secret::new(required(&fields, "app_secret")?),
            refresh_token: Secret::new(required(&fields, "refresh_token")?).percent_decoded(),
            seller_id: optional(&fields, "seller_id")?,
            currency: currency.parse()?,
            language: language(&fields)?,
            pay: match fields.get("pay") {
                None | Some(Value::Null) => false,
                Some(Value::Bool(pay)) => *pay,
                Some(_) => return Err(Invalid::new("pay", "must be true or false")),
            },
        })
    }
}

fn side(fields: &Map<String, Value>) -> Result<Side, Invalid> {
    match optional(fields, "side")?.as_deref() {
        None | Some("buyer") => Ok(Side::Buyer),
        Some("seller") => Ok(Side::Seller),
        Some(_) => Err(Invalid::new("side", "must be buyer or seller")),
    }
}

fn gateway(fields: &Map<String, Value>, side: Side) -> Result<Gateway, Invalid> {
    let scheme = optional(fields, "sign_method")?;
    match (optional(fields, "gateway")?.as_deref(), side) {
        (None | Some("sync"), _) if scheme.is_none() => Ok(Gateway::Sync),
        (None | Some("sync"), _) => {
            let problem = "is chosen only where gateway is top";
            Err(Invalid::new("sign_method", problem))
        }
        (Some("top"), Side::Seller) => match scheme.as_deref() {
            None | Some("md5") => Ok(Gateway::Top(Scheme::Md5)),
            Some("hmac") => Ok(Gateway::Top(Scheme::HmacMd5)),
            Some(_) => Err(Invalid::new("sign_method", "must be md5 or hmac")),
        },
        // The dropshipping API was never behind the old one.
        (Some("top"), Side::Buyer) => Err(Invalid::new("gateway", "is top for a seller only")),
        (Some(_), _) => Err(Invalid::new("gateway", "must be sync or top")),
    }
}

fn optional(fields: &Map<String, Value>, name: &'static str) -> Result<Option<String>, Invalid> {
    let text = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(_) => return Err(Invalid::new(name, "must be text")),
    };
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Invalid::new(name, "must be text without blanks, not empty"));
    }
    Ok(Some(text))
}

fn required(fields: &Map<String, Value>, name: &'static str) -> Result<String, Invalid> {
    optional(fields, name)?
        .ok_or_else(|| Invalid::new(name, "is missing; it must be text without blanks"))
}

fn language(fields: &Map<String, Value>) -> Result<String, Invalid> {
    let language = optional(fields, "language")?.unwrap_or_else(|| "en_US".to_owned());
    let fits = language
        .bytes()
        .all(|b| b.is_ascii_alphabetic() || b == b'_');
    fits.then_some(language)
        .ok_or_else(|| Invalid::new("language", "must be a language and country, as in en_US"))
}

fn base(environment: &str) -> Result<String, Invalid> {
    if environment == "production" {
        return Ok(PRODUCTION.to_owned());
    }
    let wrong = || {
        let problem = "must be production, or an https URL without user, query and fragment \
                       (http only for this machine, as in http://127.0.0.1:1234)";
        Invalid::new("environment", problem)
    };
    let url = Url::parse(environment).map_err(|_| wrong())?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(wrong()),
    };
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain || !(url.scheme() == "https" || (url.scheme() == "http" && here)) {
        return Err(wrong());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(change: impl FnOnce(&mut Value)) -> Result<Config, Invalid> {
        let mut secret = json!({
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
        assert_eq!(config.base, "https://api-sg.aliexpress.com");
        assert_eq!(config.currency.code(), "USD");
        assert_eq!(config.language, "en_US");
        assert!(!config.pay, "nothing is paid unless somebody says so");
    }

    #[test]
    fn the_old_gateway_is_for_sellers_and_has_its_own_address() {
        let top = |secret: &mut Value, method: Option<&str>| {
            secret["side"] = json!("seller");
            secret["gateway"] = json!("top");
            secret["sign_method"] = json!(method);
        };
        let config = parse(|secret| top(secret, None)).unwrap();
        assert_eq!(
            (config.side, config.gateway),
            (Side::Seller, Gateway::Top(Scheme::Md5))
        );
        assert_eq!(config.old_base, "https://gw.api.taobao.com");
        let hmac = parse(|secret| top(secret, Some("hmac"))).unwrap();
        assert_eq!(hmac.gateway, Gateway::Top(Scheme::HmacMd5));
        let wrong = |change: fn(&mut Value)| parse(change).unwrap_err().what;
        assert_eq!(wrong(|s| s["gateway"] = json!("top")), "gateway");
        assert_eq!(wrong(|s| s["gateway"] = json!("rest")), "gateway");
        assert_eq!(wrong(|s| s["side"] = json!("both")), "side");
        assert_eq!(wrong(|s| s["sign_method"] = json!("md5")), "sign_method");
        let unknown = parse(|secret| top(secret, Some("sha1"))).unwrap_err();
        assert_eq!(unknown.what, "sign_method");
    }

    #[test]
    fn secrets_do_not_print() {
        let text = format!("{:?}", parse(|_| ()).unwrap());
        assert!(!text.contains("hidden"), "{text}");
    }

    #[test]
    fn plain_http_reaches_this_machine_only() {
        let of = |url: &str| parse(|secret| secret["environment"] = json!(url)).map(|c| c.base);
        assert_eq!(
            of("http://127.0.0.1:1234/").unwrap(),
            "http://127.0.0.1:1234"
        );
        assert_eq!(
            of("http://localhost:9/ali").unwrap(),
            "http://localhost:9/ali"
        );
        assert_eq!(
            of("https://proxy.example/").unwrap(),
            "https://proxy.example"
        );
        for wrong in [
            "http://proxy.example",
            "ftp://127.0.0.1",
            "https://a:b@proxy.example",
            "https://proxy.example/?q=1",
            "Production",
        ] {
            assert_eq!(of(wrong).unwrap_err().what, "environment", "{wrong}");
        }
    }

    #[test]
    fn an_error_names_the_field_and_never_the_value() {
        for field in ["environment", "app_key", "app_secret", "refresh_token"] {
            let missing = parse(|secret| drop(secret.as_object_mut().unwrap().remove(field)));
            assert_eq!(missing.unwrap_err().what, field);
            let wrong = parse(|secret| secret[field] = json!(["hidden value"])).unwrap_err();
            assert_eq!(wrong.what, field);
            assert!(!wrong.to_string().contains("hidden"));
        }
        assert_eq!(parse(|s| s["pay"] = json!("yes")).unwrap_err().what, "pay");
        assert_eq!(
            parse(|s| s["currency"] = json!("dollars"))
                .unwrap_err()
                .what,
            "currency"
        );
        let unknown = parse(|s| s["hidden"] = json!(1)).unwrap_err();
        assert!(!unknown.to_string().contains("hidden"));
        assert!(Config::parse(&Secret::new("[]".into())).is_err());
    }
}
