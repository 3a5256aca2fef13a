//! What every call passes: path, right, signature, token, parameters; and the gateway's words for errors.

use std::time::Duration;

use axum::response::IntoResponse;
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use serde_json::json;

use super::Cn1688;
use super::signature::sign;
use super::state::State;
use super::types::Cn1688Operation as Operation;
use crate::answer::Answer;
use crate::answer::Call;
use crate::answer::OwnErrors;
use crate::clock::later;
use crate::form;
use crate::simulator::pass;

/// A refresh token can be prolonged this long before its end.
const LAST_DAYS: Duration = Duration::from_secs(30 * 24 * 3600);

/// A refusal of the gateway itself, or the answer of a service that refuses.
pub(super) enum Refused {
    /// HTTP 400 with a `gw.` code.
    Gateway(&'static str, String),
    /// HTTP 401.
    Token,
    /// HTTP 400 of OAuth.
    OAuth(&'static str),
    /// HTTP 200 with the service's own words.
    Service(Value),
}

impl Refused {
    pub(super) fn missing(name: &str) -> Self {
        Self::Gateway("gw.ParamMissing", format!("Missing parameter {name}"))
    }

    fn answer(self) -> Answer {
        let gateway = |status, code: &str, message: &str| {
            let body = json!({ "error_code": code, "error_message": message });
            Answer::json(status, &body)
        };
        match self {
            Self::Gateway(code, message) => gateway(StatusCode::BAD_REQUEST, code, &message),
            Self::Token => gateway(
                StatusCode::UNAUTHORIZED,
                "401",
                "Request need user authenticated",
            ),
            Self::OAuth(error) => {
                let body = json!({ "error": error, "error_description": "refused" });
                Answer::json(StatusCode::BAD_REQUEST, &body)
            }
            Self::Service(body) => Answer::json(StatusCode::OK, &body),
        }
    }
}

/// The parameters of a form.
pub(super) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(key, _)| key == name)?;
        Some(pair.1.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refused> {
        self.get(name).ok_or_else(|| Refused::missing(name))
    }

    /// A parameter that holds JSON.
    pub(super) fn json(&self, name: &str) -> Result<Value, Refused> {
        let invalid = |_| Refused::Gateway("gw.ParamMissing", format!("{name} is not JSON"));
        serde_json::from_str(self.required(name)?).map_err(invalid)
    }

    /// A whole number, with what it is where it is left out.
    pub(super) fn number(&self, name: &str, usual: u64) -> Result<u64, Refused> {
        match self.get(name) {
            None => Ok(usual),
            Some(text) => text
                .parse()
                .map_err(|_| Refused::Gateway("gw.ParamMissing", format!("{name} is no number"))),
        }
    }
}

impl Cn1688 {
    /// The gateway's refusal of what it does not know.
    pub(super) fn no_such_api() -> Response {
        let refused = Refused::Gateway("gw.APIUnsupported", "no such API".to_owned());
        refused.answer().into_response()
    }

    /// A call of /openapi; `path` is what is signed.
    pub(super) fn openapi(&self, path: &str, call: &Call) -> Response {
        let mut pairs = form::parse(call.uri.query().unwrap_or_default().as_bytes());
        if call.has_content_type("application/x-www-form-urlencoded") {
            pairs.extend(form::parse(&call.body));
        }
        let params = Params { pairs };
        let mut state = self.state();
        let parts: Vec<&str> = path.split('/').collect();
        let known = match parts.as_slice() {
            [protocol @ ("param2" | "http"), "1", space, name, key] => {
                let all = Operation::ALL.iter().copied();
                let mut named = all.filter(|one| one.name() == *name && one.space() == *space);
                named.next().map(|operation| (operation, *protocol, *key))
            }
            _ => None,
        };
        let Some((operation, protocol, key)) = known else {
            return Self::no_such_api();
        };
        pass(&mut *state, operation, own_errors, |state| {
            match state.run(operation, (protocol, path, key), &params) {
                Ok(body) => Answer::json(StatusCode::OK, &body),
                Err(refused) => refused.answer(),
            }
        })
    }
}

fn own_errors() -> OwnErrors {
    let server_error = || {
        let body = json!({ "error_code": "500", "error_message": "internal error" });
        Answer::json(StatusCode::INTERNAL_SERVER_ERROR, &body)
    };
    OwnErrors {
        too_many: too_many().answer(),
        server_error: server_error(),
        server_error_after: server_error(),
    }
}

fn too_many() -> Refused {
    let message = "App call exceeds limited frequency".to_owned();
    Refused::Gateway("gw.QosAppFrequencyLimit", message)
}

impl State {
    fn run(
        &mut self,
        operation: Operation,
        (protocol, path, key): (&str, &str, &str),
        params: &Params,
    ) -> Result<Value, Refused> {
        if key != self.config.app_key {
            let message = "AppKey is not found".to_owned();
            return Err(Refused::Gateway("gw.AppKeyNotFound", message));
        }
        if self
            .config
            .settings
            .denied
            .iter()
            .any(|denied| denied == operation.name())
        {
            let message = "AppKey is not allowed(acl)".to_owned();
            return Err(Refused::Gateway("gw.APIACLDecline", message));
        }
        let is_token = operation == Operation::GetToken;
        if !is_token {
            self.check_signature(path, params)?;
        } else if protocol != "http" && params.get("_aop_signature").is_none() {
            return Err(Refused::Gateway(
                "gw.SignatureMissing",
                "signature".to_owned(),
            ));
        }
        if self.gate.is_over_limit(operation.name(), self.now) {
            return Err(too_many());
        }
        match operation {
            Operation::GetToken => return self.get_token(params),
            Operation::PostponeToken => return self.postpone_token(params),
            Operation::Messages => return self.missed_messages(params),
            Operation::ConfirmMessages => return self.confirm_messages(params),
            _ => {}
        }
        self.check_access_token(params)?;
        match operation {
            Operation::ProductDetail => self.product_detail(params),
            Operation::Preview => self.preview(params),
            Operation::CreateOrder => self.create_order(params, true),
            Operation::FastCreateOrder => self.create_order(params, false),
            Operation::PreparePay => self.prepare_pay(params),
            Operation::PayUrl => self.pay_url(params),
            Operation::Cancel => self.cancel(params),
            Operation::OrderList => self.order_list(params),
            Operation::OrderGet => self.order_get(params),
            Operation::Logistics => self.logistics(params),
            Operation::Refunds => self.refunds(params),
            _ => self.trace(params),
        }
    }

