//! A reader of Amazon's Swagger 2.0 models that is strict about requests: unknown parameters and fields, missing ones,
//! types, enumerations, numbers of entries, lengths.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

/// An operation of a model.
pub(crate) struct Operation<'a> {
    model: &'a Value,
    pub(crate) id: &'a str,
    method: &'a str,
    path: &'a str,
    parameters: Vec<&'a Value>,
    statuses: Vec<&'a str>,
}

/// All operations of a model.
pub(crate) fn operations(model: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, methods) in model["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else {
                continue;
            };
            let lists = [&methods["parameters"], &operation["parameters"]];
            let parameters = lists.into_iter().filter_map(Value::as_array).flatten();
            let statuses = operation["responses"].as_object().unwrap().keys();
            found.push(Operation {
                model,
                id,
                method,
                path,
                parameters: parameters.map(|one| resolved(model, one)).collect(),
                statuses: statuses.map(String::as_str).collect(),
            });
        }
    }
    found
}

fn resolved<'a>(model: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap();
            resolved(model, model.pointer(pointer).unwrap())
        }
        None => value,
    }
}

impl Operation<'_> {
    /// The statuses that the model knows.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = u16> {
        self.statuses.iter().filter_map(|text| text.parse().ok())
    }

    /// The values of the path's parameters, where a request is one of this operation.
    pub(crate) fn matched(&self, request: &Request<Bytes>) -> Option<Vec<(String, String)>> {
        if !request.method().as_str().eq_ignore_ascii_case(self.method) {
            return None;
        }
        let (theirs, ours) = (self.path.split('/'), request.uri().path().split('/'));
        let (theirs, ours): (Vec<&str>, Vec<&str>) = (theirs.collect(), ours.collect());
        if theirs.len() != ours.len() {
            return None;
        }
        let mut values = Vec::new();
        for (their, our) in theirs.into_iter().zip(ours) {
            match their
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
            {
                Some(name) => values.push((name.to_owned(), decoded(our))),
                None if their == our => {}
                None => return None,
            }
        }
        Some(values)
    }

    /// Everything that the model has against a request of this operation.
    pub(crate) fn objections(&self, request: &Request<Bytes>) -> Vec<String> {
        let mut objections = Vec::new();
        let path = self.matched(request).unwrap();
        let query = request.uri().query().unwrap_or_default();
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        for (name, _) in &query {
            let is_known = |one: &&Value| one["in"] == "query" && one["name"] == name.as_str();
            if !self.parameters.iter().any(is_known) {
                objections.push(format!("unknown parameter {name}"));
            }
            if query.iter().filter(|(other, _)| other == name).count() > 1 {
                objections.push(format!("parameter {name} is there twice"));
            }
        }
        let mut has_body = false;
        for parameter in &self.parameters {
            let name = parameter["name"].as_str().unwrap();
            let given = match parameter["in"].as_str().unwrap() {
                "path" => &path,
                "query" => &query,
                "body" => {
                    has_body = true;
                    match serde_json::from_slice::<Value>(request.body()) {
                        Ok(body) => {
                            let schema = &parameter["schema"];
                            self.check(schema, &body, "body", &mut objections);
                        }
                        Err(_) => objections.push("the body is no JSON".to_owned()),
                    }
                    continue;
                }
                other => panic!("a parameter in {other}"),
            };
            match given.iter().find(|(known, _)| known == name) {
                Some((_, text)) => check_text(parameter, text, name, &mut objections),
                None if parameter["required"] == true => {
                    objections.push(format!("parameter {name} is missing"));
                }
                None => {}
            }
        }
        let json = request
            .headers()
            .get("content-type")
            .map(|value| value == "application/json");
        match (has_body, request.body().is_empty(), json) {
            (true, false, Some(true)) | (false, true, None) => {}
            other => objections.push(format!("body and content type: {other:?}")),
        }
        for header in ["x-amz-access-token", "user-agent", "x-amz-date"] {
            if !request.headers().contains_key(header) {
                objections.push(format!("header {header} is missing"));
            }
        }
        if request.headers().contains_key("authorization") {
            objections.push("a signature, which Amazon wants no more".to_owned());
        }
        objections
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, objections: &mut Vec<String>) {
        let schema = resolved(self.model, schema);
        let is_enumerated = |list: &Vec<Value>| list.contains(value);
        if schema["enum"]
            .as_array()
            .is_some_and(|list| !is_enumerated(list))
        {
            objections.push(format!("{at} is none of the enumeration"));
        }
        let fits = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_u64() || value.is_i64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            _ => true,
        };
        if !fits {
            objections.push(format!("{at} is no {}", schema["type"]));
        }
        if let (Some(longest), Some(text)) = (schema["maxLength"].as_u64(), value.as_str())
            && text.len() as u64 > longest
        {
            objections.push(format!("{at} is too long"));
        }
        if schema["format"] == "date-time"
            && value
                .as_str()
                .is_none_or(|text| text.parse::<jiff::Timestamp>().is_err())
        {
            objections.push(format!("{at} is no time"));
        }
        if let Some(entries) = value.as_array() {
            check_count(schema, entries.len(), at, objections);
            for (place, entry) in entries.iter().enumerate() {
                self.check(
                    &schema["items"],
                    entry,
                    &format!("{at}[{place}]"),
                    objections,
                );
            }
        }
        if let Some(fields) = value.as_object() {
            self.check_fields(schema, fields, at, objections);
        }
    }

    fn check_fields(
        &self,
        schema: &Value,
        fields: &serde_json::Map<String, Value>,
        at: &str,
        objections: &mut Vec<String>,
    ) {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                objections.push(format!("{at}.{name} is missing"));
            }
        }
        for (name, value) in fields {
            match schema["properties"].get(name) {
                Some(property) => self.check(property, value, &format!("{at}.{name}"), objections),
                None if schema["additionalProperties"] == true => {}
                None => objections.push(format!("{at}.{name} is unknown")),
            }
        }
    }
}

