//! What every call passes: parameters, application key, timestamp, signature, token; and the gateway's words for errors.

use axum::response::IntoResponse;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::Icbu;
use super::state::State;
use super::types::IcbuOperation as Operation;
use crate::aliexpress::signature::SignMethod;
use crate::aliexpress::signature::sign;
use crate::answer::Answer;
use crate::answer::Call;
use crate::answer::OwnErrors;
use crate::form;
use crate::simulator::pass;

const MAX_SKEW_S: i64 = 7_200;

/// Why a call is refused: `code`, whose fault it is, and a text.
pub(super) struct Refused {
    pub(super) code: &'static str,
    kind: &'static str,
    message: String,
}

impl Refused {
    /// The caller's fault.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            kind: "ISV",
            message: message.into(),
        }
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!("The input parameter \"{parameter}\" is not supplied");
        Self::new("MissingParameter", message)
    }

    pub(super) fn invalid(parameter: &str) -> Self {
        let message = format!("The parameter \"{parameter}\" is invalid");
        Self::new("InvalidParameter", message)
    }

    fn answer(&self, status: StatusCode, xml: bool, request_id: &str) -> Answer {
        let Self {
            code,
            kind,
            message,
        } = self;
        if xml {
            // Texts here have no character that XML would need escaped but the quotation mark, which text may hold.
            return Answer::xml(
                status,
                format!(
                    "<?xml version=\"1.0\" encoding=\"utf-8\" ?><error_response><code>{code}</code>\
                     <msg>{message}</msg><request_id>{request_id}</request_id></error_response>"
                ),
            );
        }
        let body =
            json!({ "type": kind, "code": code, "message": message, "request_id": request_id });
        Answer::json(status, &body)
    }
}

/// The parameters of a call, from query and form together.
pub(super) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    fn of(call: &Call) -> Self {
        let mut pairs = form::parse(call.uri.query().unwrap_or_default().as_bytes());
        if call.has_content_type("application/x-www-form-urlencoded") {
            pairs.extend(form::parse(&call.body));
        }
        Self { pairs }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(key, _)| key == name)?;
        Some(pair.1.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&str, Refused> {
        self.get(name).ok_or_else(|| Refused::missing(name))
    }

    /// A parameter that holds JSON.
    pub(super) fn json(&self, name: &'static str) -> Result<Value, Refused> {
        serde_json::from_str(self.required(name)?).map_err(|_| Refused::invalid(name))
    }
}

/// A text field of a JSON parameter that must be there.
pub(super) fn text<'a>(value: &'a Value, name: &'static str) -> Result<&'a str, Refused> {
    let text = value[name].as_str().filter(|text| !text.is_empty());
    text.ok_or_else(|| Refused::missing(name))
}

impl Icbu {
    /// The gateway's refusal of what it does not know.
    pub(super) fn no_such_api(&self) -> Response {
        let mut state = self.state();
        let request_id = state.request_id();
        let xml = state.config.settings.errors_in_xml;
        let refused = Refused::new("InvalidApiPath", "The specified API Path is invalid");
        let answer = refused.answer(StatusCode::OK, xml, &request_id);
        answer.into_response()
    }

    /// A call on /rest, which is signed with its path in front.
    pub(super) fn rest(&self, path: &str, call: &Call) -> Response {
        let params = Params::of(call);
        let mut state = self.state();
        let request_id = state.request_id();
        let xml = state.config.settings.errors_in_xml;
        let mut known = Operation::ALL.iter().copied();
        let Some(operation) = known.find(|one| one.name() == path) else {
            drop(state);
            return self.no_such_api();
        };
        pass(
            &mut *state,
            operation,
            || own_errors(xml, &request_id),
            |state| match state.run(operation, &params) {
                Ok(mut fields) => {
                    fields["code"] = json!("0");
                    fields["request_id"] = json!(request_id);
                    Answer::json(StatusCode::OK, &fields)
                }
                Err(refused) => refused.answer(StatusCode::OK, xml, &request_id),
            },
        )
    }
}

fn call_limit() -> Refused {
    let message = "Api access frequency exceeds the limit. this ban will last 1 seconds";
    Refused::new("ApiCallLimit", message)
}

