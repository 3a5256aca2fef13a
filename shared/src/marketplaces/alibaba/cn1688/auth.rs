//! How an access token is renewed: `POST /openapi/http/1/system.oauth2/getToken/{app_key}`, which is not signed. An access
//! token lives ten hours, a refresh token about half a year; in its last 30 days it can be prolonged by
//! `system.oauth2/postponeToken`, which is what keeps a person away.

use super::{client, config::Config, error::Call, limits, signature, wire::TokenAnswer};
use crate::domain::AccountId;
use crate::marketplaces::{CallError, FreshToken, Outside, Refresh};
use crate::secrets::Secret;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// Renews the tokens of one account.
pub(super) struct Renewer<'a> {
    pub(super) account: &'a AccountId,
    pub(super) config: &'a Config,
    pub(super) outside: &'a Outside,
}

#[async_trait]
impl Refresh for Renewer<'_> {
    async fn refresh(&self, refresh_token: &Secret) -> Result<FreshToken, CallError> {
        let call = self.call(client::GET_TOKEN);
        let now = self.outside.clock.now();
        // The secret and the refresh token are what this call sends; it is not signed.
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", self.config.app_key.as_str()),
            ("client_secret", self.config.app_secret.expose()),
            ("refresh_token", refresh_token.expose()),
        ];
        let path = format!("http/1/system.oauth2/getToken/{}", self.config.app_key);
        let answer = self.post(&call, &path, &form).await?;
        let mut fresh = fresh_token(&call, answer, now)?;
        if self.ends_soon(now) {
            let kept = fresh.refresh.clone();
            let kept = kept.unwrap_or_else(|| refresh_token.clone());
            match self.prolong(&kept, &fresh.access).await {
                Ok(prolonged) => fresh.refresh = prolonged.or(fresh.refresh),
                // The token that is there works on; it is tried again with the next renewal.
                Err(error) => {
                    tracing::warn!(account = %self.account, %error, "A refresh token could not be prolonged.");
                }
            }
        }
        Ok(fresh)
    }
}

impl Renewer<'_> {
    const fn call(&self, operation: &'static str) -> Call<'_> {
        Call {
            account: self.account,
            operation,
        }
    }

    fn ends_soon(&self, now: Timestamp) -> bool {
        let before = SignedDuration::try_from(limits::PROLONGED_BEFORE_END).unwrap_or_default();
        let ends_at = self.config.refresh_token_ends;
        ends_at.is_some_and(|at| at.duration_since(now) <= before)
    }

    /// A new refresh token in place of one that ends soon; none where the platform keeps the old one.
    async fn prolong(
        &self,
        refresh_token: &Secret,
        access: &Secret,
    ) -> Result<Option<Secret>, CallError> {
        let call = self.call(client::POSTPONE_TOKEN);
        let path = format!(
            "param2/1/system.oauth2/postponeToken/{}",
            self.config.app_key
        );
        // Both tokens and the secret are what this call sends.
        let mut form = vec![
            ("client_id", self.config.app_key.as_str()),
            ("client_secret", self.config.app_secret.expose()),
            ("refresh_token", refresh_token.expose()),
            ("access_token", access.expose()),
        ];
        let sign = signature::sign(&self.config.app_secret, &path, form.iter().copied());
        let sign = sign.unwrap_or_default();
        form.push(("_aop_signature", &sign));
        let answer = self.post(&call, &path, &form).await?;
        Ok(answer.refresh_token.map(Secret::new))
    }

    async fn post(
        &self,
        call: &Call<'_>,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<TokenAnswer, CallError> {
        let url = format!("{}/openapi/{path}", self.config.base);
        let request = client::form_request(call, &url, form)?;
        let answer = self.outside.http.send(request).await;
        let answer = answer.map_err(|error| call.unanswered(&error))?;
        let root = call.root(answer.status(), answer.body())?;
        TokenAnswer::deserialize(root).map_err(|_| call.unreadable("token"))
    }
}

/// Reads the answer. `now` is the time before the call, so that the token rather ends too early.
fn fresh_token(
    call: &Call<'_>,
    answer: TokenAnswer,
    now: Timestamp,
) -> Result<FreshToken, CallError> {
    let access = answer.access_token;
    let access = access.ok_or_else(|| call.unreadable("access_token"))?;
    let life = answer.expires_in.filter(|seconds| *seconds > 0);
    let life = life.ok_or_else(|| call.unreadable("expires_in"))?;
    let expires_at = now
        .checked_add(SignedDuration::from_secs(life))
        .map_err(|_| call.unreadable("expires_in"))?;
    Ok(FreshToken {
        access: Secret::new(access),
        expires_at,
        refresh: answer.refresh_token.map(Secret::new),
    })
}
