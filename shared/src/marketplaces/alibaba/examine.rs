//! What is looked at on both platforms: whether they answer, the token and its end, the clock, the permission.

use crate::domain::AccountId;
use crate::marketplaces::{CallError, Finding, Kind, Outside, Retry};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

/// Clocks that differ by less are one.
const CLOCKS_AGREE: SignedDuration = SignedDuration::from_secs(60);

/// How far our clock is from the platform's, by the `Date` of its answer.
pub(super) fn clock(headers: &HeaderMap, now: Timestamp, allowed: SignedDuration) -> Finding {
    let date = headers.get(http::header::DATE);
    let theirs = date
        .and_then(|date| date.to_str().ok())
        .and_then(|text| jiff::fmt::rfc2822::parse(text).ok())
        .map(|zoned| zoned.timestamp());
    let Some(theirs) = theirs else {
        let to_do = "Nothing, as long as signatures are taken.";
        return Finding::warning("clock", "The answer names no time to compare with.", to_do);
    };
    let apart = now.duration_since(theirs).abs();
    let says = format!("The clocks are {} s apart.", apart.as_secs());
    if apart <= CLOCKS_AGREE {
        Finding::good("clock", says)
    } else if apart <= allowed {
        Finding::warning("clock", says, "Set this machine's clock by NTP.")
    } else {
        Finding::bad(
            "clock",
            says,
            "Set this machine's clock by NTP: requests are refused.",
        )
    }
}

/// Whether the platform answered at all.
pub(super) fn reached(base: &str, error: Option<&CallError>) -> Finding {
    match error.map(|error| error.kind) {
        Some(kind @ (Kind::Unreachable | Kind::NoAnswer)) => {
            let says = format!("{base} does not answer ({kind:?}).");
            Finding::bad("reachability", says, "Check the network and `environment`.")
        }
        _ => Finding::good("reachability", format!("{base} answers.")),
    }
}

/// What a signed call for the account came to: the application's key, its signature, its right to the call.
pub(super) fn permission(error: Option<&CallError>) -> Finding {
    let Some(error) = error else {
        let says = "The application may read the account's orders.";
        return Finding::good("permission", says);
    };
    let says = format!("Reading orders gives {:?} {}.", error.kind, error.code);
    match (error.kind, error.retry) {
        (Kind::ConsentEnded | Kind::TokenInvalid, _) => {
            let to_do = "Renew the consent and put the new refresh token into the secret.";
            Finding::bad("permission", says, to_do)
        }
        (_, Retry::After(_)) => Finding::warning("permission", says, "Look again in a while."),
        _ => {
            let to_do = "Check `app_key`, `app_secret` and the application's permissions in the platform's console.";
            Finding::bad("permission", says, to_do)
        }
    }
}

/// The access token and when it ends.
pub(super) async fn token(
    outside: &Outside,
    account: &AccountId,
    got: Result<(), CallError>,
) -> Finding {
    const RENEW: &str = "Renew the consent and put the new refresh token into the secret.";
    if let Err(error) = got {
        let says = format!("There is no access token: {:?} {}.", error.kind, error.code);
        return Finding::bad("token", says, RENEW);
    }
    let ends_at = match &outside.tokens {
        Some(tokens) => tokens.access_ends(account).await.ok().flatten(),
        None => None,
    };
    match ends_at {
        Some(at) => Finding::good("token", format!("The access token is valid until {at}.")),
        None => Finding::good("token", "There is an access token."),
    }
}

/// The end of the consent, as far as the secret names it.
pub(super) fn consent(ends_at: Option<Timestamp>, now: Timestamp) -> Option<Finding> {
    const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
    const RENEW: &str =
        "Renew the consent and put the new refresh token and its end into the secret.";
    let ends_at = ends_at?;
    let says = format!("The refresh token of the secret ends at {ends_at}.");
    let left = ends_at.duration_since(now);
    Some(if left < SOON {
        Finding::warning("consent", says, RENEW)
    } else {
        Finding::good("consent", says)
    })
}
