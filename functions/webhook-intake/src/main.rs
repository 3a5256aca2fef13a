//! The door: a push is verified, queued, and only then answered. Notifications that a marketplace writes to a queue come in
//! by the same door.

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::sqs::SqsEvent;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, header::CONTENT_TYPE};
use kervan::flows::{self, Intake};
use kervan::metrics::Metrics;
use kervan::{Door, aws, handler, setup};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

const NAME: &str = "webhook-intake";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    handler::start_logging();
    let (door, notifications) = (&setup::door()?, &setup::notifications()?);
    // Init has the full processor, and the first push has 500 ms: secrets are read and connections made now. What fails
    // here is tried again by the push that needs it.
    door.warm().await;
    let function = service_fn(|event: LambdaEvent<Value>| async move {
        let event = event.payload;
        if event.get("Records").is_some() {
            let event: SqsEvent = serde_json::from_value(event)?;
            let work = |message: Value| async move { flows::notified(door, &message).await };
            let answer = handler::sqs(NAME, notifications, &Metrics::default(), event, work).await;
            return Ok::<_, Error>(serde_json::to_value(answer)?);
        }
        let answer = push(door, serde_json::from_value(event)?).await;
        Ok(serde_json::to_value(answer)?)
    });
    lambda_runtime::run(function).await
}

async fn push(door: &Door, request: ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    let before = aws::calls();
    let part = |name| request.path_parameters.get(name).map_or("", String::as_str);
    let (marketplace, account) = (part("marketplace").to_owned(), part("account").to_owned());
    let answer = flows::intake(door, &marketplace, &account, decode(request)).await;
    handler::log_invocation(NAME, before, 1, 0);
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(answer.status.as_u16());
    response
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.body = Some(answer.body.into());
    response
}

/// The raw bytes as the marketplace sent them: API Gateway encodes what it does not take for text.
fn decode(request: ApiGatewayV2httpRequest) -> Intake {
    if request.request_context.http.method == Method::GET {
        return Intake::Challenge {
            query: request.raw_query_string.unwrap_or_default(),
        };
    }
    let text = request.body.unwrap_or_default();
    let body = if request.is_base64_encoded {
        // What is not base64 has no valid signature either; it is refused there.
        STANDARD.decode(&text).unwrap_or_default()
    } else {
        text.into_bytes()
    };
    Intake::Push {
        headers: request.headers,
        body: Bytes::from(body),
    }
}
