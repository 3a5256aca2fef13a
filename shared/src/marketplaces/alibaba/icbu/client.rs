//! The calls: signed, sent once, and replayed once where the token was refused.

use super::auth::Renewer;
use super::config::{Config, Payer};
use super::error::Call;
use super::signature;
use super::wire::{
    Created, DateFilter, DescriptionQuery, Freight, FreightAddress, FreightProduct, InventoryQuery,
    List, Logistics, LogisticsDetail, Named, Order, OrderPage, OrderProduct, PayRequest, Payment,
    Product, Properties, ResultAnswer, Shelf, Tracking, TrackingAnswer, ValueAnswer,
};
use super::{convert, limits};
use crate::domain::{AccountId, Reference, SupplierOrderId};
use crate::marketplaces::{CallError, Effect, Kind, Outside, Retry};
use crate::secrets::Secret;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub(super) const DESCRIPTION: &str = "/eco/buyer/product/description";
pub(super) const INVENTORY: &str = "/eco/buyer/product/inventory";
pub(super) const FREIGHT: &str = "/order/freight/calculate";
pub(super) const ORDER_CREATE: &str = "/buynow/order/create";
pub(super) const ORDER_PAY: &str = "/alibaba/dropshipping/order/pay";
pub(super) const ORDER_LIST: &str = "/alibaba/order/list";
pub(super) const ORDER_GET: &str = "/alibaba/order/get";
pub(super) const TRACKING_GET: &str = "/order/logistics/tracking/get";
pub(super) const LOGISTICS_QUERY: &str = "/order/logistics/query";
pub(super) const TOKEN_REFRESH: &str = "/auth/token/refresh";

/// The calls of one account.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: AccountId,
    pub(super) config: Config,
    pub(super) outside: Outside,
}

/// Asked directly before an order is sent, every time.
pub(super) type MaySend<'a> = &'a (dyn Fn() -> Result<(), CallError> + Sync);

