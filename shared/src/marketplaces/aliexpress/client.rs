//! The calls: signed, sent once, and replayed once where the token was refused.

use super::auth::Renewer;
use super::config::{Config, Gateway};
use super::error::Call;
use super::wire::{
    Created, CreatedAnswer, DeliveryQuery, ExtendRequest, Freight, FreightAnswer, Order,
    OrderAnswer, OrderQuery, Payment, PlaceOrder, Product, ProductAnswer, Tracking, TrackingAnswer,
    TradeExtra,
};
use super::{convert, limits, signature};
use crate::domain::{AccountId, SupplierOrderId};
use crate::limiter::Traffic;
use crate::marketplaces::{CallError, Effect, Kind, Outside, Retry};
use crate::secrets::Secret;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use jiff::{Timestamp, tz};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub(super) const PRODUCT_GET: &str = "aliexpress.ds.product.get";
pub(super) const FREIGHT_QUERY: &str = "aliexpress.ds.freight.query";
pub(super) const ORDER_CREATE: &str = "aliexpress.ds.order.create";
pub(super) const ORDER_GET: &str = "aliexpress.trade.ds.order.get";
pub(super) const TRACKING_GET: &str = "aliexpress.ds.order.tracking.get";
/// Used by [`super::examine`] alone: it takes nothing, and tells whether orders can be paid.
pub(super) const MEMBER_BENEFIT: &str = "aliexpress.ds.member.benefit.get";
pub(super) const TOKEN_REFRESH: &str = "/auth/token/refresh";

/// The calls of one account.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: AccountId,
    pub(super) config: Config,
    pub(super) outside: Outside,
}

