//! Forms and query strings, decoded without losing the order or repeated names.

use percent_encoding::percent_decode;

/// The pairs of an `application/x-www-form-urlencoded` text. Text that is not UTF-8 after decoding is replaced.
pub(crate) fn parse(raw: &[u8]) -> Vec<(String, String)> {
    raw.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let name = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            (decode(name), decode(value))
        })
        .collect()
}

/// The first value of a name in a query string.
pub(crate) fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    parse(query.unwrap_or_default().as_bytes())
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

fn decode(text: &[u8]) -> String {
    let spaced: Vec<u8> = text
        .iter()
        .map(|&byte| if byte == b'+' { b' ' } else { byte })
        .collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}
