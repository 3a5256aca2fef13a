//! What can be seen of an account's set-up from outside, by one call that changes nothing.

use super::client::{Client, MEMBER_BENEFIT, Outgoing};
use super::config::Gateway;
use super::seller::PROFILE_GET;
use super::{limits, seller, wire};
use crate::limiter::Traffic;
use crate::marketplaces::{CallError, Finding, Kind, Retry};
use http::{HeaderMap, header};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// A token that ends sooner than this, although it was only just looked at, was not renewed in time.
const TOKEN_ENDS_SOON: Duration = Duration::from_secs(600);

const CONSENT: &str = "Open the application's consent page, trade its code for tokens within three minutes, and put the \
     new refresh_token into the account's secret.";

/// The set-up of an account that buys.
pub(super) async fn buyer(client: &Client) -> Vec<Finding> {
    let (mut findings, root) = look(client, MEMBER_BENEFIT).await;
    findings.push(currency(client));
    if let Some(paying) = paying(client, root.as_ref()) {
        findings.push(paying);
    }
    findings
}

/// The set-up of an account that sells.
pub(super) async fn seller(client: &Client) -> Vec<Finding> {
    let (mut findings, root) = look(client, PROFILE_GET).await;
    if let Gateway::Top(_) = client.config.gateway {
        let says = "Calls go to the old gateway, which AliExpress has superseded.";
        let to_do =
            "Register the application anew at openservice.aliexpress.com and leave gateway out.";
        findings.push(Finding::warning("gateway", says, to_do));
    }
    let profile = root.and_then(|root| seller::Profile::deserialize(root).ok());
    let forbidden = profile.and_then(|profile| profile.product_posting_forbidden);
    if forbidden == Some(true) {
        let says = "AliExpress forbids this shop to post products.";
        let to_do = "Look at the shop's notices in the seller centre.";
        findings.push(Finding::warning("shop", says, to_do));
    }
    findings.push(currency(client));
    findings
}

/// Calls once, and tells of the way there, the credentials, the token and the clock.
async fn look(client: &Client, operation: &'static str) -> (Vec<Finding>, Option<Value>) {
    let outgoing = Outgoing::new(client.call(operation), &[], Traffic::Stock);
    let answered = client.answered(&|| Ok(()), &outgoing).await;
    let now = client.outside.clock.now();
    let (mut findings, root) = match answered {
        Ok((headers, root)) => {
            let taken = "AliExpress takes the application key, the signature and the token.";
            let findings = vec![
                Finding::good("reachability", "AliExpress answers."),
                Finding::good("credentials", taken),
                clock(client, &headers, now),
            ];
            (findings, Some(root))
        }
        Err(error) => (vec![refused(&error)], None),
    };
    findings.extend(token(client, now).await);
    (findings, root)
}

/// What a call's error says of the set-up.
fn refused(error: &CallError) -> Finding {
    let code = error.code.as_str();
    match error.kind {
        Kind::Unreachable | Kind::NoAnswer => Finding::bad(
            "reachability",
            format!("AliExpress does not answer ({code})."),
            "Check that the function may reach the internet: its subnet, its NAT and its security group.",
        ),
        Kind::ConsentEnded | Kind::TokenInvalid => {
            Finding::bad("token", format!("The consent has ended ({code})."), CONSENT)
        }
        Kind::Misconfigured => misconfigured(code),
        Kind::Throttled if error.retry != Retry::Person => Finding::warning(
            "limits",
            format!("AliExpress refuses calls for now ({code})."),
            "Wait; where it lasts, see which application shares this key.",
        ),
        Kind::Unavailable => Finding::warning(
            "reachability",
            format!("AliExpress has a fault ({code})."),
            "Wait and look again.",
        ),
        _ => Finding::warning(
            "credentials",
            format!("AliExpress answers what was not expected ({code})."),
            "Look again; where it stays, compare the application's permissions.",
        ),
    }
}

fn misconfigured(code: &str) -> Finding {
    let (what, says, to_do) = match code {
        "AppWhiteIpLimit" => (
            "address allow-list",
            "The application takes calls from listed addresses only.",
            "Give the functions one outgoing address (a NAT with a fixed one) and list it, or take the list away.",
        ),
        "IllegalTimestamp" | "30" | "31" => (
            "clock",
            "AliExpress refuses our time.",
            "Set the clock of the machine that calls; on Lambda, tell AWS.",
        ),
        "IncompleteSignature" | "24" | "25" => (
            "credentials",
            "AliExpress refuses the signature.",
            "Compare app_secret with the application's page; an old application may need gateway top.",
        ),
        "InvalidAppkey" | "28" | "29" => (
            "credentials",
            "AliExpress does not know the application key.",
            "Compare app_key and environment with the application's page.",
        ),
        "isv.insufficient-permission" | "isv.invalid-authorization" | "11" | "12" | "13" => (
            "permissions",
            "The application or the account may not make this call.",
            "Apply for the API's permission group, and see that the consent was given by this very account.",
        ),
        "AUTH_TYPE_UNSUPPORTED" => (
            "permissions",
            "This kind of application may not use tokens so.",
            "Register an application of the right category.",
        ),
        "no-token-store" => (
            "token",
            "This function may not read tokens.",
            "Ask from a function that may use the table.",
        ),
        _ => (
            "credentials",
            "AliExpress refuses the set-up.",
            "Look the code up in AliExpress's table of errors.",
        ),
    };
    Finding::bad(what, format!("{says} ({code})"), to_do)
}