impl Client {
    /// This account's call of `operation`.
    pub(super) const fn call(&self, operation: &'static str) -> Call<'_> {
        Call {
            account: &self.id,
            operation,
        }
    }

    /// A product on sale with its variants, priced for a country.
    pub(super) async fn product(
        &self,
        id: &str,
        ship_to: &str,
        traffic: Traffic,
    ) -> Result<Product, CallError> {
        let call = self.call(PRODUCT_GET);
        // Checked here, because a gateway that cannot read the number speaks of a bad signature or of nothing at all.
        number(&call, id)?;
        let parameters = [
            ("product_id", id.to_owned()),
            ("ship_to_country", ship_to.to_owned()),
            ("target_currency", self.config.currency.code().to_owned()),
            ("target_language", self.config.language.clone()),
        ];
        let outgoing = Outgoing::new(call, &parameters, traffic);
        let answer: ProductAnswer = self.send(&outgoing).await?;
        convert::product(&call, answer)
    }

    /// The ways to ship units of a variant.
    pub(super) async fn freight(&self, query: &DeliveryQuery<'_>) -> Result<Freight, CallError> {
        let call = self.call(FREIGHT_QUERY);
        let parameters = [("queryDeliveryReq", json(&call, query)?)];
        let outgoing = Outgoing::new(call, &parameters, Traffic::Orders);
        let answer: FreightAnswer = self.send(&outgoing).await?;
        answer.result.ok_or_else(|| call.unreadable("result"))
    }

    /// Places an order; `in_time` is asked directly before it is sent.
    pub(super) async fn create(
        &self,
        order: &PlaceOrder<'_>,
        national_address: Option<&str>,
        in_time: &(dyn Fn() -> Result<(), CallError> + Sync),
    ) -> Result<Created, CallError> {
        let call = self.call(ORDER_CREATE);
        let extend = ExtendRequest {
            payment: Payment {
                pay_currency: self.config.currency.code(),
                try_to_pay: if self.config.pay { "true" } else { "false" },
            },
            trade_extra_param: TradeExtra {
                business_model: "retail",
                nat_addr: national_address,
            },
        };
        let parameters = [
            ("ds_extend_request", json(&call, &extend)?),
            (
                "param_place_order_request4_open_api_d_t_o",
                json(&call, order)?,
            ),
        ];
        let outgoing = Outgoing::new(call, &parameters, Traffic::Orders);
        let answer: CreatedAnswer = self.send_if(in_time, &outgoing).await?;
        answer.result.ok_or_else(|| call.unreadable("result"))
    }

    /// An order that we placed.
    pub(super) async fn order(&self, id: &SupplierOrderId) -> Result<Order, CallError> {
        let call = self.call(ORDER_GET);
        let query = OrderQuery {
            order_id: number(&call, id.as_str())?,
        };
        let parameters = [("single_order_query", json(&call, &query)?)];
        let outgoing = Outgoing::new(call, &parameters, Traffic::Orders);
        let answer: OrderAnswer = self.send(&outgoing).await?;
        answer.result.ok_or_else(|| call.unreadable("result"))
    }

    /// The tracking of an order; `None` where there is none yet.
    pub(super) async fn tracking(
        &self,
        id: &SupplierOrderId,
    ) -> Result<Option<Tracking>, CallError> {
        let call = self.call(TRACKING_GET);
        let parameters = [
            ("ae_order_id", id.as_str().to_owned()),
            ("language", self.config.language.clone()),
        ];
        let outgoing = Outgoing::new(call, &parameters, Traffic::Orders);
        let answer = self.send(&outgoing).await;
        let answer = answer.and_then(|answer: TrackingAnswer| {
            let tracking = answer.result.ok_or_else(|| call.unreadable("result"))?;
            match tracking.ret {
                Some(false) => Err(call.refused(tracking.code.as_deref(), tracking.msg.as_deref())),
                _ => Ok(tracking),
            }
        });
        match answer {
            Ok(tracking) => Ok(Some(tracking)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a call that changes nothing that matters, or whose lease nobody holds.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        outgoing: &Outgoing<'_>,
    ) -> Result<T, CallError> {
        self.send_if(&|| Ok(()), outgoing).await
    }

    /// Makes a call with a valid token. `may_send` is asked directly before each sending. A refused token proves that
    /// nothing was done, so the call is made once more with a new one, an order's too.
    pub(super) async fn send_if<T: DeserializeOwned>(
        &self,
        may_send: &(dyn Fn() -> Result<(), CallError> + Sync),
        outgoing: &Outgoing<'_>,
    ) -> Result<T, CallError> {
        let call = &outgoing.call;
        let root = self.answered(may_send, outgoing).await?.1;
        serde_json::from_value(root).map_err(|_| call.unreadable("root"))
    }

    /// The same, with the headers of the answer.
    pub(super) async fn answered(
        &self,
        may_send: &(dyn Fn() -> Result<(), CallError> + Sync),
        outgoing: &Outgoing<'_>,
    ) -> Result<(HeaderMap, Value), CallError> {
        let call = &outgoing.call;
        let Some(tokens) = &self.outside.tokens else {
            return Err(call.ours(Kind::Misconfigured, Retry::Person, "no-token-store"));
        };
        let renewer = Renewer {
            account: &self.id,
            config: &self.config,
            outside: &self.outside,
        };
        let seed = &self.config.refresh_token;
        let session = tokens.access(&self.id, seed, &renewer).await?;
        match self.send_once(may_send, outgoing, &session).await {
            Err(error) if error.kind == Kind::TokenInvalid && error.effect == Effect::None => {
                tokens.refused(&self.id, &session).await?;
                let session = tokens.access(&self.id, seed, &renewer).await?;
                let again = self.send_once(may_send, outgoing, &session).await;
                again.map_err(|error| match error.kind {
                    // A token that is refused as soon as it is given will be so again, until a person looks.
                    Kind::TokenInvalid => call.ours(Kind::ConsentEnded, Retry::Person, &error.code),
                    _ => error,
                })
            }
            outcome => outcome,
        }
    }

    async fn send_once(
        &self,
        may_send: &(dyn Fn() -> Result<(), CallError> + Sync),
        outgoing: &Outgoing<'_>,
        session: &Secret,
    ) -> Result<(HeaderMap, Value), CallError> {
        let (call, counted) = (&outgoing.call, outgoing.counted_as);
        let limit = limits::of(counted);
        if let Some(limit) = limit {
            let allowed = self
                .outside
                .allow(&self.id, counted, limit, outgoing.traffic);
            allowed.await?;
        }
        let request = self.request(outgoing, session)?;
        may_send()?;
        let answer = self.outside.http.send(request).await;
        let answer = answer.map_err(|error| call.unanswered(&error))?;
        let root = call.root(answer.status(), answer.body());
        if let (Err(error), Some(limit)) = (&root, limit)
            && let (Kind::Throttled, Retry::After(wait)) = (error.kind, error.retry)
        {
            self.outside
                .refused_for_limit(&self.id, counted, limit, wait)
                .await;
        }
        Ok((answer.headers().clone(), root?))
    }

    /// The call as its gateway wants it, signed.
    fn request(
        &self,
        outgoing: &Outgoing<'_>,
        session: &Secret,
    ) -> Result<Request<Bytes>, CallError> {
        let call = &outgoing.call;
        let now = self.outside.clock.now();
        let (timestamp, scheme, path) = match self.config.gateway {
            Gateway::Sync => (
                now.as_millisecond().to_string(),
                signature::Scheme::Sha256,
                format!("{}/sync", self.config.base),
            ),
            Gateway::Top(scheme) => (
                old_timestamp(now),
                scheme,
                format!("{}/router/rest", self.config.old_base),
            ),
        };
        // The access token is what opens the API.
        let mut all = vec![
            ("app_key", self.config.app_key.as_str()),
            ("format", "json"),
            ("method", call.operation),
            ("session", session.expose()),
            ("sign_method", scheme.name()),
            ("simplify", "false"),
            ("timestamp", &timestamp),
        ];
        if matches!(self.config.gateway, Gateway::Top(_)) {
            all.push(("v", "2.0"));
        }
        let parameters = outgoing.parameters.iter();
        all.extend(parameters.map(|(name, text)| (*name, text.as_str())));
        let secret = &self.config.app_secret;
        let sign = signature::sign(scheme, secret, "", all.iter().copied());
        form_request(call, &path, &all, sign)
    }
}

/// One call before it is sent.
pub(super) struct Outgoing<'a> {
    pub(super) call: Call<'a>,
    pub(super) parameters: &'a [(&'static str, String)],
    pub(super) traffic: Traffic,
    /// The name under which its limit is kept.
    pub(super) counted_as: &'static str,
}

