//! The calls: how any of them is sent. What each is for stands beside.
//!
//! | file | calls |
//! |---|---|
//! | `orders.rs` | orders and parcels |
//! | `listings.rs` | quantity and price |
//! | `refunds.rs` | refunds |
//! | `setup.rs` | subscriptions and quotas |
//! | `../trading/client.rs` | the Trading API's |

mod listings;
mod orders;
mod refunds;
mod setup;

use super::{
    auth::Auth,
    config::Config,
    convert::BadField,
    error::{Fault, Operation},
    limits,
    signature::requests::{Signed, Signer},
    wire,
};
use crate::{
    domain::AccountId,
    marketplaces::{CallError, Kind, Outside, Retry, UserTokens, in_time},
    secrets::Secret,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, header};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use url::Url;

/// Everything but RFC 3986's unreserved characters is encoded in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Calls eBay for one account.
pub(super) struct Client {
    pub(super) account: AccountId,
    pub(super) config: Config,
    pub(super) outside: Outside,
    pub(super) auth: Auth,
    signer: Option<Signer>,
    /// When eBay was last asked for the application's own quotas.
    quotas_learned_at: Mutex<Option<Timestamp>>,
}

/// For whom a call is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The account's seller, with the token of the consent.
    Seller,
    /// The application alone.
    Application,
}

/// A call before its token is known.
struct Call {
    operation: Operation,
    method: Method,
    path: String,
    body: Bytes,
    /// The end of the lease under which it is made; MAX where it needs none.
    not_after: Timestamp,
    /// Whether it is signed where the account has a key.
    signed: bool,
}

impl Client {
    pub(super) fn new(
        account: AccountId,
        config: Config,
        outside: Outside,
        user_tokens: Option<Arc<dyn UserTokens>>,
    ) -> Self {
        let key = config.signing_key.as_ref();
        Self {
            // The configuration let only a key pass that makes a signer.
            signer: key.and_then(|key| Signer::new(&key.jwe, &key.private_key).ok()),
            auth: Auth::new(
                account.clone(),
                config.clone(),
                outside.clone(),
                user_tokens,
            ),
            account,
            config,
            outside,
            quotas_learned_at: Mutex::new(None),
        }
    }

    /// getPublicKey (Notification API), with an application token.
    pub(super) async fn public_key(&self, kid: &str) -> Result<wire::PublicKey, CallError> {
        let kid = utf8_percent_encode(kid, SEGMENT);
        let path = format!("/commerce/notification/v1/public_key/{kid}");
        let call = Call::get(Operation::GetPublicKey, path);
        self.read(&call, Caller::Application).await
    }

