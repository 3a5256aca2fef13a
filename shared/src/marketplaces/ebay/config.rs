//! The account's secret, parsed.
//!
//! ```json
//! {
//!   "environment": "production",
//!   "client_id": "…", "client_secret": "…", "refresh_token": "…",
//!   "endpoint": "https://hooks.example.com/push/ebay/main",
//!   "verification_token": "32 to 80 of A-Z a-z 0-9 _ -",
//!   "marketplace_id": "EBAY_US", "locale": "en-US",
//!   "orders": "fulfillment",
//!   "dev_id": "…",
//!   "signing_key_jwe": "…", "signing_private_key": "…"
//! }
//! ```
//!
//! The consent needs the scopes `sell.fulfillment` and `sell.inventory`; with `sell.finances` refunds can be made, with
//! `commerce.notification.subscription` order pushes subscribed to. What it has is what the tokens get.
//!
//! `orders` says which API reads orders and confirms parcels: `fulfillment`, or `trading` for the older Trading API. The
//! two name lines differently, so it is not changed while orders are open. `dev_id` is the keyset's Dev ID; SOAP pushes
//! (platform notifications) cannot be verified without it.
//!
//! A seller of the European Union or the United Kingdom must sign refunds. The key is made once, with an application
//! token: POST `https://apiz.ebay.com/developer/key_management/v1/signing_key` with `{"signingKeyCipher":"ED25519"}`.
//! The answer's `jwe` and `privateKey` go into the two fields as they are. eBay shows the private key this once, and the
//! key lasts three years.

use super::signature::requests::Signer;
use crate::{domain::Invalid, secrets::Secret};
use serde::Deserialize;
use url::{Host, Url};

/// An eBay account's configuration. Secrets print as `[sealed]`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the REST APIs are, without a slash at the end.
    pub api: String,
    /// The application's id ("App ID").
    pub client_id: String,
    /// The application's secret ("Cert ID").
    pub client_secret: Secret,
    /// The seller's consent: lives 18 months.
    pub refresh_token: Secret,
    /// The push endpoint, letter for letter as typed into the developer portal: the challenge's answer is a hash of it.
    pub endpoint: String,
    /// The token typed into the portal beside the endpoint.
    pub verification_token: Secret,
    /// The site on which is sold, as in `EBAY_US`.
    pub marketplace_id: String,
    /// The language of listings and messages, as in `en-US`. Inventory refuses `*`, which some HTTP libraries add.
    pub locale: String,
    /// Which API reads orders and confirms parcels.
    pub orders: OrdersApi,
    /// The keyset's "Dev ID"; without it platform notifications cannot be verified.
    pub dev_id: Option<String>,
    /// The key that signs refunds.
    pub signing_key: Option<SigningKey>,
}

/// Which API reads orders and confirms parcels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrdersApi {
    /// The Fulfillment API.
    Fulfillment,
    /// The older Trading API.
    Trading,
}

/// A key of the Key Management API. Its two parts fit [`Signer`].
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The public key, sealed for eBay.
    pub jwe: Secret,
    /// The private key.
    pub private_key: Secret,
}