impl<'a> Outgoing<'a> {
    /// A call that is counted by its own name.
    pub(super) const fn new(
        call: Call<'a>,
        parameters: &'a [(&'static str, String)],
        traffic: Traffic,
    ) -> Self {
        Self {
            counted_as: call.operation,
            call,
            parameters,
            traffic,
        }
    }
}

/// The old gateway's times are of GMT+8, to the second (TOP manual).
fn old_timestamp(now: Timestamp) -> String {
    let there = tz::offset(8).to_datetime(now);
    there.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A signed form. Empty values are left out, as they are from the signature.
pub(super) fn form_request(
    call: &Call<'_>,
    url: &str,
    parameters: &[(&str, &str)],
    sign: Option<String>,
) -> Result<Request<Bytes>, CallError> {
    let misconfigured = |code| call.ours(Kind::Misconfigured, Retry::Person, code);
    let sign = sign.ok_or_else(|| misconfigured("app_secret"))?;
    let sent = parameters.iter().filter(|(_, value)| !value.is_empty());
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(sent)
        .append_pair("sign", &sign)
        .finish();
    Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded;charset=utf-8",
        )
        .header(header::ACCEPT, "application/json")
        .body(Bytes::from(body))
        .map_err(|_| misconfigured("environment"))
}

/// An id that AliExpress wants as a number.
pub(super) fn number(call: &Call<'_>, id: &str) -> Result<u64, CallError> {
    let digits = id.bytes().all(|b| b.is_ascii_digit());
    let number = id.parse().ok().filter(|_| digits);
    number.ok_or_else(|| call.ours(Kind::NotFound, Retry::Permanent, "id-is-no-number"))
}

/// A parameter that is sent as JSON text.
pub(super) fn json(call: &Call<'_>, value: &impl Serialize) -> Result<String, CallError> {
    serde_json::to_string(value)
        .map_err(|_| call.ours(Kind::Refused, Retry::Permanent, "unwritable"))
}