fn own_errors(xml: bool, request_id: &str) -> OwnErrors {
    let unavailable = Refused {
        code: "ServiceUnavailable",
        kind: "ISP",
        message: "The request has failed due to a temporary failure of the server".to_owned(),
    };
    let answer = |status| unavailable.answer(status, xml, request_id);
    OwnErrors {
        too_many: call_limit().answer(StatusCode::OK, xml, request_id),
        server_error: answer(StatusCode::INTERNAL_SERVER_ERROR),
        server_error_after: answer(StatusCode::OK),
    }
}

impl State {
    fn run(&mut self, operation: Operation, params: &Params) -> Result<Value, Refused> {
        self.check_request(operation.name(), params)?;
        if self.gate.is_over_limit(operation.name(), self.now) {
            return Err(call_limit());
        }
        if operation == Operation::TokenRefresh {
            return self.refresh_token(params);
        }
        self.check_access_token(params)?;
        match operation {
            Operation::ProductCheck => self.product_check(params),
            Operation::Description => self.description(params),
            Operation::Inventory => self.inventory(params),
            Operation::BasicFreight => self.basic_freight(params),
            Operation::Freight => self.freight(params),
            Operation::OrderCreate => self.order_create(params),
            Operation::OrderPay => self.order_pay(params),
            Operation::OrderList => self.order_list(params),
            Operation::OrderGet => self.order_get(params),
            Operation::Tracking => self.tracking(params),
            _ => self.logistics(params),
        }
    }

    fn check_request(&mut self, path: &str, params: &Params) -> Result<(), Refused> {
        if params.required("app_key")? != self.config.app_key {
            return Err(Refused::new(
                "InvalidAppKey",
                "The specified App Key is invalid",
            ));
        }
        let sent = params.required("timestamp")?.parse().ok();
        let sent = sent.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let skew_s = sent.map(|at| (at.as_second() - self.now.as_second()).abs());
        if skew_s.is_none_or(|skew_s| skew_s > MAX_SKEW_S) {
            let message = "The specified timestamp is invalid or too far from the server's time";
            return Err(Refused::new("IllegalTimestamp", message));
        }
        if params.required("sign_method")? != "sha256" {
            return Err(Refused::invalid("sign_method"));
        }
        let given = params.required("sign")?;
        let secret = &self.config.app_secret;
        if given != sign(SignMethod::Sha256, secret, path, &params.pairs) {
            self.counters.bad_signatures += 1;
            let message = "The request signature does not conform to platform standards";
            return Err(Refused::new("IncompleteSignature", message));
        }
        Ok(())
    }

    fn check_access_token(&mut self, params: &Params) -> Result<(), Refused> {
        let ends_at = params
            .get("access_token")
            .and_then(|token| self.tokens.access.get(token));
        if ends_at.is_some_and(|ends_at| *ends_at > self.now) {
            return Ok(());
        }
        self.counters.unauthorized += 1;
        let message = "The specified access token is invalid or expired";
        Err(Refused::new("IllegalAccessToken", message))
    }

    /// A new pair. The old refresh token dies with it, and the end of the consent does not move.
    fn refresh_token(&mut self, params: &Params) -> Result<Value, Refused> {
        let given = params.required("refresh_token")?;
        let is_live = self.tokens.refresh.as_deref() == Some(given);
        if !is_live || self.tokens.refresh_ends_at <= self.now {
            if self.tokens.replaced.iter().any(|old| old == given) {
                self.counters.refresh_races += 1;
            }
            let message = "The specified refresh token is invalid or expired";
            return Err(Refused::new("IllegalRefreshToken", message));
        }
        self.counters.refreshes += 1;
        let access = format!("50000{}{}", self.random.digits(3), self.random.hex(40));
        let refresh = format!("50001{}{}", self.random.digits(3), self.random.hex(40));
        self.tokens
            .replaced
            .extend(self.tokens.refresh.replace(refresh.clone()));
        let life_s = self.config.settings.access_token_s;
        let ends_at = crate::clock::later(self.now, std::time::Duration::from_secs(life_s));
        self.tokens.access.insert(access.clone(), ends_at);
        let left_s = self.tokens.refresh_ends_at.as_second() - self.now.as_second();
        Ok(json!({
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": life_s.to_string(),
            "refresh_expires_in": left_s.to_string(),
            "account_id": self.config.seller_id,
            "account_platform": "buyApp",
            "user_info": { "seller_id": self.config.seller_id },
        }))
    }
}
