//! The old gateway's own form: the JSON's names as elements, without attributes.

use serde_json::Value;

/// A JSON answer as a document.
pub(in crate::aliexpress) fn document(body: &Value) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"utf-8\" ?>".to_owned();
    write(body, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                // A list's elements repeat its name.
                let entries = match field {
                    Value::Array(entries) => entries.as_slice(),
                    single => std::slice::from_ref(single),
                };
                for entry in entries {
                    text.push_str(&format!("<{name}>"));
                    write(entry, text);
                    text.push_str(&format!("</{name}>"));
                }
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| write(entry, text)),
        Value::Null => {}
        Value::String(raw) => {
            let escaped = raw
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;");
            text.push_str(&escaped);
        }
        other => text.push_str(&other.to_string()),
    }
}
