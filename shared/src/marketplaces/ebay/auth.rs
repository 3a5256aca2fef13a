//! How tokens are got: a user token for the seller's refresh token, kept in the token store and shared by all
//! functions, and an application token for public keys, kept in this process (developer.ebay.com, "OAuth: refresh token
//! request" and "client credentials grant").

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
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::form_urlencoded;

/// Enough for public keys.
const APPLICATION_SCOPE: &str = "https://api.ebay.com/oauth/api_scope";

/// Gets tokens.
pub(super) struct Auth {
    account: AccountId,
    config: Config,
    outside: Outside,
    user_tokens: Option<Arc<dyn UserTokens>>,
    application: Mutex<Option<(Secret, Timestamp)>>,
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
            application: Mutex::new(None),
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

    /// eBay refused this user token.
    pub(super) async fn user_token_refused(&self, token: &Secret) -> Result<(), CallError> {
        match &self.user_tokens {
            Some(tokens) => tokens.refused(&self.account, token).await,
            None => Ok(()),
        }
    }

    /// A token that acts for the application alone.
    pub(super) async fn application_token(&self) -> Result<Secret, CallError> {
        let now = self.outside.clock.now();
        if let Some((token, until)) = &*self.kept()
            && now < *until
        {
            return Ok(token.clone());
        }
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", APPLICATION_SCOPE),
        ];
        let fresh = self.ask(Operation::ApplicationToken, &form).await?;
        let until = fresh.expires_at.saturating_sub(limits::TOKEN_MARGIN);
        *self.kept() = Some((fresh.access.clone(), until.unwrap_or(now)));
        Ok(fresh.access)
    }

    /// Whether the seller's consent has a scope, by asking for a token of it alone. That token is dropped.
    pub(super) async fn has_scope(&self, scope: &str) -> Result<bool, CallError> {
        let form = [
            ("grant_type", "refresh_token"),
            // Sent to eBay's token endpoint, which is what it is for.
            ("refresh_token", self.config.refresh_token.expose()),
            ("scope", scope),
        ];
        match self.ask(Operation::RefreshToken, &form).await {
            Ok(_) => Ok(true),
            Err(error) if error.code == "invalid_scope" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// eBay refused the application token.
    pub(super) fn application_token_refused(&self) {
        *self.kept() = None;
    }

    fn kept(&self) -> MutexGuard<'_, Option<(Secret, Timestamp)>> {
        self.application
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
        let asked_at = self.outside.clock.now();
        let request = self
            .request(form)
            .ok_or_else(|| fault.not_sent(Kind::Misconfigured, Retry::Person, "request"))?;
        let answer = self.outside.http.send(request).await;
        let answer = answer.map_err(|error| fault.no_answer(&error))?;
        if !answer.status().is_success() {
            return Err(fault.answered(answer.status(), answer.headers(), answer.body()));
        }
        let token: wire::Token =
            serde_json::from_slice(answer.body()).map_err(|error| fault.unreadable(&error))?;
        // The token goes into a header; only what can stand there is a token.
        let access = token.access_token.expose();
        if access.is_empty() || HeaderValue::from_str(access).is_err() {
            return Err(fault.meaningless("access_token"));
        }
        let life = SignedDuration::from_secs(token.expires_in.clamp(0, 86_400));
        Ok(FreshToken {
            access: token.access_token,
            expires_at: asked_at.checked_add(life).unwrap_or(asked_at),
            refresh: token.refresh_token,
        })
    }

    fn request(&self, form: &[(&str, &str)]) -> Option<Request<Bytes>> {
        // Both secrets leave in this request alone: the pair in its header, the refresh token in its body.
        let pair = format!(
            "{}:{}",
            self.config.client_id,
            self.config.client_secret.expose()
        );
        let mut basic = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).ok()?;
        basic.set_sensitive(true);
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        Request::builder()
            .method(Method::POST)
            .uri(format!("{}/identity/v1/oauth2/token", self.config.api))
            .header(header::AUTHORIZATION, basic)
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_LANGUAGE, &self.config.locale)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.into())
            .ok()
    }
}

#[async_trait]
impl Refresh for Auth {
    async fn refresh(&self, refresh_token: &Secret) -> Result<FreshToken, CallError> {
        let form = [
            ("grant_type", "refresh_token"),
            // Sent to eBay's token endpoint, which is what it is for.
            ("refresh_token", refresh_token.expose()),
        ];
        // Without a scope the token has all that the seller consented to. A list of ours would be refused whole where
        // the consent lacks one of it.
        self.ask(Operation::RefreshToken, &form).await
    }
}
