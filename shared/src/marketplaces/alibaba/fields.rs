//! The fields of a secret, read one by one. An error names the field and what would be right, never the value.

use crate::domain::Invalid;
use crate::secrets::Secret;
use serde_json::{Map, Value};
use url::{Host, Url};

/// A JSON object of a secret, or a part of it.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads the secret's JSON object.
    pub(super) fn parse(secret: &Secret) -> Result<Self, Invalid> {
        // Read here once; every secret part goes into a Secret of its own.
        match serde_json::from_str(secret.expose()) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(Invalid::new("secret", "must be a JSON object")),
        }
    }

    /// Refuses fields that nobody reads: a misspelt one must not be left out in silence.
    pub(super) fn only(&self, what: &'static str, known: &[&str]) -> Result<(), Invalid> {
        if self.0.keys().all(|name| known.contains(&name.as_str())) {
            return Ok(());
        }
        let problem = format!("has a field that is none of: {}", known.join(", "));
        Err(Invalid::new(what, problem))
    }

    /// Text without blanks, or a whole number as text; `None` where it is missing.
    pub(super) fn optional(&self, name: &'static str) -> Result<Option<String>, Invalid> {
        let text = self.text(name)?;
        match text {
            Some(text) if text.chars().any(char::is_whitespace) => {
                Err(Invalid::new(name, "must be text without blanks, not empty"))
            }
            text => Ok(text),
        }
    }

    /// The same, which must be there.
    pub(super) fn required(&self, name: &'static str) -> Result<String, Invalid> {
        self.optional(name)?
            .ok_or_else(|| Invalid::new(name, "is missing; it must be text without blanks"))
    }

    /// A line of text, blanks inside allowed, or a whole number as text; `None` where it is missing.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, Invalid> {
        let text = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) if number.is_u64() => number.to_string(),
            Some(_) => return Err(Invalid::new(name, "must be text")),
        };
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(Invalid::new(name, "must be a line of text, not empty"));
        }
        Ok(Some(text))
    }

    /// An object inside; `None` where it is missing.
    pub(super) fn object(&self, name: &'static str) -> Result<Option<Self>, Invalid> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self(fields.clone()))),
            Some(_) => Err(Invalid::new(name, "must be a JSON object")),
        }
    }

    /// A list of texts; `None` where it is missing.
    pub(super) fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, Invalid> {
        let wrong = || Invalid::new(name, "must be a list of texts, not empty");
        let entries = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(entries)) if !entries.is_empty() => entries,
            Some(_) => return Err(wrong()),
        };
        let texts = entries.iter().map(|entry| {
            let text = entry.as_str().filter(|text| !text.trim().is_empty());
            text.map(str::to_owned).ok_or_else(wrong)
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// The fields with their names.
    pub(super) fn objects(&self) -> impl Iterator<Item = (&String, Option<Self>)> {
        self.0
            .iter()
            .map(|(name, value)| (name, value.as_object().cloned().map(Self)))
    }

    /// The address that the platform's paths are put behind, without a slash at the end: `production`, or a URL.
    pub(super) fn base(&self, production: &str) -> Result<String, Invalid> {
        let environment = self.required("environment")?;
        if environment == "production" {
            return Ok(production.to_owned());
        }
        let wrong = || {
            let problem = "must be production, or an https URL without user, query and fragment \
                           (http only for this machine, as in http://127.0.0.1:1234)";
            Invalid::new("environment", problem)
        };
        let url = Url::parse(&environment).map_err(|_| wrong())?;
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(wrong()),
        };
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain || !(url.scheme() == "https" || (url.scheme() == "http" && here)) {
            return Err(wrong());
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}