impl Client {
    /// This account's call of `operation`.
    pub(super) const fn call(&self, operation: &'static str) -> Call<'_> {
        Call {
            account: &self.id,
            operation,
        }
    }

    /// A product with its variants, as it is sold to a country.
    pub(super) async fn product(&self, id: &str, country: &str) -> Result<Product, CallError> {
        let call = self.call(DESCRIPTION);
        let query = DescriptionQuery {
            product_id: id,
            country,
        };
        let parameters = [("query_req", json(&call, &query)?)];
        let answer: ResultAnswer<Product> = self.send(&call, &parameters).await?;
        convert::product(&call, convert::data(&call, answer)?)
    }

    /// What lies where of a product's variants.
    pub(super) async fn inventory(&self, product: &str) -> Result<Vec<Shelf>, CallError> {
        let call = self.call(INVENTORY);
        let query = InventoryQuery {
            product_id: product,
        };
        let parameters = [("inv_req", json(&call, &query)?)];
        let answer: ResultAnswer<List<Shelf>> = self.send(&call, &parameters).await?;
        Ok(convert::data(&call, answer)?.0)
    }

    /// The ways to ship units of a variant of a seller from a place. Only these carriers are taken by an order.
    pub(super) async fn freight(
        &self,
        company: &str,
        (product, sku, quantity): (&str, &str, u32),
        (from, to): (&str, &str),
    ) -> Result<Vec<Freight>, CallError> {
        let call = self.call(FREIGHT);
        let sample = self.config.quote_addresses.get(to);
        let sample = sample.cloned().unwrap_or_default();
        let name = convert::country_name(to);
        let address = FreightAddress {
            zip: &sample.zip,
            country: Named { code: to, name },
            province: Named {
                code: &sample.province_code,
                name: &sample.province,
            },
            city: Named {
                code: "",
                name: &sample.city,
            },
            address: &sample.address,
        };
        let products = [FreightProduct {
            product_id: product,
            sku_id: sku,
            quantity: quantity.to_string(),
            country_code: to,
        }];
        let parameters = [
            ("e_company_id", company.to_owned()),
            ("destination_country", to.to_owned()),
            ("dispatch_location", from.to_owned()),
            ("address", json(&call, &address)?),
            ("logistics_product_list", json(&call, &products)?),
        ];
        let answer: ValueAnswer<List<Freight>> = self.send(&call, &parameters).await?;
        // No way to ship is an empty list, or none at all.
        Ok(answer.value.map(|list| list.0).unwrap_or_default())
    }

    /// Places an order. `may_send` is asked directly before it is sent.
    pub(super) async fn create(
        &self,
        reference: &Reference,
        products: &[OrderProduct<'_>],
        logistics: &LogisticsDetail<'_>,
        may_send: MaySend<'_>,
    ) -> Result<Created, CallError> {
        let call = self.call(ORDER_CREATE);
        let properties = Properties {
            platform: "Kervan",
            order_id: reference.as_str(),
        };
        // The reference stands in every field that an order might show, because no page says which it shows.
        let parameters = [
            ("channel_refer_id", reference.as_str().to_owned()),
            ("product_list", json(&call, &products)?),
            ("logistics_detail", json(&call, logistics)?),
            ("properties", json(&call, &properties)?),
            ("remark", reference.as_str().to_owned()),
        ];
        let answer: ValueAnswer<Created> = self.send_if(may_send, &call, &parameters).await?;
        answer.value.ok_or_else(|| call.unreadable("value"))
    }

    /// Pays an order. Success is a status inside an answer that is good either way.
    pub(super) async fn pay(
        &self,
        order: &SupplierOrderId,
        payer: &Payer,
        may_send: MaySend<'_>,
    ) -> Result<(), CallError> {
        let call = self.call(ORDER_PAY);
        let request = PayRequest {
            order_id_list: [order.as_str()],
            payment_method: &payer.payment_method,
            user_ip: &payer.user_ip,
            user_agent: &payer.user_agent,
            accept_language: &payer.accept_language,
            screen_resolution: &payer.screen_resolution,
            is_pc: true,
            isv_drop_shipper_registration_time: payer.registered_at_ms,
        };
        let parameters = [("param_order_pay_request", json(&call, &request)?)];
        let answer: ValueAnswer<Payment> = self.send_if(may_send, &call, &parameters).await?;
        let payment = answer.value.ok_or_else(|| call.unreadable("value"))?;
        convert::paid(&call, &payment)
    }

    /// A page of the buyer's orders since a time; pages count from 0.
    pub(super) async fn orders(&self, since: Timestamp, page: u32) -> Result<OrderPage, CallError> {
        let call = self.call(ORDER_LIST);
        let parameters = orders_query(&call, since, page, limits::ORDERS_PER_PAGE)?;
        let answer: ValueAnswer<OrderPage> = self.send(&call, &parameters).await?;
        answer.value.ok_or_else(|| call.unreadable("value"))
    }

    /// Reads a page of one order, and gives the answer's headers: to see whether anything works.
    pub(super) async fn probe(&self) -> (Result<(), CallError>, Option<HeaderMap>) {
        let call = self.call(ORDER_LIST);
        let now = self.outside.clock.now();
        let sent = async {
            let parameters = orders_query(&call, now, 0, 1)?;
            let session = self.session().await?;
            self.exchange(&call, &parameters, &session).await
        };
        match sent.await {
            Ok((status, headers, body)) => (call.root(status, &body).map(|_| ()), Some(headers)),
            Err(error) => (Err(error), None),
        }
    }

    /// An order that we placed.
    pub(super) async fn order(&self, id: &str) -> Result<Order, CallError> {
        let call = self.call(ORDER_GET);
        let parameters = [
            ("e_trade_id", id.to_owned()),
            ("language", "en_US".to_owned()),
        ];
        let answer: ValueAnswer<Order> = self.send(&call, &parameters).await?;
        answer.value.ok_or_else(|| call.unreadable("value"))
    }

    /// The parcels of an order; empty where there are none yet.
    pub(super) async fn tracking(&self, id: &SupplierOrderId) -> Result<Vec<Tracking>, CallError> {
        let call = self.call(TRACKING_GET);
        let parameters = [("trade_id", id.as_str().to_owned())];
        let answer: Result<TrackingAnswer, CallError> = self.send(&call, &parameters).await;
        match answer {
            Ok(answer) => Ok(answer.tracking_list),
            Err(error) if error.kind == Kind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The shipments of an order as its seller entered them.
    pub(super) async fn logistics(&self, id: &SupplierOrderId) -> Result<Logistics, CallError> {
        let call = self.call(LOGISTICS_QUERY);
        let parameters = [
            ("trade_id", id.as_str().to_owned()),
            ("data_select", "logistic_order".to_owned()),
        ];
        let answer: ValueAnswer<Logistics> = self.send(&call, &parameters).await?;
        answer.value.ok_or_else(|| call.unreadable("value"))
    }

    /// A valid access token.
    pub(super) async fn session(&self) -> Result<Secret, CallError> {
        let Some(tokens) = &self.outside.tokens else {
            let call = self.call(TOKEN_REFRESH);
            return Err(call.ours(Kind::Misconfigured, Retry::Person, "no-token-store"));
        };
        let renewer = self.renewer();
        tokens
            .access(&self.id, &self.config.refresh_token, &renewer)
            .await
    }

    const fn renewer(&self) -> Renewer<'_> {
        Renewer {
            account: &self.id,
            config: &self.config,
            outside: &self.outside,
        }
    }

    async fn send<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        parameters: &[(&str, String)],
    ) -> Result<T, CallError> {
        self.send_if(&|| Ok(()), call, parameters).await
    }

    async fn send_if<T: DeserializeOwned>(
        &self,
        may_send: MaySend<'_>,
        call: &Call<'_>,
        parameters: &[(&str, String)],
    ) -> Result<T, CallError> {
        let session = self.session().await?;
        may_send()?;
        let root = match self.send_once(call, parameters, &session).await {
            Err(error) if error.kind == Kind::TokenInvalid && error.effect == Effect::None => {
                if let Some(tokens) = &self.outside.tokens {
                    tokens.refused(&self.id, &session).await?;
                }
                let session = self.session().await?;
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
        let (status, _, body) = self.exchange(call, parameters, session).await?;
        call.root(status, &body)
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        parameters: &[(&str, String)],
        session: &Secret,
    ) -> Result<(http::StatusCode, HeaderMap, Bytes), CallError> {
        let timestamp = self.outside.clock.now().as_millisecond().to_string();
        // The access token is what opens the API.
        let mut all = vec![
            ("access_token", session.expose()),
            ("app_key", self.config.app_key.as_str()),
            ("sign_method", "sha256"),
            ("timestamp", &timestamp),
        ];
        all.extend(parameters.iter().map(|(name, text)| (*name, text.as_str())));
        let secret = &self.config.app_secret;
        let sign = signature::sign(secret, call.operation, all.iter().copied());
        let url = format!("{}/rest{}", self.config.base, call.operation);
        let request = form_request(call, &url, &all, sign)?;
        let answer = self.outside.http.send(request).await;
        let (parts, body) = answer
            .map_err(|error| call.unanswered(&error))?
            .into_parts();
        Ok((parts.status, parts.headers, body))
    }
}

fn orders_query(
    call: &Call<'_>,
    since: Timestamp,
    page: u32,
    size: u32,
) -> Result<[(&'static str, String); 4], CallError> {
    let filter = DateFilter {
        date_timestamp: since.as_millisecond().to_string(),
        date_str: since.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    };
    Ok([
        ("role", "buyer".to_owned()),
        ("start_page", page.to_string()),
        ("page_size", size.to_string()),
        ("create_date_start", json(call, &filter)?),
    ])
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

fn json(call: &Call<'_>, value: &impl Serialize) -> Result<String, CallError> {
    serde_json::to_string(value)
        .map_err(|_| call.ours(Kind::Refused, Retry::Permanent, "unwritable"))
}
