//! What is looked at when something is wrong with the account. Nothing is changed.

use super::{
    Ebay,
    client::{Caller, Client},
    config::OrdersApi,
    signature,
    subscribe::{TOPICS, our_destination, subscriber},
    trading::EVENTS,
    wire,
};
use crate::marketplaces::{CallError, Examine, Finding, Kind};
use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A clock that is this far off is as it should be; a little more and times of ours lie in eBay's future.
const CLOCK_GOOD: SignedDuration = SignedDuration::from_secs(4);
/// A clock that is this far off makes eBay refuse calls and signatures.
const CLOCK_BAD: SignedDuration = SignedDuration::from_secs(60);
/// A quota of which no more than this part is left, in hundredths, is a warning.
const QUOTA_LOW_PERCENT: u64 = 10;

/// The scopes that the consent should have, and what cannot be done without them.
const SCOPES: [(&str, &str, bool); 4] = [
    ("sell.fulfillment", "read orders and confirm parcels", true),
    ("sell.inventory", "set quantities and prices", true),
    ("sell.finances", "give money back", false),
    (
        "commerce.notification.subscription",
        "subscribe to pushes of orders",
        false,
    ),
];

#[async_trait]
impl Examine for Ebay {
    async fn examine(&self) -> Vec<Finding> {
        let client = &self.client;
        let mut findings = Vec::new();
        let limits = client.rate_limits().await;
        findings.push(application(&limits));
        findings.push(clock(&limits, self.outside.clock.now()));
        findings.extend(consent(client).await);
        findings.extend(quotas(&limits));
        findings.push(self.endpoint().await);
        findings.extend(subscriptions(client).await);
        findings.extend(signing(client));
        findings.extend(trading_api(client).await);
        findings
    }
}

type Limits = Result<(wire::RateLimits, Option<Timestamp>), CallError>;

/// Whether the application's own keys open eBay.
fn application(limits: &Limits) -> Finding {
    let what = "credentials";
    let Err(error) = limits else {
        return Finding::good(what, "eBay takes the application's id and secret.");
    };
    let says = format!(
        "eBay does not take the application's id and secret: {}.",
        error.code
    );
    match error.kind {
        Kind::Unreachable | Kind::NoAnswer => Finding::bad(
            "reachability",
            format!("{} cannot be reached: {}.", error.operation, error.code),
            "Look at the network of the functions and at eBay's status page, then look again.",
        ),
        Kind::Unavailable | Kind::Throttled | Kind::Unreadable => Finding::warning(
            "reachability",
            format!("eBay answers, and not what was asked: {}.", error.code),
            "Wait a while and look again; eBay's status page may say more.",
        ),
        _ => Finding::bad(
            what,
            says,
            "Copy the App ID and the Cert ID of the production keyset into client_id and client_secret. A keyset without an endpoint for account deletions is disabled: look at it in the developer portal.",
        ),
    }
}

fn clock(limits: &Limits, now: Timestamp) -> Finding {
    let what = "clock";
    let Ok((_, Some(theirs))) = limits else {
        return Finding::warning(
            what,
            "eBay said no time to compare with.",
            "Look again when eBay answers.",
        );
    };
    let off = now.duration_since(*theirs);
    let says = format!("Our clock is {} s from eBay's.", off.as_secs());
    let to_do =
        "Set the clock of the machine by NTP: eBay refuses times of its future and old signatures.";
    // eBay's time has whole seconds.
    match off.abs() {
        off if off <= CLOCK_GOOD => Finding::good(what, says),
        off if off < CLOCK_BAD => Finding::warning(what, says, to_do),
        _ => Finding::bad(what, says, to_do),
    }
}

/// Whether the seller's consent stands, and what it is for.
async fn consent(client: &Client) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (scope, needed_to, is_needed) in SCOPES {
        let url = format!("https://api.ebay.com/oauth/api_scope/{scope}");
        match client.auth.has_scope(&url).await {
            Ok(true) => {
                let says = format!("The seller's consent has {scope}.");
                findings.push(Finding::good("scopes", says));
            }
            Ok(false) => {
                let says =
                    format!("The seller's consent lacks {scope}, which is needed to {needed_to}.");
                let to_do = format!(
                    "Let the seller consent again with {scope} in the list of scopes, and put the new refresh token into refresh_token."
                );
                findings.push(match is_needed {
                    true => Finding::bad("scopes", says, to_do),
                    false => Finding::warning("scopes", says, to_do),
                });
            }
            Err(error) if error.kind == Kind::ConsentEnded => {
                findings.push(Finding::bad(
                    "consent",
                    "The seller's consent has ended: eBay does not take the refresh token.",
                    "Let the seller sign in and consent again, and put the new refresh token into refresh_token. A consent lasts 18 months and ends with a changed password.",
                ));
                return findings;
            }
            Err(error) => {
                findings.push(Finding::warning(
                    "consent",
                    format!(
                        "The seller's consent could not be looked at: {}.",
                        error.code
                    ),
                    "Mend the credentials first, or look again later.",
                ));
                return findings;
            }
        }
    }
    findings
}