impl Config {
    /// Reads the secret's JSON text. An error names the field and what would be right, never the value.
    pub fn parse(secret: &Secret) -> Result<Self, Invalid> {
        // The text is taken apart here and nowhere else. What serde says of it is dropped: it repeats values.
        let raw: Raw = serde_json::from_str(secret.expose()).map_err(|_| {
            let problem = "must be a JSON object whose fields are all text";
            Invalid::new("ebay secret", problem)
        })?;
        let (api, is_local) = api_of(&required(raw.environment, "environment")?)?;
        let marketplace_id = raw.marketplace_id.unwrap_or_else(|| "EBAY_US".to_owned());
        if !is_marketplace_id(&marketplace_id) {
            return Err(Invalid::new("marketplace_id", "must be as in EBAY_US"));
        }
        let locale = raw.locale.unwrap_or_else(|| "en-US".to_owned());
        if !is_locale(&locale) {
            let problem = "must be a language and a country, as in en-US";
            return Err(Invalid::new("locale", problem));
        }
        let client_id = required(raw.client_id, "client_id")?;
        // Basic authentication ends the id at the first colon.
        if !is_plain(&client_id) || client_id.contains(':') {
            let problem = "must be the App ID of the keyset, without blanks and colons";
            return Err(Invalid::new("client_id", problem));
        }
        let dev_id = raw.dev_id.filter(|dev_id| !dev_id.is_empty());
        if dev_id.as_deref().is_some_and(|dev_id| !is_plain(dev_id)) {
            let problem = "must be the Dev ID of the keyset, without blanks";
            return Err(Invalid::new("dev_id", problem));
        }
        Ok(Self {
            api,
            client_id,
            client_secret: plain_secret(raw.client_secret, "client_secret")?,
            refresh_token: plain_secret(raw.refresh_token, "refresh_token")?.percent_decoded(),
            endpoint: endpoint(required(raw.endpoint, "endpoint")?, is_local)?,
            verification_token: verification_token(raw.verification_token)?,
            marketplace_id,
            locale,
            orders: orders_api(raw.orders.as_deref())?,
            dev_id,
            signing_key: signing_key(raw.signing_key_jwe, raw.signing_private_key)?,
        })
    }

    /// Whether the site's sellers must sign what moves their money. Sellers who live in the European Union or the
    /// United Kingdom and sell elsewhere must too, which is not known here: a key that is there is always used.
    pub fn must_sign(&self) -> bool {
        const SIGNING: [&str; 10] = [
            "EBAY_AT", "EBAY_BE", "EBAY_DE", "EBAY_ES", "EBAY_FR", "EBAY_GB", "EBAY_IE", "EBAY_IT",
            "EBAY_NL", "EBAY_PL",
        ];
        SIGNING.contains(&self.marketplace_id.as_str())
    }

    /// The Trading API's number of the site (developer.ebay.com, "eBay site ID values"); that of the United States for
    /// sites that have none.
    pub fn site_id(&self) -> &'static str {
        match self.marketplace_id.as_str() {
            "EBAY_CA" => "2",
            "EBAY_GB" => "3",
            "EBAY_AU" => "15",
            "EBAY_AT" => "16",
            "EBAY_FR" => "71",
            "EBAY_DE" => "77",
            "EBAY_MOTORS_US" => "100",
            "EBAY_IT" => "101",
            "EBAY_BE" => "123",
            "EBAY_NL" => "146",
            "EBAY_ES" => "186",
            "EBAY_CH" => "193",
            "EBAY_HK" => "201",
            "EBAY_IE" => "205",
            "EBAY_MY" => "207",
            "EBAY_PH" => "211",
            "EBAY_PL" => "212",
            "EBAY_SG" => "216",
            _ => "0",
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    environment: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
    endpoint: Option<String>,
    verification_token: Option<Secret>,
    marketplace_id: Option<String>,
    locale: Option<String>,
    orders: Option<String>,
    dev_id: Option<String>,
    signing_key_jwe: Option<Secret>,
    signing_private_key: Option<Secret>,
}

fn orders_api(text: Option<&str>) -> Result<OrdersApi, Invalid> {
    match text {
        None | Some("fulfillment") => Ok(OrdersApi::Fulfillment),
        Some("trading") => Ok(OrdersApi::Trading),
        Some(_) => Err(Invalid::new("orders", "must be fulfillment or trading")),
    }
}

/// Both parts or none.
fn signing_key(
    jwe: Option<Secret>,
    private_key: Option<Secret>,
) -> Result<Option<SigningKey>, Invalid> {
    let (jwe, private_key) = match (jwe, private_key) {
        (None, None) => return Ok(None),
        (Some(jwe), Some(private_key)) => (jwe, private_key),
        (Some(_), None) => {
            let problem = "is missing beside signing_key_jwe";
            return Err(Invalid::new("signing_private_key", problem));
        }
        (None, Some(_)) => {
            let problem = "is missing beside signing_private_key";
            return Err(Invalid::new("signing_key_jwe", problem));
        }
    };
    Signer::new(&jwe, &private_key)?;
    Ok(Some(SigningKey { jwe, private_key }))
}

fn required<T>(value: Option<T>, field: &'static str) -> Result<T, Invalid> {
    value.ok_or_else(|| Invalid::new(field, "is missing from the ebay secret"))
}

/// Where the APIs are, and whether that is a stack of our own rather than eBay.
fn api_of(environment: &str) -> Result<(String, bool), Invalid> {
    match environment {
        "production" => return Ok(("https://api.ebay.com".to_owned(), false)),
        "sandbox" => return Ok(("https://api.sandbox.ebay.com".to_owned(), false)),
        _ => {}
    }
    let wrong = || {
        let problem = "must be production, sandbox, or a URL with https (http for this machine alone), without user, query and fragment";
        Invalid::new("environment", problem)
    };
    let url = Url::parse(environment).map_err(|_| wrong())?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(wrong()),
    };
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !is_safe || !is_bare {
        return Err(wrong());
    }
    Ok((url.as_str().trim_end_matches('/').to_owned(), true))
}

