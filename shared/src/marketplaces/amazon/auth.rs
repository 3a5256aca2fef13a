//! How tokens are got from Login with Amazon: for the seller by the refresh token, kept in the token store and shared by
//! all functions; for the application alone by its credentials and a scope, kept in this process
//! (developer-docs.amazon.com/sp-api, "Connecting to the Selling Partner API").

use super::{
    config::Config,
    error::{Fault, Operation},
    limits, wire,
};
use crate::{
    domain::AccountId,
    marketplaces::{CallError, FreshToken, Kind, Outside, Refresh, Retry, UserTokens},
    secrets::Secret,
};
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::form_urlencoded;
use zeroize::Zeroizing;

/// What the application may do without a seller.
const GRANTLESS_SCOPE: &str = "sellingpartnerapi::notifications";

/// The longest life of a token that is believed, in seconds. Amazon's live 3,600.
const LONGEST_LIFE_S: i64 = 86_400;

/// Gets tokens.
pub(super) struct Auth {
    account: AccountId,
    config: Config,
    outside: Outside,
    user_tokens: Option<Arc<dyn UserTokens>>,
    grantless: Mutex<Option<(Secret, Timestamp)>>,
}

impl Auth {
    pub(super) fn new(
        account: AccountId,
        config: Config,
        outside: Outside,
        user_tokens: Option<Arc<dyn UserTokens>>,
    ) -> Self {
        Self {
            account,
            config,
            outside,
            user_tokens,
            grantless: Mutex::new(None),
        }
    }

    /// A token that acts for the seller.
    pub(super) async fn user_token(&self) -> Result<Secret, CallError> {
        let Some(tokens) = &self.user_tokens else {
            let fault = self.fault(Operation::RefreshToken);
            return Err(fault.not_sent(Kind::Misconfigured, Retry::Person, "no-token-store"));
        };
        let seed = &self.config.refresh_token;
        tokens.access(&self.account, seed, self).await
    }

    /// Amazon refused this token of the seller.
    pub(super) async fn user_token_refused(&self, token: &Secret) -> Result<(), CallError> {
        match &self.user_tokens {
            Some(tokens) => tokens.refused(&self.account, token).await,
            None => Ok(()),
        }
    }

    /// A token that acts for the application alone.
    pub(super) async fn grantless_token(&self) -> Result<Secret, CallError> {
        let now = self.outside.clock.now();
        if let Some((token, until)) = &*self.kept()
            && now < *until
        {
            return Ok(token.clone());
        }
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", GRANTLESS_SCOPE),
        ];
        let fresh = self.ask(Operation::GrantlessToken, &form).await?;
        let until = fresh.expires_at.saturating_sub(limits::TOKEN_MARGIN);
        *self.kept() = Some((fresh.access.clone(), until.unwrap_or(now)));
        Ok(fresh.access)
    }

    /// Amazon refused the application's token.
    pub(super) fn grantless_token_refused(&self) {
        *self.kept() = None;
    }

    fn kept(&self) -> MutexGuard<'_, Option<(Secret, Timestamp)>> {
        self.grantless
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    const fn fault(&self, operation: Operation) -> Fault<'_> {
        Fault {
            account: &self.account,
            operation,
        }
    }

    async fn ask(
        &self,
        operation: Operation,
        form: &[(&str, &str)],
    ) -> Result<FreshToken, CallError> {
        let fault = self.fault(operation);
        // The time before the call, so that the token rather ends too early.
        let asked_at = self.outside.clock.now();
        let request = self
            .request(form)
            .ok_or_else(|| fault.not_sent(Kind::Misconfigured, Retry::Person, "request"))?;
        let answer = self.outside.http.send(request).await;
        let answer = answer.map_err(|error| fault.no_answer(&error))?;
        if !answer.status().is_success() {
            let wait = limits::TOKEN_THROTTLED_WAIT;
            let error = fault.answered(answer.status(), answer.body(), wait);
            tracing::warn!(%error, "Amazon gave no access token.");
            return Err(error);
        }
        let token: wire::Token =
            serde_json::from_slice(answer.body()).map_err(|error| fault.unreadable(&error))?;
        let access = token
            .access_token
            .ok_or_else(|| fault.meaningless("access_token"))?;
        // The token goes into a header; only what can stand there is a token.
        if access.expose().is_empty() || HeaderValue::from_str(access.expose()).is_err() {
            return Err(fault.meaningless("access_token"));
        }
        let life_s = token
            .expires_in
            .ok_or_else(|| fault.meaningless("expires_in"))?;
        let life = SignedDuration::from_secs(life_s.clamp(0, LONGEST_LIFE_S));
        // Amazon sends the refresh token back; an empty one would end the consent.
        let refresh = token
            .refresh_token
            .filter(|token| !token.expose().is_empty());
        Ok(FreshToken {
            access,
            expires_at: asked_at.checked_add(life).unwrap_or(asked_at),
            refresh,
        })
    }

    fn request(&self, form: &[(&str, &str)]) -> Option<Request<Bytes>> {
        // The application's secret and the refresh token leave in this request's body alone.
        let body = Zeroizing::new(
            form_urlencoded::Serializer::new(String::new())
                .extend_pairs(form)
                .append_pair("client_id", &self.config.client_id)
                .append_pair("client_secret", self.config.client_secret.expose())
                .finish(),
        );
        Request::builder()
            .method(Method::POST)
            .uri(&self.config.token_endpoint)
            .header(header::ACCEPT, "application/json")
            .header(
                header::CONTENT_TYPE,
                "application/x-www-form-urlencoded;charset=UTF-8",
            )
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .ok()
    }
}

#[async_trait]
impl Refresh for Auth {
    async fn refresh(&self, refresh_token: &Secret) -> Result<FreshToken, CallError> {
        let form = [
            ("grant_type", "refresh_token"),
            // Sent to the token server, which is what it is for.
            ("refresh_token", refresh_token.expose()),
        ];
        self.ask(Operation::RefreshToken, &form).await
    }
}
