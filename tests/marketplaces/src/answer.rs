//! Requests as they arrived and answers before they become responses.

use axum::body::Body;
use axum::extract::FromRequest;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use http::HeaderValue;
use http::StatusCode;
use http::Uri;
use http::header::CONTENT_TYPE;
use http::header::HOST;
use http::header::HeaderName;
use serde_json::Value;

use crate::fault::Fault;
use crate::fault::WireFault;

/// A request, whole and unparsed: signatures and encodings are judged on the bytes.
pub(crate) struct Call {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Scheme and host that the caller used, for links that lead back here.
    pub(crate) fn origin(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or("http");
        let host = match self.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => self.header(HOST.as_str()),
        };
        host.map(|host| format!("{scheme}://{host}"))
            .unwrap_or_default()
    }

    /// Whether the body is announced as this media type, parameters aside.
    pub(crate) fn has_content_type(&self, wanted: &str) -> bool {
        let given = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let media = given.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case(wanted)
    }
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let uri = request.uri().clone();
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self { uri, headers, body })
    }
}

/// An answer whose body can still be cut.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string().into_bytes())
    }

    pub(crate) fn html(status: StatusCode, title: &str) -> Self {
        let page = format!(
            "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        );
        Self::new(status, "text/html;charset=utf-8", page.into_bytes())
    }

    pub(crate) fn xml(status: StatusCode, document: &str) -> Self {
        Self::new(
            status,
            "text/xml;charset=utf-8",
            document.as_bytes().to_vec(),
        )
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn new(status: StatusCode, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![(CONTENT_TYPE, content_type.to_owned())],
            body,
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same answer broken off in the middle of its body. An empty body becomes the start of one.
    fn cut(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        if self.body.is_empty() {
            self.headers
                .push((CONTENT_TYPE, "application/json".to_owned()));
            self.body = b"{\"".to_vec();
        }
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The marketplace's own words for the faults that it words itself.
pub(crate) struct OwnErrors {
    pub(crate) too_many: Answer,
    pub(crate) server_error: Answer,
    pub(crate) server_error_after: Answer,
}

/// Runs a call under a fault: without effect, with effect and another answer, or undisturbed.
pub(crate) fn under_fault(
    fault: Option<Fault>,
    own: impl FnOnce() -> OwnErrors,
    run: impl FnOnce() -> Answer,
) -> Response {
    let Some(fault) = fault else {
        return run().into_response();
    };
    match fault {
        Fault::Refused => wire(WireFault::Refused),
        Fault::TooManyRequests => own().too_many.into_response(),
        Fault::ServerError => own().server_error.into_response(),
        Fault::ServerErrorAfter => {
            run();
            own().server_error_after.into_response()
        }
        Fault::HtmlErrorPage => {
            Answer::html(StatusCode::BAD_GATEWAY, "502 Bad Gateway").into_response()
        }
        Fault::TimeoutBefore => wire(WireFault::Hang),
        Fault::TimeoutAfter => {
            run();
            wire(WireFault::Hang)
        }
        Fault::MalformedBody => run().cut().into_response(),
    }
}

/// A response that is none. The status is only for readers of logs.
fn wire(fault: WireFault) -> Response {
    let mut response = Answer::empty(StatusCode::GATEWAY_TIMEOUT).into_response();
    response.extensions_mut().insert(fault);
    response
}