    fn check_signature(&mut self, path: &str, params: &Params) -> Result<(), Refused> {
        let Some(given) = params.get("_aop_signature") else {
            self.counters.bad_signatures += 1;
            let message = "Missing signature".to_owned();
            return Err(Refused::Gateway("gw.SignatureMissing", message));
        };
        if given != sign(&self.config.app_secret, path, &params.pairs) {
            self.counters.bad_signatures += 1;
            let message = "Invalid signature".to_owned();
            return Err(Refused::Gateway("gw.SignatureInvalid", message));
        }
        Ok(())
    }

    fn check_access_token(&mut self, params: &Params) -> Result<(), Refused> {
        let ends_at = params
            .get("access_token")
            .and_then(|token| self.access.get(token));
        if ends_at.is_some_and(|ends_at| *ends_at > self.now) {
            return Ok(());
        }
        self.counters.unauthorized += 1;
        Err(Refused::Token)
    }

    fn check_client(&self, params: &Params) -> Result<(), Refused> {
        let fits = params.required("client_id")? == self.config.app_key
            && params.required("client_secret")? == self.config.app_secret;
        if fits {
            Ok(())
        } else {
            Err(Refused::OAuth("invalid_client"))
        }
    }

    /// A new access token. The refresh token stays.
    fn get_token(&mut self, params: &Params) -> Result<Value, Refused> {
        self.check_client(params)?;
        if params.required("grant_type")? != "refresh_token" {
            return Err(Refused::OAuth("unsupported_grant_type"));
        }
        let given = params.required("refresh_token")?;
        let live = self
            .refresh
            .as_ref()
            .filter(|(token, end)| token == given && *end > self.now);
        if live.is_none() {
            return Err(Refused::OAuth("invalid_grant"));
        }
        self.counters.refreshes += 1;
        let token = self.random.uuid();
        let life_s = self.config.settings.access_token_s;
        let ends_at = later(self.now, Duration::from_secs(life_s));
        self.access.insert(token.clone(), ends_at);
        Ok(json!({
            "access_token": token,
            "aliId": "8888888888",
            "resource_owner": "simulated",
            "memberId": self.config.member_id,
            "expires_in": life_s.to_string(),
        }))
    }

    fn postpone_token(&mut self, params: &Params) -> Result<Value, Refused> {
        self.check_client(params)?;
        self.check_access_token(params)?;
        let given = params.required("refresh_token")?;
        let live = self
            .refresh
            .as_ref()
            .filter(|(token, end)| token == given && *end > self.now);
        let Some((_, ends_at)) = live else {
            return Err(Refused::OAuth("invalid_grant"));
        };
        if later(self.now, LAST_DAYS) < *ends_at {
            return Err(Refused::OAuth("refresh_token_not_in_last_30_days"));
        }
        let token = self.random.uuid();
        let life = Duration::from_secs(self.config.settings.refresh_token_s);
        let ends_at = later(self.now, life);
        self.refresh = Some((token.clone(), ends_at));
        self.counters.postponed += 1;
        Ok(json!({
            "access_token": params.required("access_token")?,
            "refresh_token": token,
            "expires_in": self.config.settings.access_token_s.to_string(),
            "refresh_token_timeout": format!("{}-0000", ends_at.strftime("%Y%m%d%H%M%S%3f")),
        }))
    }
}
