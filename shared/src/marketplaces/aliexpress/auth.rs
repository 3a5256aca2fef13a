//! How an access token is renewed: `POST /rest/auth/token/refresh`, signed with its path in front. An account of the old
//! gateway renews here too, because the old token service is superseded.

use super::{client, config::Config, error::Call, signature, wire::TokenAnswer};
use crate::domain::AccountId;
use crate::marketplaces::{CallError, FreshToken, Kind, Outside, Refresh, Retry};
use crate::secrets::Secret;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// Renews the tokens of one account.
pub(super) struct Renewer<'a> {
    pub(super) account: &'a AccountId,
    pub(super) config: &'a Config,
    pub(super) outside: &'a Outside,
}

#[async_trait]
impl Refresh for Renewer<'_> {
    async fn refresh(&self, refresh_token: &Secret) -> Result<FreshToken, CallError> {
        let call = Call {
            account: self.account,
            operation: client::TOKEN_REFRESH,
        };
        let now = self.outside.clock.now();
        let timestamp = now.as_millisecond().to_string();
        // The refresh token is what this call sends.
        let parameters = [
            ("app_key", self.config.app_key.as_str()),
            ("sign_method", "sha256"),
            ("timestamp", &timestamp),
            ("refresh_token", refresh_token.expose()),
        ];
        let url = format!("{}/rest{}", self.config.base, client::TOKEN_REFRESH);
        let secret = &self.config.app_secret;
        let sign = signature::sign(
            signature::Scheme::Sha256,
            secret,
            client::TOKEN_REFRESH,
            parameters,
        );
        let request = client::form_request(&call, &url, &parameters, sign)?;
        let answer = self.outside.http.send(request).await;
        let answer = answer.map_err(|error| call.unanswered(&error))?;
        let root = call.root(answer.status(), answer.body())?;
        fresh_token(&call, &root, now)
    }
}

/// Reads the answer. `now` is the time before the call, so that the token rather ends too early. The marketplace's own
/// `expire_time` is left alone: its clock is not ours.
fn fresh_token(call: &Call<'_>, root: &Value, now: Timestamp) -> Result<FreshToken, CallError> {
    let answer = TokenAnswer::deserialize(root).map_err(|_| call.unreadable("token"))?;
    let consent_ends = answer.refresh_expires_in;
    let Some(access) = answer.access_token else {
        if consent_ends == Some(0) {
            return Err(call.ours(Kind::ConsentEnded, Retry::Person, "refresh_expires_in:0"));
        }
        return Err(call.unreadable("access_token"));
    };
    let life = answer.expires_in.filter(|seconds| *seconds > 0);
    let life = life.ok_or_else(|| call.unreadable("expires_in"))?;
    let expires_at = now
        .checked_add(SignedDuration::from_secs(life))
        .map_err(|_| call.unreadable("expires_in"))?;
    // A renewal does not prolong the consent. This token is used to its end, but no other follows it.
    if let Some(consent_ends_s) = consent_ends.filter(|seconds| *seconds < life) {
        let account = call.account.to_string();
        tracing::warn!(
            account,
            consent_ends_s,
            "the consent ends before its access token does; a person has to renew it"
        );
    }
    Ok(FreshToken {
        access: Secret::new(access),
        expires_at,
        refresh: answer.refresh_token.map(Secret::new),
    })
}