/// What is left of the quotas of the APIs that are used.
fn quotas(limits: &Limits) -> Vec<Finding> {
    let Ok((limits, _)) = limits else {
        return Vec::new();
    };
    const USED: [(&str, &str); 5] = [
        ("sell", "fulfillment"),
        ("sell", "inventory"),
        ("commerce", "notification"),
        ("developer", "analytics"),
        ("tradingapi", ""),
    ];
    let apis = limits.rate_limits.as_deref().unwrap_or_default().iter();
    let used = apis.filter(|api| {
        let context = api
            .api_context
            .as_deref()
            .unwrap_or_default()
            .to_lowercase();
        let name = api.api_name.as_deref().unwrap_or_default().to_lowercase();
        let is_it =
            |(of, api): &(&str, &str)| *of == context && (api.is_empty() || name.starts_with(api));
        USED.iter().any(is_it)
    });
    let mut findings: Vec<Finding> = used.filter_map(quota).collect();
    if findings.is_empty() {
        findings.push(Finding::warning(
            "quota",
            "eBay tells of no quota of the APIs that are used.",
            "Nothing: the quotas that are often quoted are kept to.",
        ));
    }
    findings
}

/// The scarcest quota of an API.
fn quota(api: &wire::ApiLimits) -> Option<Finding> {
    let resources = api.resources.as_deref().unwrap_or_default().iter();
    let rates = resources.flat_map(|resource| {
        let rates = resource.rates.as_deref().unwrap_or_default().iter();
        rates.map(move |rate| (resource.name.as_deref().unwrap_or_default(), rate))
    });
    let with_limit = rates.filter_map(|(name, rate)| {
        let limit = rate.limit.filter(|limit| *limit > 0)?;
        Some((name, limit, rate.remaining?, rate))
    });
    let (name, limit, remaining, rate) = with_limit
        .min_by_key(|(_, limit, remaining, _)| remaining.saturating_mul(10_000) / limit)?;
    let window_h = rate.time_window.unwrap_or(86_400) / 3_600;
    let says = format!("{remaining} of {limit} calls in {window_h} h are left of {name}.");
    let reset = rate
        .reset
        .as_deref()
        .and_then(|reset| reset.parse::<Timestamp>().ok());
    let reset = reset.map_or_else(|| "its window ends".to_owned(), |at| at.to_string());
    let to_do = format!(
        "Calls wait until {reset}. Where that happens often, ask eBay for an application growth check, which raises the quota."
    );
    Some(match remaining.saturating_mul(100) / limit {
        0 if remaining == 0 => Finding::bad("quota", says, to_do),
        percent if percent <= QUOTA_LOW_PERCENT => Finding::warning("quota", says, to_do),
        _ => Finding::good("quota", says),
    })
}

impl Ebay {
    /// Whether the endpoint answers eBay's question as eBay would want it, asked from here.
    async fn endpoint(&self) -> Finding {
        const CODE: &str = "kervan-examines-its-endpoint";
        let what = "endpoint";
        let to_do = "Deploy the door, and compare endpoint and verification_token of the secret with the developer portal, letter for letter.";
        let joint = if self.endpoint.contains('?') {
            '&'
        } else {
            '?'
        };
        let uri = format!("{}{joint}challenge_code={CODE}", self.endpoint);
        let request = Request::get(uri).body(Bytes::new());
        let Ok(request) = request else {
            return Finding::bad(what, "The endpoint is no address.", to_do);
        };
        let answer = match self.outside.http.send(request).await {
            Ok(answer) => answer,
            Err(_) => {
                let says = "The endpoint cannot be reached from here.";
                return Finding::bad(what, says, to_do);
            }
        };
        // The token goes into the hash that is compared, and nowhere else.
        let token = self.verification_token.expose();
        let query = format!("challenge_code={CODE}");
        let wanted = signature::challenge(&query, token, &self.endpoint);
        let wanted = wanted
            .ok()
            .and_then(|wanted| serde_json::from_str::<Value>(&wanted.body).ok());
        let given = serde_json::from_slice::<Value>(answer.body()).ok();
        let given = given
            .filter(|_| answer.status() == 200)
            .and_then(|given| given.get("challengeResponse").cloned());
        let wanted = wanted.and_then(|wanted| wanted.get("challengeResponse").cloned());
        if given.is_some() && given == wanted {
            return Finding::good(what, "The endpoint answers the challenge.");
        }
        let says = format!(
            "The endpoint does not answer the challenge as eBay wants it (status {}).",
            answer.status().as_u16()
        );
        Finding::bad(what, says, to_do)
    }
}