fn endpoint(text: String, is_local: bool) -> Result<String, Invalid> {
    let fits = Url::parse(&text)
        .is_ok_and(|url| url.scheme() == "https" || (is_local && url.scheme() == "http"));
    if !fits || !is_plain(&text) {
        let problem = "must be the https URL exactly as typed into the developer portal";
        return Err(Invalid::new("endpoint", problem));
    }
    Ok(text)
}

fn verification_token(token: Option<Secret>) -> Result<Secret, Invalid> {
    let token = required(token, "verification_token")?;
    // Looked at to check its letters.
    let text = token.expose().as_bytes();
    let fits = (32..=80).contains(&text.len())
        && text
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-');
    if !fits {
        let problem = "must be 32 to 80 letters, digits, _ and -";
        return Err(Invalid::new("verification_token", problem));
    }
    Ok(token)
}

fn plain_secret(value: Option<Secret>, field: &'static str) -> Result<Secret, Invalid> {
    let value = required(value, field)?;
    // Looked at to check its letters.
    if !is_plain(value.expose()) {
        let problem = "must be visible ASCII without blanks, as eBay shows it";
        return Err(Invalid::new(field, problem));
    }
    Ok(value)
}

fn is_plain(text: &str) -> bool {
    (1..=8_192).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_marketplace_id(text: &str) -> bool {
    text.len() <= 32
        && text.strip_prefix("EBAY_").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        })
}

