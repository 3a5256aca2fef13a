//! The calls: signed, sent once, and replayed once where the token was refused.

use super::auth::Renewer;
use super::config::Config;
use super::error::Call;
use super::wire::{
    AddressParam, Cargo, CreatedAnswer, DetailAnswer, Flag, Logistics, LogisticsAnswer, Message,
    MessagesAnswer, OfferDetail, Order, OrderAnswer, OrderPage, PaidAnswer, PreparePay, Preview,
    PreviewAnswer, Product, TakenAnswer, Trace, TraceAnswer,
};
use super::{convert, limits, signature};
use crate::domain::{AccountId, Reference, SupplierOrderId};
use crate::limiter::Traffic;
use crate::marketplaces::{CallError, Effect, Kind, Outside, Retry};
use crate::secrets::Secret;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

pub(super) const DETAIL: &str = "product.search.queryProductDetail";
pub(super) const PREVIEW: &str = "alibaba.createOrder.preview";
pub(super) const CREATE_ORDER: &str = "alibaba.trade.createCrossOrder";
pub(super) const PAY: &str = "alibaba.trade.pay.protocolPay.preparePay";
pub(super) const LIST_ORDERS: &str = "alibaba.trade.getBuyerOrderList";
pub(super) const GET_ORDER: &str = "alibaba.trade.get.buyerView";
pub(super) const LOGISTICS: &str = "alibaba.trade.getLogisticsInfos.buyerView";
pub(super) const TRACE: &str = "alibaba.trade.getLogisticsTraceInfo.buyerView";
pub(super) const MESSAGES: &str = "push.query.messageList";
pub(super) const TAKE_MESSAGES: &str = "push.message.confirm";
pub(super) const GET_TOKEN: &str = "system.oauth2/getToken";
pub(super) const POSTPONE_TOKEN: &str = "system.oauth2/postponeToken";

/// The site that an order is of.
const SITE: &str = "1688";

/// The calls of one account.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: AccountId,
    pub(super) config: Config,
    pub(super) outside: Outside,
}

/// Asked directly before an order is sent, every time.
pub(super) type MaySend<'a> = &'a (dyn Fn() -> Result<(), CallError> + Sync);