/// Whether eBay pushes.
async fn subscriptions(client: &Client) -> Vec<Finding> {
    match look_at_subscriptions(client).await {
        Ok(findings) => findings,
        Err(error) => vec![Finding::warning(
            "subscriptions",
            format!(
                "The subscriptions could not be looked at: {} {}.",
                error.operation, error.code
            ),
            "Mend what is wrong above, and look again. Orders are found by the sweep meanwhile.",
        )],
    }
}

async fn look_at_subscriptions(client: &Client) -> Result<Vec<Finding>, CallError> {
    const SUBSCRIBE: &str = "Run `kervan subscribe` for this account.";
    let what = "subscriptions";
    let mut findings = Vec::new();
    if client.alert_email().await?.is_none() {
        let says = "eBay has no address to write to when the endpoint is down, and takes no subscription without.";
        findings.push(Finding::bad(what, says, SUBSCRIBE));
    }
    let Some(ours) = our_destination(client).await? else {
        let says = "eBay does not know the endpoint.";
        findings.push(Finding::bad(what, says, SUBSCRIBE));
        return Ok(findings);
    };
    findings.push(match ours.status.as_deref() {
        Some("ENABLED") => Finding::good(what, "eBay pushes to the endpoint."),
        Some("MARKED_DOWN") => Finding::bad(
            what,
            "eBay has marked the endpoint down, because it did not answer for long.",
            SUBSCRIBE,
        ),
        _ => Finding::bad(what, "The endpoint is disabled at eBay.", SUBSCRIBE),
    });
    let topics = client.topics().await?;
    for topic_id in TOPICS {
        let Some(topic) = topics.iter().find(|topic| topic.topic_id == topic_id) else {
            let says = format!("eBay has no topic {topic_id} for this application.");
            let to_do = "Ask eBay's developer support to release it. Orders are found by the sweep meanwhile.";
            findings.push(Finding::warning(what, says, to_do));
            continue;
        };
        let all = match client.subscriptions(subscriber(topic)).await {
            Err(error) if error.kind == Kind::Misconfigured => Vec::new(),
            outcome => outcome?,
        };
        let known = all.iter().find(|known| known.topic_id == topic_id);
        let is_on = known.is_some_and(|known| {
            known.status.as_deref() == Some("ENABLED")
                && known.destination_id.as_deref() == Some(ours.destination_id.as_str())
        });
        findings.push(match (is_on, subscriber(topic)) {
            (true, _) => Finding::good(what, format!("{topic_id} is pushed.")),
            (false, Caller::Seller) => {
                let says =
                    format!("{topic_id} is not pushed; orders are found by the sweep alone.");
                Finding::warning(what, says, SUBSCRIBE)
            }
            (false, Caller::Application) => {
                let says = format!("{topic_id} is not pushed.");
                Finding::bad(what, says, SUBSCRIBE)
            }
        });
    }
    Ok(findings)
}

/// Whether refunds can be signed where they must be.
fn signing(client: &Client) -> Option<Finding> {
    let what = "signing key";
    match (
        client.config.signing_key.is_some(),
        client.config.must_sign(),
    ) {
        (true, _) => Some(Finding::good(what, "Refunds are signed.")),
        (false, true) => Some(Finding::warning(
            what,
            "Sellers of this site must sign refunds, and there is no key.",
            "Make a signing key with eBay's Key Management API, and put its jwe and privateKey into signing_key_jwe and signing_private_key.",
        )),
        (false, false) => None,
    }
}

/// The older API, where it is used.
async fn trading_api(client: &Client) -> Vec<Finding> {
    if client.config.orders != OrdersApi::Trading {
        return Vec::new();
    }
    let what = "trading api";
    let mut findings = Vec::new();
    findings.push(match client.official_time().await {
        Ok(_) => Finding::good(what, "The Trading API takes the seller's token."),
        Err(error) => Finding::bad(
            what,
            format!(
                "The Trading API does not answer as it should: {}.",
                error.code
            ),
            "Mend the credentials and the consent first, or look again later.",
        ),
    });
    if client.config.dev_id.is_none() {
        findings.push(Finding::bad(
            what,
            "There is no dev_id, so platform notifications cannot be verified.",
            "Copy the Dev ID of the keyset into dev_id.",
        ));
    }
    findings.push(match client.sent_events().await {
        Ok(events) if events.len() == EVENTS.len() => Finding::good(
            "subscriptions",
            "Platform notifications go to the endpoint.",
        ),
        Ok(_) => Finding::warning(
            "subscriptions",
            "Not all platform notifications go to the endpoint; orders are found by the sweep.",
            "Run `kervan subscribe` for this account.",
        ),
        Err(error) => Finding::warning(
            "subscriptions",
            format!(
                "The platform notifications could not be looked at: {}.",
                error.code
            ),
            "Look again later.",
        ),
    });
    findings
}
