//! The shapes that the gateway answers in: roots, errors and list wrappers.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::gateway::Door;
use super::state::State;
use crate::answer::Answer;
use crate::answer::OwnErrors;

/// The key that each list is wrapped in unless `simplify=true` (samples of the official pages).
const WRAPPERS: [(&str, &str); 11] = [
    ("order_list", "number"),
    ("child_order_list", "aeop_child_order_info"),
    ("logistics_info_list", "aeop_order_logistics_info"),
    ("delivery_options", "delivery_option_d_t_o"),
    ("tracking_detail_line_list", "tracking_detail"),
    ("detail_node_list", "detail_node"),
    ("package_item_list", "package_item"),
    ("ae_item_sku_info_dtos", "ae_item_sku_info_d_t_o"),
    ("ae_sku_property_dtos", "ae_sku_property_d_t_o"),
    ("ae_item_properties", "ae_item_property"),
    ("wholesale_price_tiers", "wholesale_price_tier"),
];

/// The same for the shop's calls.
const SELLER_WRAPPERS: [(&str, &str); 8] = [
    ("target_list", "order_dto"),
    ("product_list", "order_product_dto"),
    ("child_order_list", "global_aeop_tp_child_order_dto"),
    ("logistic_info_list", "global_aeop_tp_logistic_info_dto"),
    ("update_failed_list", "synchronize_product_response_dto"),
    ("update_successful_list", "synchronize_product_response_dto"),
    ("result_list", "single_item_response_dto"),
    ("job_list", "batch_operation_job_dto"),
];

/// The old gateway's numbers for the new one's words (TOP manual).
const OLD_CODES: [(&str, u32, &str); 6] = [
    ("InvalidApiPath", 22, "Invalid Method"),
    ("IncompleteSignature", 25, "Invalid signature"),
    ("IllegalAccessToken", 27, "Invalid session"),
    ("InvalidAppkey", 29, "Invalid app Key"),
    ("IllegalTimestamp", 31, "Invalid timestamp"),
    ("MissingParameter", 40, "Missing required arguments"),
];

/// An error of the gateway itself, before any business code ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GatewayError {
    pub(super) code: &'static str,
    pub(super) kind: &'static str,
    pub(super) message: String,
    pub(super) sub: Option<(&'static str, &'static str)>,
}

impl GatewayError {
    pub(super) fn isv(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            kind: "ISV",
            message: message.into(),
            sub: None,
        }
    }

    /// "Remote service error": the service behind the gateway refused, and `sub_code` says why.
    pub(super) fn remote(sub_code: &'static str, sub_message: &'static str) -> Self {
        Self {
            code: "15",
            kind: "ISP",
            message: "Remote service error".to_owned(),
            sub: Some((sub_code, sub_message)),
        }
    }

    pub(super) fn call_limit() -> Self {
        let message = "Api access frequency exceeds the limit. this ban will last 1 seconds";
        Self::isv("ApiCallLimit", message)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!(
            "The input parameter \"{parameter}\" that is mandatory for processing this request is not supplied"
        );
        Self::isv("MissingParameter", message)
    }

    pub(super) fn invalid(parameter: &str) -> Self {
        let message = format!("The specified parameter \"{parameter}\" is invalid");
        Self::isv("isv.invalid-parameter", message)
    }

    /// /sync puts errors into `error_response`, /rest answers them bare and calls the text `message`, and the old
    /// gateway has numbers for them.
    pub(super) fn answer(&self, door: Door, request_id: &str) -> Answer {
        door.answer(&self.body(door, request_id))
    }

    fn old_body(&self, request_id: &str) -> Value {
        let known = OLD_CODES.iter().find(|(word, ..)| *word == self.code);
        let (code, message, sub) = match (self.code, known, self.sub) {
            (_, Some((_, code, message)), _) => (*code, *message, None),
            ("ApiCallLimit", ..) => {
                let sub = (
                    "accesscontrol.limited-by-app-api-access-count",
                    "This ban will last for 1 more seconds",
                );
                (7, "App Call Limited", Some(sub))
            }
            (_, None, Some(sub)) => (50, "Remote service error", Some(sub)),
            ("ServiceUnavailable", ..) => {
                let sub = ("isp.service-unavailable", "Service unavailable");
                (15, "Remote service error", Some(sub))
            }
            (code, ..) => (50, "Remote service error", Some((code, "refused"))),
        };
        let mut error = json!({ "code": code, "msg": message, "request_id": request_id });
        if let Some((code, message)) = sub {
            error["sub_code"] = json!(code);
            error["sub_msg"] = json!(message);
        }
        json!({ "error_response": error })
    }

    fn body(&self, door: Door, request_id: &str) -> Value {
        if door.is_old() {
            return self.old_body(request_id);
        }
        let rest = door == Door::Rest;
        let text = if rest { "message" } else { "msg" };
        let mut error = json!({
            "type": self.kind,
            "code": self.code,
            text: self.message,
            "request_id": request_id,
        });
        if let Some((code, message)) = self.sub {
            error["sub_code"] = json!(code);
            error["sub_msg"] = json!(message);
        }
        if rest {
            error
        } else {
            json!({ "error_response": error })
        }
    }
}

