//! What every call passes: parameters, application key, timestamp, signature, format, token.

use axum::response::IntoResponse;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::Value;
use serde_json::json;

use super::AliExpress;
use super::envelope::GatewayError;
use super::envelope::business;
use super::envelope::spoiled_json;
use super::envelope::spoiled_xml;
use super::seller::document;
use super::signature::SignMethod;
use super::signature::sign;
use super::state::State;
use super::types::AliExpressOperation as Operation;
use super::types::OrderCreateRoot;
use crate::answer::Answer;
use crate::answer::Call;
use crate::form;
use crate::simulator::pass;

const MAX_SKEW_S: i64 = 7_200;
const MAX_SKEW_OLD_S: i64 = 600;
/// The old gateway's times are Beijing's.
const BEIJING_HOURS: i8 = 8;

/// Where a call came in, and so how it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Business calls.
    Sync,
    /// System calls by their path.
    Rest,
    /// The old gateway in JSON.
    OldJson,
    /// The old gateway in XML, its own form.
    OldXml,
}

impl Door {
    pub(super) fn is_old(self) -> bool {
        matches!(self, Self::OldJson | Self::OldXml)
    }

    pub(super) fn answer(self, body: &Value) -> Answer {
        let json = || Answer::json(StatusCode::OK, body);
        match self {
            Self::OldXml => Answer::xml(StatusCode::OK, spoiled_xml(document(body))),
            _ => spoiled_json(body).unwrap_or_else(json),
        }
    }
}

/// The parameters of a call, from query and form together.
pub(super) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    pub(super) fn of(call: &Call) -> Self {
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

    pub(super) fn required(&self, name: &'static str) -> Result<&str, GatewayError> {
        self.get(name).ok_or_else(|| GatewayError::missing(name))
    }

    /// A parameter that holds JSON.
    pub(super) fn json(&self, name: &'static str) -> Result<Value, GatewayError> {
        serde_json::from_str(self.required(name)?).map_err(|_| GatewayError::invalid(name))
    }

    fn simplify(&self) -> bool {
        self.get("simplify") == Some("true")
    }
}

impl AliExpress {
    /// A business call on /sync, or a system call sent there with its path as `method`.
    pub(super) fn sync(&self, call: &Call) -> Response {
        let params = Params::of(call);
        let mut state = self.state();
        let request_id = state.request_id();
        let method = match params.required("method") {
            Ok(method) => method,
            Err(error) => return error.answer(Door::Sync, &request_id).into_response(),
        };
        let Some(operation) = Operation::ALL
            .iter()
            .copied()
            .find(|one| one.name() == method)
        else {
            let message = "The specified API Path is invalid";
            let error = GatewayError::isv("InvalidApiPath", message);
            return error.answer(Door::Sync, &request_id).into_response();
        };
        let is_system = method.starts_with('/');
        let prefix = if is_system { method } else { "" };
        state.pass(operation, prefix, Door::Sync, &params, &request_id)
    }

    /// A business call at the old gateway, where only the shop's calls are. It answers in XML unless it is asked for
    /// JSON.
    pub(super) fn old(&self, call: &Call) -> Response {
        let params = Params::of(call);
        let mut state = self.state();
        let request_id = state.request_id();
        let door = match params.get("format") {
            Some("json") => Door::OldJson,
            _ => Door::OldXml,
        };
        let method = params.get("method").unwrap_or_default();
        let mut known = Operation::ALL.iter().copied();
        let found = known.find(|one| one.name() == method && one.is_sellers());
        match found {
            Some(operation) => state.pass(operation, "", door, &params, &request_id),
            None => GatewayError::isv("InvalidApiPath", "Invalid Method")
                .answer(door, &request_id)
                .into_response(),
        }
    }

    /// A system call on /rest, which is signed with its path in front.
    pub(super) fn rest(&self, path: &str, call: &Call) -> Response {
        let params = Params::of(call);
        let mut state = self.state();
        let request_id = state.request_id();
        let operation = Operation::ALL
            .iter()
            .copied()
            .find(|one| one.name() == path && path.starts_with('/'));
        match operation {
            Some(operation) => state.pass(operation, path, Door::Rest, &params, &request_id),
            None => GatewayError::isv("InvalidApiPath", "The specified API Path is invalid")
                .answer(Door::Rest, &request_id)
                .into_response(),
        }
    }
}

impl State {
    fn pass(
        &mut self,
        operation: Operation,
        prefix: &str,
        door: Door,
        params: &Params,
        request_id: &str,
    ) -> Response {
        pass(
            self,
            operation,
            || Self::own_errors(door, request_id),
            |state| match state.run(operation, prefix, door, params) {
                Ok(mut fields) if door == Door::Rest => {
                    fields["request_id"] = request_id.into();
                    Answer::json(StatusCode::OK, &fields)
                }
                Ok(fields) => {
                    let simplify = params.simplify() && door != Door::OldXml;
                    let root = state.root(operation);
                    let body = business(operation.name(), root, fields, simplify, request_id);
                    door.answer(&body)
                }
                Err(error) => error.answer(door, request_id),
            },
        )
    }

