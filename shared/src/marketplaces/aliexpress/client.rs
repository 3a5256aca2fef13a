//! The calls: signed, sent once, and replayed once where the token was refused.

use super::auth::Renewer;
use super::config::Config;
use super::error::Call;
use super::wire::{
    Created, CreatedAnswer, DeliveryQuery, ExtendRequest, Freight, FreightAnswer, Order,
    OrderAnswer, OrderQuery, Payment, PlaceOrder, Product, ProductAnswer, Tracking, TrackingAnswer,
    TradeExtra,
};
use super::{convert, signature};
use crate::domain::{AccountId, SupplierOrderId};
use crate::marketplaces::{CallError, Effect, Kind, Outside, Retry};
use crate::secrets::Secret;
use bytes::Bytes;
use http::{Method, Request, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub(super) const PRODUCT_GET: &str = "aliexpress.ds.product.get";
pub(super) const FREIGHT_QUERY: &str = "aliexpress.ds.freight.query";
pub(super) const ORDER_CREATE: &str = "aliexpress.ds.order.create";
pub(super) const ORDER_GET: &str = "aliexpress.trade.ds.order.get";
pub(super) const TRACKING_GET: &str = "aliexpress.ds.order.tracking.get";
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
    pub(super) async fn product(&self, id: &str, ship_to: &str) -> Result<Product, CallError> {
        let call = self.call(PRODUCT_GET);
        // Checked here, because a gateway that cannot read the number speaks of a bad signature or of nothing at all.
        number(&call, id)?;
        let parameters = [
            ("product_id", id.to_owned()),
            ("ship_to_country", ship_to.to_owned()),
            ("target_currency", self.config.currency.code().to_owned()),
            ("target_language", self.config.language.clone()),
        ];
        let answer: ProductAnswer = self.send(&call, &parameters).await?;
        convert::product(&call, answer)
    }

    /// The ways to ship units of a variant.
    pub(super) async fn freight(&self, query: &DeliveryQuery<'_>) -> Result<Freight, CallError> {
        let call = self.call(FREIGHT_QUERY);
        let parameters = [("queryDeliveryReq", json(&call, query)?)];
        let answer: FreightAnswer = self.send(&call, &parameters).await?;
        answer.result.ok_or_else(|| call.unreadable("result"))
    }

    /// Places an order; `in_time` is asked directly before it is sent.
    pub(super) async fn create(
        &self,
        order: &PlaceOrder<'_>,
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
            },
        };
        let parameters = [
            ("ds_extend_request", json(&call, &extend)?),
            (
                "param_place_order_request4_open_api_d_t_o",
                json(&call, order)?,
            ),
        ];
        let answer: CreatedAnswer = self.send_if(in_time, &call, &parameters).await?;
        answer.result.ok_or_else(|| call.unreadable("result"))
    }

    /// An order that we placed.
    pub(super) async fn order(&self, id: &SupplierOrderId) -> Result<Order, CallError> {
        let call = self.call(ORDER_GET);
        let query = OrderQuery {
            order_id: number(&call, id.as_str())?,
        };
        let parameters = [("single_order_query", json(&call, &query)?)];
        let answer: OrderAnswer = self.send(&call, &parameters).await?;
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
        let answer = self.send(&call, &parameters).await;
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

    async fn send<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        parameters: &[(&str, String)],
    ) -> Result<T, CallError> {
        self.send_if(&|| Ok(()), call, parameters).await
    }

    /// Calls `/sync` with a valid token. A refused token proves that nothing was done, so the call is made once more
    /// with a new one, an order's too.
    async fn send_if<T: DeserializeOwned>(
        &self,
        may_send: &(dyn Fn() -> Result<(), CallError> + Sync),
        call: &Call<'_>,
        parameters: &[(&str, String)],
    ) -> Result<T, CallError> {
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
        may_send()?;
        let root = match self.send_once(call, parameters, &session).await {
            Err(error) if error.kind == Kind::TokenInvalid && error.effect == Effect::None => {
                tokens.refused(&self.id, &session).await?;
                let session = tokens.access(&self.id, seed, &renewer).await?;
                may_send()?;
                let again = self.send_once(call, parameters, &session).await;
                again.map_err(|error| match error.kind {
                    // A token that is refused as soon as it is given will be so again, until a person looks.
                    Kind::TokenInvalid => call.ours(Kind::ConsentEnded, Retry::Person, &error.code),
                    _ => error,
                })?
            }
            outcome => outcome?,
        };
        serde_json::from_value(root).map_err(|_| call.unreadable("root"))
    }

    async fn send_once(
        &self,
        call: &Call<'_>,
        parameters: &[(&str, String)],
        session: &Secret,
    ) -> Result<Value, CallError> {
        let timestamp = self.outside.clock.now().as_millisecond().to_string();
        // The access token is what opens the API.
        let mut all = vec![
            ("app_key", self.config.app_key.as_str()),
            ("format", "json"),
            ("method", call.operation),
            ("session", session.expose()),
            ("sign_method", "sha256"),
            ("simplify", "false"),
            ("timestamp", &timestamp),
        ];
        all.extend(parameters.iter().map(|(name, text)| (*name, text.as_str())));
        let secret = &self.config.app_secret;
        let sign = signature::sign(signature::Scheme::Sha256, secret, "", all.iter().copied());
        let url = format!("{}/sync", self.config.base);
        let request = form_request(call, &url, &all, sign)?;
        let answer = self.outside.http.send(request).await;
        let answer = answer.map_err(|error| call.unanswered(&error))?;
        call.root(answer.status(), answer.body())
    }
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

fn json(call: &Call<'_>, value: &impl Serialize) -> Result<String, CallError> {
    serde_json::to_string(value)
        .map_err(|_| call.ours(Kind::Refused, Retry::Permanent, "unwritable"))
}