fn is_locale(text: &str) -> bool {
    text.split_once('-').is_some_and(|(language, country)| {
        language.len() == 2
            && country.len() == 2
            && language.bytes().all(|b| b.is_ascii_lowercase())
            && country.bytes().all(|b| b.is_ascii_uppercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn fields() -> Value {
        json!({
            "environment": "production",
            "client_id": "Example-App-PRD-1",
            "client_secret": "PRD-secret-1",
            "refresh_token": "v^1.1#i^1#refresh",
            "endpoint": "https://hooks.example.com/push/ebay/main/",
            "verification_token": "example-verification-token-0123456789_abcd",
        })
    }

    fn parse(fields: &Value) -> Result<Config, Invalid> {
        Config::parse(&Secret::new(fields.to_string()))
    }

    #[test]
    fn the_endpoint_is_kept_letter_for_letter_and_the_rest_has_defaults() {
        let config = parse(&fields()).unwrap();
        assert_eq!(config.api, "https://api.ebay.com");
        assert_eq!(config.endpoint, "https://hooks.example.com/push/ebay/main/");
        assert_eq!(config.marketplace_id, "EBAY_US");
        assert_eq!(config.locale, "en-US");
    }

    #[test]
    fn an_unsafe_or_unknown_environment_is_refused() {
        for (environment, api) in [
            ("sandbox", Some("https://api.sandbox.ebay.com")),
            ("http://127.0.0.1:1234", Some("http://127.0.0.1:1234")),
            ("http://localhost:80/ebay/", Some("http://localhost/ebay")),
            ("http://[::1]:9/", Some("http://[::1]:9")),
            ("https://ebay.example.com", Some("https://ebay.example.com")),
            ("http://ebay.example.com", None),
            ("http://127.0.0.1.example.com", None),
            ("https://user:pass@ebay.example.com", None),
            ("https://ebay.example.com?a=b", None),
            ("ftp://127.0.0.1", None),
            ("Production", None),
            ("", None),
        ] {
            let mut fields = fields();
            fields["environment"] = environment.into();
            let parsed = parse(&fields).ok().map(|config| config.api);
            assert_eq!(parsed.as_deref(), api, "{environment}");
        }
    }

    #[test]
    fn an_error_names_the_field_and_never_the_value() {
        for (field, value) in [
            ("environment", "WRONG value"),
            ("client_id", "WRONG value"),
            ("client_secret", "WRONG value"),
            ("refresh_token", ""),
            ("endpoint", "http://WRONG.example.com"),
            ("verification_token", "WRONG"),
            ("marketplace_id", "WRONG"),
            ("locale", "*"),
            ("orders", "WRONG"),
            ("dev_id", "WRONG id"),
            ("signing_private_key", "WRONG"),
            ("signing_key_jwe", "WRONG jwe"),
        ] {
            let mut fields = fields();
            fields["signing_key_jwe"] = "eyJ.x".into();
            fields["signing_private_key"] = SIGNING_KEY.into();
            fields[field] = value.into();
            let error = parse(&fields).unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}");
            assert!(!error.contains("WRONG"), "{error}");
        }
        let wrong_type = json!({"client_secret": ["WRONG"]});
        assert!(
            !parse(&wrong_type)
                .unwrap_err()
                .to_string()
                .contains("WRONG")
        );
        let mut missing = fields();
        missing.as_object_mut().unwrap().remove("refresh_token");
        let error = parse(&missing).unwrap_err().to_string();
        assert!(error.contains("refresh_token"), "{error}");
    }

    // The test key of RFC 9421, appendix B.1.4.
    const SIGNING_KEY: &str = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF";

    #[test]
    fn the_older_api_and_a_signing_key_are_chosen_by_the_secret() {
        let plain = parse(&fields()).unwrap();
        assert_eq!(plain.orders, OrdersApi::Fulfillment);
        assert!(!plain.must_sign() && plain.signing_key.is_none());
        assert_eq!(plain.site_id(), "0");
        let mut fields = fields();
        fields["orders"] = "trading".into();
        fields["dev_id"] = "1-2-3".into();
        fields["marketplace_id"] = "EBAY_DE".into();
        fields["signing_key_jwe"] = "eyJ.x".into();
        let missing = parse(&fields).unwrap_err();
        assert_eq!(missing.what, "signing_private_key");
        fields["signing_private_key"] = SIGNING_KEY.into();
        let config = parse(&fields).unwrap();
        assert_eq!(config.orders, OrdersApi::Trading);
        assert!(config.must_sign() && config.signing_key.is_some());
        assert_eq!(config.site_id(), "77");
    }

    #[test]
    fn secrets_print_as_sealed() {
        let mut fields = fields();
        fields["signing_key_jwe"] = "eyJ.x".into();
        fields["signing_private_key"] = SIGNING_KEY.into();
        let printed = format!("{:?}", parse(&fields).unwrap());
        for secret in [
            "PRD-secret",
            "#refresh",
            "verification-token",
            "MC4C",
            "eyJ",
        ] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