    fn run(
        &mut self,
        operation: Operation,
        prefix: &str,
        door: Door,
        params: &Params,
    ) -> Result<Value, GatewayError> {
        self.check_request(prefix, door, params)?;
        if self.gate.is_over_limit(operation.name(), self.now) {
            return Err(GatewayError::call_limit());
        }
        if !prefix.is_empty() {
            return match operation {
                Operation::TokenCreate => self.create_token(params),
                _ => self.refresh_token(params),
            };
        }
        self.check_access_token(operation, params)?;
        if operation.is_sellers() {
            return self.run_seller(operation, params);
        }
        match operation {
            Operation::ProductGet => self.product_get(params),
            Operation::FreightQuery => self.freight_query(params),
            Operation::OrderCreate => self.order_create(params),
            Operation::OrderGet => self.order_get(params),
            Operation::MemberBenefitGet => Ok(self.member_benefit()),
            _ => self.tracking_get(params),
        }
    }

    /// The name that an answer stands under, if any.
    fn root(&self, operation: Operation) -> Option<String> {
        let method = operation.name().replace('.', "_");
        let chosen = match operation {
            Operation::OrderCreate => self.config.settings.order_create_root,
            _ => OrderCreateRoot::MethodResponse,
        };
        match chosen {
            OrderCreateRoot::MethodResponse => Some(format!("{method}_response")),
            OrderCreateRoot::PlaceorderResponse => {
                Some("aliexpress_trade_buy_placeorder_response".to_owned())
            }
            OrderCreateRoot::Method => Some(method),
            OrderCreateRoot::Bare => None,
        }
    }

    /// What the buying account has; this page's lists have no wrapper.
    fn member_benefit(&mut self) -> Value {
        let has = self.config.settings.auto_pay_benefit.to_string();
        json!({
            "code": "0",
            "result": [{ "code": "auto-pay", "title": "auto-pay", "canApply": "true", "canBenefit": has }],
        })
    }

    fn check_request(
        &mut self,
        prefix: &str,
        door: Door,
        params: &Params,
    ) -> Result<(), GatewayError> {
        if params.required("app_key")? != self.config.app_key {
            let message = "The specified App Key is invalid";
            return Err(GatewayError::isv("InvalidAppkey", message));
        }
        let format = params.get("format").filter(|_| !door.is_old());
        if let Some(format) = format.filter(|format| *format != "json") {
            let message = format!("this simulator answers JSON only, not \"{format}\"");
            return Err(GatewayError::isv("InvalidFormat", message));
        }
        self.check_timestamp(params.required("timestamp")?, door)?;
        let method = params.required("sign_method")?;
        let is_old = params.get("v") == Some("2.0");
        if door.is_old() && !is_old {
            return Err(GatewayError::missing("v"));
        }
        let fits = |method: &SignMethod| match method {
            SignMethod::Sha256 => !door.is_old(),
            _ => is_old && prefix.is_empty(),
        };
        let method = SignMethod::from_name(method)
            .filter(fits)
            .ok_or_else(|| GatewayError::invalid("sign_method"))?;
        let given = params.required("sign")?;
        if given != sign(method, &self.config.app_secret, prefix, &params.pairs) {
            self.counters.bad_signatures += 1;
            let message = "The request signature does not conform to platform standards";
            return Err(GatewayError::isv("IncompleteSignature", message));
        }
        Ok(())
    }

    fn check_timestamp(&self, text: &str, door: Door) -> Result<(), GatewayError> {
        let old_form = || {
            let civil = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
            Offset::constant(BEIJING_HOURS).to_timestamp(civil).ok()
        };
        let (at, allowed_s) = if let Ok(ms) = text.parse::<i64>() {
            (Timestamp::from_millisecond(ms).ok(), MAX_SKEW_S)
        } else if text.contains('T') {
            (text.parse().ok(), MAX_SKEW_S)
        } else {
            (old_form(), MAX_SKEW_OLD_S)
        };
        let allowed_s = if door.is_old() {
            MAX_SKEW_OLD_S
        } else {
            allowed_s
        };
        let skew_s = at.map(|at: Timestamp| (at.as_second() - self.now.as_second()).abs());
        if skew_s.is_some_and(|skew_s| skew_s <= allowed_s) {
            Ok(())
        } else {
            let message = "The specified timestamp is invalid or too far from the server's time";
            Err(GatewayError::isv("IllegalTimestamp", message))
        }
    }

    /// The SDKs call it `session`, the pages `access_token`.
    fn check_access_token(
        &mut self,
        operation: Operation,
        params: &Params,
    ) -> Result<(), GatewayError> {
        let given = params.get("access_token").or_else(|| params.get("session"));
        let now = self.now;
        let mut is_live = |sells: bool| {
            let tokens = self.tokens_of(sells);
            let ends_at = given.and_then(|token| tokens.access.get(token));
            let consented = tokens.consent_ends_at.is_none_or(|ends_at| ends_at > now);
            consented && ends_at.is_some_and(|ends_at| *ends_at > now)
        };
        let sells = operation.is_sellers();
        if is_live(sells) {
            return Ok(());
        }
        if is_live(!sells) {
            let message = "Insufficient permission.";
            return Err(GatewayError::remote("isv.insufficient-permission", message));
        }
        self.counters.unauthorized += 1;
        let message = "The specified access token is invalid or expired";
        Err(GatewayError::isv("IllegalAccessToken", message))
    }
}