async fn token(client: &Client, now: Timestamp) -> Option<Finding> {
    let tokens = client.outside.tokens.as_ref()?;
    let ends = tokens.access_ends(&client.id).await.ok()??;
    let says = format!("The access token ends at {ends}.");
    let soon = now.checked_add(TOKEN_ENDS_SOON).unwrap_or(now);
    if ends > soon {
        return Some(Finding::good("token", says));
    }
    // A renewal comes half an hour before the end, unless the consent ends first.
    Some(Finding::warning("token", says, CONSENT))
}

fn clock(client: &Client, headers: &HeaderMap, now: Timestamp) -> Finding {
    let text = headers
        .get(header::DATE)
        .and_then(|date| date.to_str().ok());
    let theirs = text.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let Some(theirs) = theirs else {
        return Finding::good("clock", "AliExpress takes our time.");
    };
    let off_s = now.duration_since(theirs.timestamp()).as_secs();
    let allowed = match client.config.gateway {
        Gateway::Sync => limits::TIMESTAMP_OFF,
        Gateway::Top(_) => limits::OLD_TIMESTAMP_OFF,
    };
    let says = format!("Our clock is {off_s} s ahead of AliExpress's.");
    if off_s.unsigned_abs() > allowed.as_secs() / 4 {
        let to_do = format!(
            "Set the clock: beyond {} s every call is refused.",
            allowed.as_secs()
        );
        return Finding::warning("clock", says, to_do);
    }
    Finding::good("clock", says)
}

fn currency(client: &Client) -> Finding {
    let currency = client.config.currency;
    Finding::good(
        "currency",
        format!("Prices are asked for and set in {currency}."),
    )
}

/// Whether orders can be paid as the secret wants it: only for listed applications, in dollars, with PayPal.
fn paying(client: &Client, root: Option<&Value>) -> Option<Finding> {
    if !client.config.pay {
        let says = "Orders are placed unpaid: somebody pays them on the site before they close.";
        return Some(Finding::good("payment", says));
    }
    let benefits = wire::BenefitsAnswer::deserialize(root?).ok()?.result;
    let mut paid = benefits
        .iter()
        .filter(|benefit| benefit.code.as_deref() == Some("auto-pay"));
    let listed = paid.any(|benefit| benefit.can_benefit == Some(true));
    Some(if !listed {
        let says = "The secret says pay, but AliExpress does not list this account for it.";
        let to_do = "Apply for auto-pay at AliExpress, or set pay to false.";
        Finding::bad("payment", says, to_do)
    } else if client.config.currency.code() != "USD" {
        let says = "The secret says pay, which works in USD alone.";
        Finding::warning("payment", says, "Set currency to USD, or pay to false.")
    } else {
        Finding::good("payment", "Orders are paid when they are placed.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marketplaces::Verdict;

    #[test]
    fn every_refusal_says_what_to_look_at_and_what_to_do() {
        let account = "aliexpress:main".parse().unwrap();
        for (kind, code, what, verdict) in [
            (
                Kind::Misconfigured,
                "AppWhiteIpLimit",
                "address allow-list",
                Verdict::Bad,
            ),
            (
                Kind::Misconfigured,
                "IllegalTimestamp",
                "clock",
                Verdict::Bad,
            ),
            (Kind::Misconfigured, "31", "clock", Verdict::Bad),
            (
                Kind::Misconfigured,
                "IncompleteSignature",
                "credentials",
                Verdict::Bad,
            ),
            (
                Kind::Misconfigured,
                "InvalidAppkey",
                "credentials",
                Verdict::Bad,
            ),
            (
                Kind::Misconfigured,
                "isv.insufficient-permission",
                "permissions",
                Verdict::Bad,
            ),
            (Kind::Misconfigured, "11", "permissions", Verdict::Bad),
            (
                Kind::Misconfigured,
                "A-new-word",
                "credentials",
                Verdict::Bad,
            ),
            (
                Kind::ConsentEnded,
                "IllegalRefreshToken",
                "token",
                Verdict::Bad,
            ),
            (
                Kind::Unreachable,
                "unreachable",
                "reachability",
                Verdict::Bad,
            ),
            (Kind::NoAnswer, "timed-out", "reachability", Verdict::Bad),
            (
                Kind::Unavailable,
                "http-502",
                "reachability",
                Verdict::Warning,
            ),
            (Kind::Throttled, "ApiCallLimit", "limits", Verdict::Warning),
            (
                Kind::Unreadable,
                "no-json-object",
                "credentials",
                Verdict::Warning,
            ),
        ] {
            let retry = Retry::After(Duration::from_secs(1));
            let error = CallError::new(&account, MEMBER_BENEFIT, kind, retry, code);
            let finding = refused(&error);
            assert_eq!((finding.what, finding.verdict), (what, verdict), "{code}");
            assert!(
                finding.says.contains(code) && !finding.to_do.is_empty(),
                "{code}"
            );
        }
    }
}