impl State {
    /// The gateway's words for faults. A remote service error after the effect is the one that AliExpress documents
    /// for a purchase that went through although the gateway saw a time-out.
    pub(super) fn own_errors(door: Door, request_id: &str) -> OwnErrors {
        let unavailable = GatewayError {
            code: "ServiceUnavailable",
            kind: "ISP",
            message: "The request has failed due to a temporary failure of the server".to_owned(),
            sub: None,
        };
        let timed_out = GatewayError::remote("isp.service-unavailable", "Service unavailable");
        OwnErrors {
            too_many: GatewayError::call_limit().answer(door, request_id),
            server_error: Answer::json(
                StatusCode::INTERNAL_SERVER_ERROR,
                &unavailable.body(door, request_id),
            ),
            server_error_after: timed_out.answer(door, request_id),
        }
    }
}

/// Stands in a text for what a strict reader stumbles over; what that is depends on the form of the answer.
pub(super) const ODD: char = '\u{e000}';

/// The answer with half an emoji, as a text leaves that was cut at its longest; `None` where nothing is odd.
pub(super) fn spoiled_json(body: &Value) -> Option<Answer> {
    let text = body.to_string();
    text.contains(ODD).then(|| {
        let text = text.replace(ODD, "\\ud83d");
        Answer::bytes(StatusCode::OK, text.as_bytes()).with(CONTENT_TYPE, "application/json")
    })
}

/// The answer with a vertical tab, which XML 1.0 forbids.
pub(super) fn spoiled_xml(text: String) -> String {
    if text.contains(ODD) {
        text.replace(ODD, "\u{b}")
    } else {
        text
    }
}

/// Puts a business answer under its root, where it has one. `fields` holds `result` and whatever stands beside it.
pub(super) fn business(
    method: &str,
    root: Option<String>,
    mut fields: Value,
    simplify: bool,
    request_id: &str,
) -> Value {
    fields["request_id"] = json!(request_id);
    let wrappers: &[(&str, &str)] = match method {
        // This one's list has the same name as another's.
        "aliexpress.logistics.redefining.listlogisticsservice" => {
            &[("result_list", "aeop_logistics_service_result")]
        }
        method if method.starts_with("aliexpress.solution.") => &SELLER_WRAPPERS,
        _ => &WRAPPERS,
    };
    if !simplify {
        wrap_lists(&mut fields, wrappers);
    }
    let Some(root) = root else {
        return fields;
    };
    let mut body = Map::new();
    body.insert(root, fields);
    Value::Object(body)
}

fn wrap_lists(value: &mut Value, wrappers: &[(&str, &str)]) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                wrap_lists(field, wrappers);
                let wrapper = wrappers.iter().find(|(list, _)| list == name);
                if let (true, Some((_, wrapper))) = (field.is_array(), wrapper) {
                    *field = json!({ *wrapper: field.take() });
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| wrap_lists(item, wrappers)),
        _ => {}
    }
}