fn check_count(schema: &Value, count: usize, at: &str, objections: &mut Vec<String>) {
    let count = count as u64;
    let too_few = schema["minItems"]
        .as_u64()
        .is_some_and(|least| count < least);
    let too_many = schema["maxItems"].as_u64().is_some_and(|most| count > most);
    if too_few || too_many {
        objections.push(format!("{at} has {count} entries"));
    }
}

/// A parameter of a path or a query: text that must be readable as its type.
fn check_text(parameter: &Value, text: &str, name: &str, objections: &mut Vec<String>) {
    if parameter["type"] == "array" {
        let entries: Vec<&str> = text.split(',').collect();
        check_count(parameter, entries.len(), name, objections);
        for entry in entries {
            check_text(&parameter["items"], entry, name, objections);
        }
        return;
    }
    let wrong_type = match parameter["type"].as_str() {
        Some("integer") => text.parse::<i64>().is_err(),
        Some("boolean") => text.parse::<bool>().is_err(),
        _ => text.is_empty(),
    };
    let is_time = parameter["format"] == "date-time";
    let number = text.parse::<u64>().ok();
    let below = parameter["minimum"]
        .as_u64()
        .is_some_and(|least| number.is_none_or(|n| n < least));
    let above = parameter["maximum"]
        .as_u64()
        .is_some_and(|most| number.is_none_or(|n| n > most));
    let mut values = parameter["enum"].as_array().into_iter().flatten();
    let has_values = parameter["enum"].is_array();
    if wrong_type
        || below
        || above
        || (is_time && text.parse::<jiff::Timestamp>().is_err())
        || (has_values && !values.any(|value| value == text))
    {
        objections.push(format!("parameter {name} does not fit"));
    }
}

fn decoded(segment: &str) -> String {
    let plus = segment.replace('+', "%2B");
    let pairs = url::form_urlencoded::parse(plus.as_bytes()).into_owned();
    pairs.map(|(name, _)| name).collect()
}