    /// The errors of this account's calls of an operation.
    pub(super) const fn fault(&self, operation: Operation) -> Fault<'_> {
        Fault {
            account: &self.account,
            operation,
        }
    }

    fn json(&self, operation: Operation, body: &impl serde::Serialize) -> Result<Bytes, CallError> {
        let unsent = |_| {
            self.fault(operation)
                .not_sent(Kind::Refused, Retry::Permanent, "request")
        };
        serde_json::to_vec(body).map(Bytes::from).map_err(unsent)
    }

    async fn read<T: DeserializeOwned>(&self, call: &Call, caller: Caller) -> Result<T, CallError> {
        let answer = self.send(call, caller).await?;
        serde_json::from_slice(answer.body())
            .map_err(|error| self.fault(call.operation).unreadable(&error))
    }

    /// Sends a call; where eBay refuses the token, once more with a new one. A refused token means that nothing was done.
    async fn send(&self, call: &Call, caller: Caller) -> Result<Response<Bytes>, CallError> {
        let token = self.token(caller).await?;
        match self.send_with(call, caller, &token).await {
            Err(error) if error.kind == Kind::TokenInvalid => {
                let token = self.another_token(caller, &token).await?;
                self.send_with(call, caller, &token).await
            }
            outcome => outcome,
        }
    }

    /// A token in the place of one that eBay refused.
    pub(super) async fn another_token(
        &self,
        caller: Caller,
        refused: &Secret,
    ) -> Result<Secret, CallError> {
        match caller {
            Caller::Seller => self.auth.user_token_refused(refused).await?,
            Caller::Application => self.auth.application_token_refused(),
        }
        self.token(caller).await
    }

    pub(super) async fn token(&self, caller: Caller) -> Result<Secret, CallError> {
        match caller {
            Caller::Seller => self.auth.user_token().await,
            Caller::Application => self.auth.application_token().await,
        }
    }

    async fn send_with(
        &self,
        call: &Call,
        caller: Caller,
        token: &Secret,
    ) -> Result<Response<Bytes>, CallError> {
        let request = self.request(call, caller, token).ok_or_else(|| {
            let fault = self.fault(call.operation);
            fault.not_sent(Kind::Misconfigured, Retry::Person, "request")
        })?;
        self.dispatch(call.operation, call.not_after, request).await
    }

    /// Sends a request within its limit and its lease. Any answer but 2xx is an error.
    pub(super) async fn dispatch(
        &self,
        operation: Operation,
        not_after: Timestamp,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, CallError> {
        let fault = self.fault(operation);
        if let Some(quota) = limits::quota(operation) {
            let (name, limit, traffic) = (quota.name, quota.limit, quota.traffic);
            let allowed = self.outside.allow(&self.account, name, limit, traffic);
            if let Err(error) = allowed.await {
                if quota.is_hearsay {
                    self.learn_quotas().await;
                }
                let operation = operation.name();
                return Err(CallError { operation, ..error });
            }
        }
        // Last: whatever came before may have taken longer than the lease.
        if !in_time(not_after, self.outside.clock.now()) {
            let retry = Retry::After(Duration::ZERO);
            return Err(fault.not_sent(Kind::TooLate, retry, "lease-over"));
        }
        let answer = self.outside.http.send(request).await;
        let answer = answer.map_err(|error| fault.no_answer(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let error = fault.answered(answer.status(), answer.headers(), answer.body());
        self.note_refusal(operation, &error).await;
        Err(error)
    }

    /// Tells all functions of a refusal for too many calls.
    pub(super) async fn note_refusal(&self, operation: Operation, error: &CallError) {
        if let (Kind::Throttled, Retry::After(wait), Some(quota)) =
            (error.kind, error.retry, limits::quota(operation))
        {
            let (name, limit) = (quota.name, quota.limit);
            let noted = self
                .outside
                .refused_for_limit(&self.account, name, limit, wait);
            noted.await;
        }
    }

    fn request(&self, call: &Call, caller: Caller, token: &Secret) -> Option<Request<Bytes>> {
        // The token is what opens the API; it leaves in this header alone.
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.config.api, call.path))
            .header(header::AUTHORIZATION, bearer)
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_LANGUAGE, &self.config.locale);
        if caller == Caller::Seller {
            request = request.header("x-ebay-c-marketplace-id", &self.config.marketplace_id);
        }
        if !call.body.is_empty() {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::CONTENT_LANGUAGE, &self.config.locale);
        }
        let mut request = request.body(call.body.clone()).ok()?;
        if let Some(signer) = self.signer.as_ref().filter(|_| call.signed) {
            for (name, value) in self.signature(signer, &request)? {
                let name = HeaderName::from_static(name);
                let value = HeaderValue::from_str(&value).ok()?;
                request.headers_mut().insert(name, value);
            }
        }
        Some(request)
    }

    fn signature(
        &self,
        signer: &Signer,
        request: &Request<Bytes>,
    ) -> Option<Vec<(&'static str, String)>> {
        // As the URL has it: small letters, and no port where it is the scheme's own (RFC 9421, 2.2.3).
        let url = Url::parse(&request.uri().to_string()).ok()?;
        let host = url.host_str()?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Some(signer.headers(&Signed {
            method: request.method().as_str(),
            path: url.path(),
            authority: &authority,
            body: request.body(),
            created: self.outside.clock.now().as_second(),
        }))
    }

    /// The latest time that eBay is sure to take for the past.
    pub(super) fn safely_past(&self) -> Timestamp {
        let margin = SignedDuration::from_millis(limits::CLOCK_MARGIN_MS);
        let now = self.outside.clock.now();
        now.checked_sub(margin).unwrap_or(now)
    }

    pub(super) fn bad(&self, operation: Operation, field: BadField) -> CallError {
        self.fault(operation).meaningless(field.0)
    }
}

impl Call {
    const fn get(operation: Operation, path: String) -> Self {
        Self::with(operation, Method::GET, path, Bytes::new())
    }

    const fn with(operation: Operation, method: Method, path: String, body: Bytes) -> Self {
        Self {
            operation,
            method,
            path,
            body,
            not_after: Timestamp::MAX,
            signed: false,
        }
    }
}