/// Parameters in the order of sending.
type Parameters = Vec<(&'static str, String)>;

impl Client {
    /// This account's call of `operation`.
    pub(super) const fn call(&self, operation: &'static str) -> Call<'_> {
        Call {
            account: &self.id,
            operation,
        }
    }

    /// A product with its variants.
    pub(super) async fn product(&self, id: &str, traffic: Traffic) -> Result<Product, CallError> {
        let call = self.call(DETAIL);
        let query = OfferDetail {
            offer_id: number(&call, id)?,
            country: &self.config.country,
        };
        let parameters = vec![("offerDetailParam", json(&call, &query)?)];
        let answer: DetailAnswer = self.read(&call, parameters, traffic).await?;
        convert::product(&call, answer)
    }

    /// What an order would cost, and in which trade modes it can be placed.
    pub(super) async fn preview(
        &self,
        address: &AddressParam,
        cargo: &[Cargo<'_>],
    ) -> Result<Vec<Preview>, CallError> {
        let call = self.call(PREVIEW);
        let parameters = vec![
            ("addressParam", json(&call, address)?),
            ("cargoParamList", json(&call, &cargo)?),
            ("flow", self.config.flow.clone()),
        ];
        let answer: PreviewAnswer = self.read(&call, parameters, Traffic::Orders).await?;
        Ok(answer.parts)
    }

    /// Places an order. `may_send` is asked directly before it is sent.
    pub(super) async fn create(
        &self,
        reference: &Reference,
        (address, cargo): (&AddressParam, &[Cargo<'_>]),
        trade_type: &str,
        may_send: MaySend<'_>,
    ) -> Result<(CreatedAnswer, Value), CallError> {
        let call = self.call(CREATE_ORDER);
        let parameters = vec![
            ("flow", self.config.flow.clone()),
            ("addressParam", json(&call, address)?),
            ("cargoParamList", json(&call, &cargo)?),
            ("tradeType", trade_type.to_owned()),
            ("outOrderId", reference.as_str().to_owned()),
            // The seller writes it on the parcel, where a forwarder can read it.
            ("message", reference.as_str().to_owned()),
        ];
        let root = self
            .send(&call, parameters, Traffic::Orders, may_send)
            .await?;
        let answer = CreatedAnswer::deserialize(&root);
        Ok((answer.map_err(|_| call.unreadable("root"))?, root))
    }

    /// Pays an order by a contract that was signed before.
    pub(super) async fn pay(
        &self,
        order: &SupplierOrderId,
        reference: &Reference,
        channel: &str,
        may_send: MaySend<'_>,
    ) -> Result<(), CallError> {
        let call = self.call(PAY);
        let request = PreparePay {
            order_id: number(&call, order.as_str())?,
            pay_channel: (channel != "any").then_some(channel),
            op_request_id: reference.as_str(),
        };
        let parameters = vec![("tradeWithholdPreparePayParam", json(&call, &request)?)];
        let root = self
            .send(&call, parameters, Traffic::Orders, may_send)
            .await?;
        let answer = PaidAnswer::deserialize(&root);
        convert::paid(&call, &answer.map_err(|_| call.unreadable("root"))?)
    }

    /// A page of the orders with our reference since a time; pages count from 1.
    pub(super) async fn orders(
        &self,
        reference: &Reference,
        since: Timestamp,
        page: u32,
        past: bool,
    ) -> Result<OrderPage, CallError> {
        let call = self.call(LIST_ORDERS);
        let mut parameters = vec![
            ("page", page.to_string()),
            ("pageSize", limits::ORDERS_PER_PAGE.to_string()),
            ("createStartTime", convert::time(since)),
            ("outOrderId", reference.as_str().to_owned()),
        ];
        if past {
            parameters.push(("isHis", "true".to_owned()));
        }
        self.read(&call, parameters, Traffic::Orders).await
    }

    /// Reads a page of one order, and gives the answer's headers: to see whether anything works.
    pub(super) async fn probe(&self) -> (Result<(), CallError>, Option<HeaderMap>) {
        let call = self.call(LIST_ORDERS);
        let parameters = vec![("page", "1".to_owned()), ("pageSize", "1".to_owned())];
        let sent = async {
            let session = self.session().await?;
            self.exchange(&call, &parameters, Some(&session)).await
        };
        match sent.await {
            Ok((status, headers, body)) => {
                let outcome = call.root(status, &body);
                let outcome = outcome.and_then(|root| self.checked(&call, root));
                (outcome.map(|_| ()), Some(headers))
            }
            Err(error) => (Err(error), None),
        }
    }

    /// An order that we placed.
    pub(super) async fn order(&self, id: &str) -> Result<Order, CallError> {
        let call = self.call(GET_ORDER);
        let parameters = vec![
            ("webSite", SITE.to_owned()),
            ("orderId", number(&call, id)?.to_string()),
        ];
        let answer: OrderAnswer = self.read(&call, parameters, Traffic::Orders).await?;
        answer.result.ok_or_else(|| call.unreadable("result"))
    }

    /// The parcels of an order; none before it is shipped.
    pub(super) async fn logistics(
        &self,
        id: &SupplierOrderId,
    ) -> Result<Vec<Logistics>, CallError> {
        let call = self.call(LOGISTICS);
        let parameters = vec![
            ("orderId", number(&call, id.as_str())?.to_string()),
            ("webSite", SITE.to_owned()),
        ];
        let answer: Result<LogisticsAnswer, _> =
            self.read(&call, parameters, Traffic::Orders).await;
        or_none(answer.map(|answer| answer.result))
    }

    /// Where the parcels of an order were; none before the carrier has seen them.
    pub(super) async fn trace(&self, id: &SupplierOrderId) -> Result<Vec<Trace>, CallError> {
        let call = self.call(TRACE);
        let parameters = vec![
            ("orderId", number(&call, id.as_str())?.to_string()),
            ("webSite", SITE.to_owned()),
        ];
        let answer: Result<TraceAnswer, _> = self.read(&call, parameters, Traffic::Orders).await;
        or_none(answer.map(|answer| answer.logistics_trace))
    }

    /// Messages that were not taken; the first page, because taking them moves the others forward.
    pub(super) async fn messages(&self) -> Result<Vec<Message>, CallError> {
        let call = self.call(MESSAGES);
        let mut parameters = vec![
            ("page", "1".to_owned()),
            ("pageSize", limits::MESSAGES_PER_PAGE.to_string()),
        ];
        if let Some(member) = &self.config.member_id {
            parameters.push(("userInfo", member.clone()));
        }
        let answer: MessagesAnswer = self.read(&call, parameters, Traffic::Orders).await?;
        let page = answer.push_message_page;
        Ok(page
            .ok_or_else(|| call.unreadable("pushMessagePage"))?
            .datas)
    }

    /// Takes messages.
    pub(super) async fn take_messages(&self, ids: &[u64]) -> Result<(), CallError> {
        let call = self.call(TAKE_MESSAGES);
        let parameters = vec![("msgIdList", json(&call, &ids)?)];
        let answer: TakenAnswer = self.read(&call, parameters, Traffic::Orders).await?;
        match answer.is_success {
            Some(false) => Err(call.ours(Kind::Refused, Retry::Permanent, "not-confirmed")),
            _ => Ok(()),
        }
    }

    /// A valid access token.
    pub(super) async fn session(&self) -> Result<Secret, CallError> {
        let Some(tokens) = &self.outside.tokens else {
            let call = self.call(GET_TOKEN);
            return Err(call.ours(Kind::Misconfigured, Retry::Person, "no-token-store"));
        };
        let renewer = Renewer {
            account: &self.id,
            config: &self.config,
            outside: &self.outside,
        };
        tokens
            .access(&self.id, &self.config.refresh_token, &renewer)
            .await
    }

    /// A call without effect, whose answer is an error where it says that it is none.
    async fn read<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        parameters: Parameters,
        traffic: Traffic,
    ) -> Result<T, CallError> {
        let root = self.send(call, parameters, traffic, &|| Ok(())).await?;
        let root = self.checked(call, root)?;
        serde_json::from_value(root).map_err(|_| call.unreadable("root"))
    }

    /// The answer, where it does not say that it failed. `success` is missing in some that did not.
    fn checked(&self, call: &Call<'_>, root: Value) -> Result<Value, CallError> {
        let failed = Flag::deserialize(&root).is_ok_and(|flag| flag.success == Some(false));
        // Some pages list the error fields and no flag.
        let refused = root.get("errorCode").and_then(Value::as_str);
        if failed || refused.is_some_and(|code| !code.is_empty()) {
            return Err(call.refusal(&root));
        }
        Ok(root)
    }

    async fn send(
        &self,
        call: &Call<'_>,
        parameters: Parameters,
        traffic: Traffic,
        may_send: MaySend<'_>,
    ) -> Result<Value, CallError> {
        // Messages are the application's, not a user's.
        let is_users = !matches!(call.operation, MESSAGES | TAKE_MESSAGES);
        let limit = limits::CALLS;
        let allowed = self.outside.allow(&self.id, call.operation, limit, traffic);
        allowed.await?;
        let session = if is_users {
            Some(self.session().await?)
        } else {
            None
        };
        may_send()?;
        match self.send_once(call, &parameters, session.as_ref()).await {
            Err(error) if error.kind == Kind::Throttled => {
                let wait = limits::THROTTLED_WAIT;
                let told = self
                    .outside
                    .refused_for_limit(&self.id, call.operation, limit, wait);
                told.await;
                Err(error)
            }
            Err(error) if error.kind == Kind::TokenInvalid && error.effect == Effect::None => {
                if let (Some(tokens), Some(session)) = (&self.outside.tokens, &session) {
                    tokens.refused(&self.id, session).await?;
                }
                let session = self.session().await?;
                may_send()?;
                let again = self.send_once(call, &parameters, Some(&session)).await;
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
        call: &Call<'_>,
        parameters: &Parameters,
        session: Option<&Secret>,
    ) -> Result<Value, CallError> {
        let (status, _, body) = self.exchange(call, parameters, session).await?;
        call.root(status, &body)
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        parameters: &Parameters,
        session: Option<&Secret>,
    ) -> Result<(http::StatusCode, HeaderMap, Bytes), CallError> {
        let now = self.outside.clock.now().as_millisecond().to_string();
        let texts = parameters.iter().map(|(name, text)| (*name, text.as_str()));
        let mut form: Vec<(&str, &str)> = texts.filter(|(_, text)| !text.is_empty()).collect();
        form.push(("_aop_timestamp", &now));
        if let Some(session) = session {
            // The access token is what opens the API.
            form.push(("access_token", session.expose()));
        }
        let space = namespace(call.operation);
        let key = &self.config.app_key;
        let path = format!("param2/1/{space}/{}/{key}", call.operation);
        let sign = signature::sign(&self.config.app_secret, &path, form.iter().copied());
        let sign =
            sign.ok_or_else(|| call.ours(Kind::Misconfigured, Retry::Person, "app_secret"))?;
        form.push(("_aop_signature", &sign));
        let url = format!("{}/openapi/{path}", self.config.base);
        let request = form_request(call, &url, &form)?;
        let answer = self.outside.http.send(request).await;
        let (parts, body) = answer
            .map_err(|error| call.unanswered(&error))?
            .into_parts();
        Ok((parts.status, parts.headers, body))
    }
}

/// Nothing there yet is no error.
fn or_none<T>(answer: Result<Vec<T>, CallError>) -> Result<Vec<T>, CallError> {
    match answer {
        Err(error) if error.kind == Kind::NotFound && matches!(error.retry, Retry::After(_)) => {
            Ok(Vec::new())
        }
        answer => answer,
    }
}

/// The namespace of an API, which is a part of its path.
fn namespace(operation: &str) -> &'static str {
    match operation {
        DETAIL => "com.alibaba.fenxiao.crossborder",
        LOGISTICS | TRACE => "com.alibaba.logistics",
        MESSAGES | TAKE_MESSAGES => "cn.alibaba.open",
        _ => "com.alibaba.trade",
    }
}

/// A form.
pub(super) fn form_request(
    call: &Call<'_>,
    url: &str,
    form: &[(&str, &str)],
) -> Result<Request<Bytes>, CallError> {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded; charset=UTF-8",
        )
        .header(header::ACCEPT, "application/json")
        .body(Bytes::from(body))
        .map_err(|_| call.ours(Kind::Misconfigured, Retry::Person, "environment"))
}

/// An id that 1688 wants as a number; ids go beyond 2^53.
pub(super) fn number(call: &Call<'_>, id: &str) -> Result<u64, CallError> {
    let digits = id.bytes().all(|b| b.is_ascii_digit());
    let number = id.parse().ok().filter(|_| digits);
    number.ok_or_else(|| call.ours(Kind::NotFound, Retry::Permanent, "id-is-no-number"))
}

fn json(call: &Call<'_>, value: &impl Serialize) -> Result<String, CallError> {
    serde_json::to_string(value)
        .map_err(|_| call.ours(Kind::Refused, Retry::Permanent, "unwritable"))
}
