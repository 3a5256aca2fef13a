//! The older Trading API: one URL, XML, status 200 for most failures. Numbers are eBay's where its documents or recorded
//! answers show them; where neither does, 37 (input data is invalid) stands for a refused field.

mod listings;
mod notifications;
mod order_xml;
mod orders;
mod xml;

use axum::response::IntoResponse;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use super::state::State;
use super::types::EbayOperation as Operation;
use crate::answer::Answer;
use crate::answer::Call;
use crate::answer::OwnErrors;
use crate::clock::iso_ms;
use xml::Node;
use xml::escape;

pub(super) use notifications::Platform;
pub(super) use notifications::is_platform;
pub(super) use notifications::platform_message;

const NAMESPACE: &str = "urn:ebay:apis:eBLBaseComponents";
const VERSION: &str = "1451";

/// A refusal: code, class, text and what it is about.
pub(super) struct Refusal {
    code: &'static str,
    is_system: bool,
    message: String,
    parameters: Vec<(String, String)>,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            is_system: false,
            message: message.into(),
            parameters: Vec::new(),
        }
    }

    fn about(mut self, id: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((id.into(), value.into()));
        self
    }

    /// The entry of `Errors`.
    fn xml(&self) -> String {
        let parameters = self.parameters.iter().map(|(id, value)| {
            format!(
                "<ErrorParameters ParamID=\"{}\"><Value>{}</Value></ErrorParameters>",
                escape(id),
                escape(value)
            )
        });
        let class = if self.is_system {
            "SystemError"
        } else {
            "RequestError"
        };
        format!(
            "<Errors><ShortMessage>{0}</ShortMessage><LongMessage>{0}</LongMessage><ErrorCode>{1}</ErrorCode><SeverityCode>Error</SeverityCode>{2}<ErrorClassification>{class}</ErrorClassification></Errors>",
            escape(&self.message),
            self.code,
            parameters.collect::<String>(),
        )
    }
}

fn invalid(tag: &str) -> Refusal {
    Refusal::new(
        "37",
        format!("Input data for tag <{tag}> is invalid or missing."),
    )
    .about("0", tag)
}

/// Which call is made, by its header; an answer where it is none that exists.
pub(super) fn operation(call: &Call) -> Result<Operation, Box<Answer>> {
    let name = call.header("x-ebay-api-call-name").unwrap_or_default();
    Ok(match name {
        "GetOrders" => Operation::TradingGetOrders,
        "CompleteSale" => Operation::CompleteSale,
        "ReviseInventoryStatus" => Operation::ReviseInventoryStatus,
        "GeteBayOfficialTime" => Operation::GeteBayOfficialTime,
        "GetNotificationPreferences" => Operation::GetNotificationPreferences,
        "SetNotificationPreferences" => Operation::SetNotificationPreferences,
        _ => {
            let message =
                format!("The API call \"{name}\" is invalid or not supported in this release.");
            let refusal = Refusal::new("2", message);
            let body = envelope("", Timestamp::UNIX_EPOCH, "Failure", &refusal.xml());
            return Err(Box::new(Answer::xml(StatusCode::OK, body)));
        }
    })
}

/// The Trading API's words for the faults that it words itself.
pub(super) fn own_errors(call: &Call) -> OwnErrors {
    let name = call.header("x-ebay-api-call-name").unwrap_or_default();
    let answer = |code, is_system, message: &str| {
        let refusal = Refusal {
            is_system,
            ..Refusal::new(code, message)
        };
        let body = envelope(name, Timestamp::UNIX_EPOCH, "Failure", &refusal.xml());
        Answer::xml(StatusCode::OK, body)
    };
    let system = "Internal error to the application.";
    OwnErrors {
        too_many: answer(
            "518",
            false,
            "Your application has exceeded usage limit on this call.",
        ),
        server_error: answer("10007", true, system),
        server_error_after: answer("10007", true, system),
    }
}

fn envelope(call: &str, at: Timestamp, ack: &str, content: &str) -> String {
    let errors_first = format!("<Timestamp>{}</Timestamp><Ack>{ack}</Ack>", iso_ms(at));
    let (errors, rest) = match content.rfind("</Errors>") {
        Some(end) => content.split_at(end + "</Errors>".len()),
        None => ("", content),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{call}Response xmlns=\"{NAMESPACE}\">{errors_first}{errors}<Version>{VERSION}</Version><Build>E{VERSION}_SIMULATED_R1</Build>{rest}</{call}Response>"
    )
}

/// The version of the schema that a call speaks.
fn level(call: &Call) -> u32 {
    let level = call.header("x-ebay-api-compatibility-level");
    level.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// What a call came to: its content, or why not.
type Done = Result<String, Refusal>;

impl State {
    /// POST /ws/api.dll
    pub(super) fn trade(&mut self, operation: Operation, call: &Call) -> Answer {
        let name = call
            .header("x-ebay-api-call-name")
            .unwrap_or_default()
            .to_owned();
        let (ack, content) = match self.judge_and_run(operation, &name, call) {
            Ok((ack, content)) => (ack, content),
            Err(refusal) => ("Failure", refusal.xml()),
        };
        Answer::xml(StatusCode::OK, envelope(&name, self.now, ack, &content))
    }

    fn judge_and_run(
        &mut self,
        operation: Operation,
        name: &str,
        call: &Call,
    ) -> Result<(&'static str, String), Refusal> {
        let is_number = |header| {
            let value: Option<&str> = call.header(header);
            value.is_some_and(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
        };
        for header in ["x-ebay-api-compatibility-level", "x-ebay-api-siteid"] {
            if !is_number(header) {
                return Err(invalid(header));
            }
        }
        if !call.has_content_type("text/xml") {
            return Err(invalid("Content-Type"));
        }
        self.check_iaf_token(call)?;
        let broken = || Refusal::new("5", "XML Parse error.");
        let request = Node::parse(&call.body).ok_or_else(broken)?;
        if request.name != format!("{name}Request") || request.namespace != NAMESPACE {
            return Err(broken());
        }
        let done = match operation {
            Operation::TradingGetOrders => self.get_trading_orders(&request, level(call))?,
            Operation::CompleteSale => self.complete_sale(&request)?,
            Operation::ReviseInventoryStatus => return self.revise_inventory(&request),
            Operation::GetNotificationPreferences => self.get_preferences(&request)?,
            Operation::SetNotificationPreferences => self.set_preferences(&request)?,
            // GeteBayOfficialTime: the envelope says it.
            _ => String::new(),
        };
        Ok(("Success", done))
    }

    /// The OAuth token in its own header, without "Bearer".
    fn check_iaf_token(&mut self, call: &Call) -> Result<(), Refusal> {
        let Some(given) = call.header("x-ebay-api-iaf-token") else {
            self.counters.unauthorized += 1;
            return Err(Refusal::new(
                "930",
                "No XML <RequesterCredentials> was specified.",
            ));
        };
        match self.tokens.get(given) {
            Some(token) if token.expires_at <= self.now => {}
            Some(token) if token.is_user => return Ok(()),
            None if self.ended_tokens.contains(given) => {}
            _ => {
                self.counters.unauthorized += 1;
                return Err(Refusal::new("21916984", "Invalid IAF token."));
            }
        }
        self.counters.unauthorized += 1;
        Err(Refusal::new("21917053", "Expired IAF token."))
    }
}

impl IntoResponse for Box<Answer> {
    fn into_response(self) -> Response {
        (*self).into_response()
    }
}
