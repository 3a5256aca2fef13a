//! Mutations of known answers: as JSON and XML are broken in practice, and as bytes are.

use kervan_marketplaces::Random;
use serde_json::{Value, json};

/// A mutation of a seed, the same for the same numbers.
pub fn mutate(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let head = [byte(random), byte(random)];
    // Most answers come with a success, or the decoders of successes would never be reached.
    let status = if random.below(3) == 0 { head[0] } else { 0 };
    let mut input = vec![status, head[1] % 2];
    let body = match serde_json::from_slice::<Value>(seed) {
        Ok(mut value) if random.below(4) > 0 => {
            for _ in 0..=random.below(4) {
                change(&mut value, random, 0);
            }
            value.to_string().into_bytes()
        }
        Err(_) if seed.starts_with(b"<") && random.below(4) > 0 => {
            let mut text = String::from_utf8_lossy(seed).into_owned();
            for _ in 0..=random.below(4) {
                text = xml(&text, random);
            }
            text.into_bytes()
        }
        _ => bytes(seed, random),
    };
    input.extend(body);
    input
}

fn byte(random: &mut Random) -> u8 {
    u8::try_from(random.below(256)).unwrap_or_default()
}

/// Changes one value somewhere inside.
fn change(value: &mut Value, random: &mut Random, depth: u32) {
    let goes_deeper = depth < 12 && random.below(5) > 0;
    match value {
        Value::Object(fields) if goes_deeper && !fields.is_empty() => {
            let place = below(random, fields.len());
            let Some(name) = fields.keys().nth(place).cloned() else {
                return;
            };
            match random.below(16) {
                0 => drop(fields.remove(&name)),
                1 => drop(fields.insert("unheard_of".to_owned(), json!({"a": [1]}))),
                _ => {
                    if let Some(inner) = fields.get_mut(&name) {
                        change(inner, random, depth + 1);
                    }
                }
            }
        }
        Value::Array(items) if goes_deeper && !items.is_empty() => {
            let place = below(random, items.len());
            match random.below(12) {
                0 => drop(items.remove(place)),
                1 => items.push(items[place].clone()),
                _ => change(&mut items[place], random, depth + 1),
            }
        }
        Value::String(text) if text.starts_with('<') && random.below(4) > 0 => {
            *text = xml(text, random);
        }
        other => *other = another(other, random),
    }
}

/// Drops an element without others in it, doubles it, or gives it another text.
fn xml(text: &str, random: &mut Random) -> String {
    let leaves: Vec<(usize, usize, usize, usize)> = text
        .match_indices('<')
        .filter_map(|(start, _)| {
            let name: String = text[start + 1..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':')
                .collect();
            let from = start + text[start..].find('>')? + 1;
            let to = from + text[from..].find('<')?;
            let end = format!("</{name}>");
            let is_leaf = !name.is_empty() && text[to..].starts_with(&end);
            is_leaf.then_some((start, from, to, to + end.len()))
        })
        .collect();
    if leaves.is_empty() {
        return text.to_owned();
    }
    let (start, from, to, end) = leaves[below(random, leaves.len())];
    let (before, leaf, after) = (&text[..start], &text[start..end], &text[end..]);
    match random.below(6) {
        0 => format!("{before}{after}"),
        1 => format!("{before}{leaf}{leaf}{after}"),
        _ => {
            let other = match another(&Value::String(text[from..to].to_owned()), random) {
                Value::String(other) => other,
                other => other.to_string(),
            };
            // A reader that takes these has to resolve them.
            let other = other.replace('&', "&amp;").replace('<', "&lt;");
            format!("{}{other}{}", &text[..from], &text[to..])
        }
    }
}

/// What a marketplace might write in place of a value, or should not.
fn another(value: &Value, random: &mut Random) -> Value {
    match random.below(16) {
        0 => Value::Null,
        1 => json!(""),
        2 => json!({}),
        3 => json!([]),
        4 => json!([value]),
        5 => json!({ "wrapped": value }),
        6 => json!(value.to_string()),
        7 => value
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or(Value::Null),
        8 => json!(-1),
        9 => json!(u64::MAX),
        10 => json!("99999999999999999999999999.999"),
        11 => json!(1e300),
        12 => json!("SOMETHING_NEW"),
        13 => json!("\u{0}\u{202e}ß漢字"),
        14 => json!("2999-13-45T99:99:99Z"),
        _ => json!(!value.as_bool().unwrap_or_default()),
    }
}

/// Breaks bytes off, in, and apart.
fn bytes(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut body = seed.to_vec();
    for _ in 0..=random.below(4) {
        let place = below(random, body.len().max(1));
        match random.below(8) {
            0 => body.truncate(place),
            1 if place < body.len() => drop(body.remove(place)),
            2 => body.insert(place.min(body.len()), byte(random)),
            3 => body = b"<html><body>502 Bad Gateway</body></html>".to_vec(),
            4 => body.extend_from_within(..place.min(body.len())),
            5 => body.splice(..0, *b"\xef\xbb\xbf").for_each(drop),
            _ if place < body.len() => body[place] = byte(random),
            _ => {}
        }
    }
    body
}

fn below(random: &mut Random, end: usize) -> usize {
    let end = u64::try_from(end).unwrap_or(1).max(1);
    usize::try_from(random.below(end)).unwrap_or_default()
}
