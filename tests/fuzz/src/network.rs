//! A network that answers everything with one made-up answer, but tokens and keys with good ones.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use kervan::http::{Http, HttpError};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The statuses that an input chooses from; the successes are there more than once.
const STATUSES: [u16; 16] = [
    200, 200, 200, 201, 202, 204, 207, 400, 401, 403, 404, 409, 429, 500, 502, 503,
];
const CONTENT_TYPES: [&str; 4] = [
    "application/json",
    "text/xml;charset=utf-8",
    "text/html",
    "application/octet-stream",
];

/// When everything happens, as in [`crate::accounts::NOW_S`]: the clocks agree.
const DATE: &str = "Fri, 18 Sep 2026 02:53:20 GMT";

/// What a request that makes an order at a supplier has in its path or form.
const CREATING: [&str; 4] = [
    "aliexpress.ds.order.create",
    "/buynow/order/create",
    "createCrossOrder",
    "fastCreateOrder",
];

fn contains(bytes: &[u8], text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// A made-up answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

impl Answer {
    /// What an input says; an empty one is an empty success.
    pub(crate) fn of(input: &[u8]) -> Self {
        let byte = |place: usize| usize::from(input.get(place).copied().unwrap_or(0));
        let status = STATUSES[byte(0) % STATUSES.len()];
        Self {
            status: StatusCode::from_u16(status).unwrap_or_default(),
            content_type: CONTENT_TYPES[byte(1) % CONTENT_TYPES.len()],
            body: Bytes::copy_from_slice(input.get(2..).unwrap_or_default()),
        }
    }

    /// What this request is answered with. Some operations make several calls, so a body of the form
    /// `{"answers": [{"to": …, "body": …}]}` holds an answer for each: the first counts whose `to` is in the request's
    /// method, path, query or body. A body that is text is sent as it is.
    fn body_to(&self, request: &[u8]) -> Bytes {
        let answers = serde_json::from_slice::<Value>(&self.body).ok();
        let answers = answers.and_then(|mut body| body.get_mut("answers").map(Value::take));
        let found = answers.as_ref().and_then(Value::as_array).and_then(|all| {
            let is_to = |to: &str| contains(request, to);
            all.iter()
                .find(|one| one["to"].as_str().is_some_and(is_to))
                .and_then(|one| one.get("body"))
        });
        match found {
            Some(Value::String(text)) => Bytes::from(text.clone()),
            Some(body) => Bytes::from(body.to_string()),
            None => Bytes::clone(&self.body),
        }
    }
}

/// Answers a request that is not what is tried: tokens, keys, upload addresses.
pub(crate) type Prepared = fn(&Request<Bytes>) -> Option<String>;

#[derive(Debug)]
pub(crate) struct Network {
    prepared: Prepared,
    answer: Mutex<Answer>,
    asked_to_create: AtomicBool,
}

impl Network {
    pub(crate) fn new(prepared: Prepared) -> Self {
        Self {
            prepared,
            answer: Mutex::new(Answer::of(&[])),
            asked_to_create: AtomicBool::new(false),
        }
    }

    /// Whether a supplier was asked to make an order.
    pub(crate) fn was_asked_to_create(&self) -> bool {
        self.asked_to_create.load(Ordering::Relaxed)
    }

    pub(crate) fn will_answer(&self, answer: Answer) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }
}

#[async_trait]
impl Http for Network {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut response = Response::new(Bytes::new());
        if let Some(body) = (self.prepared)(&request) {
            *response.body_mut() = Bytes::from(body);
            return Ok(response);
        }
        let body = request.body();
        let path = request
            .uri()
            .path_and_query()
            .map_or("", |path| path.as_str());
        let line = format!("{} {path}\n", request.method());
        let said = [line.as_bytes(), body.as_ref()].concat();
        if CREATING.iter().any(|name| contains(&said, name)) {
            self.asked_to_create.store(true, Ordering::Relaxed);
        }
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        *response.status_mut() = answer.status;
        let content_type = header::HeaderValue::from_static(answer.content_type);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
        let date = header::HeaderValue::from_static(DATE);
        response.headers_mut().insert(header::DATE, date);
        *response.body_mut() = answer.body_to(&said);
        Ok(response)
    }
}
