//! Addresses of channels have more parts than suppliers take.

/// One line of the parts that no field of its own takes, in their order. What is empty, or said already in a line or a field
/// beside it, is left out.
pub(in crate::marketplaces) fn second_line<'a>(
    parts: impl IntoIterator<Item = &'a str>,
    beside: &[&str],
) -> String {
    let mut line: Vec<&str> = Vec::new();
    for part in parts {
        let part = part.trim();
        let says = |text: &&str| text.to_lowercase().contains(&part.to_lowercase());
        if !part.is_empty() && !beside.iter().chain(&line).any(says) {
            line.push(part);
        }
    }
    line.join(", ")
}

#[cfg(test)]
mod tests {
    use super::second_line;

    #[test]
    fn what_has_no_field_is_said_once() {
        let beside = ["Rua das Flores 12", "São Paulo"];
        assert_eq!(
            second_line(["Apto 4", " Jardins ", "", "são paulo"], &beside),
            "Apto 4, Jardins"
        );
        assert_eq!(second_line(["Flat 2", "flat 2"], &beside), "Flat 2");
        assert_eq!(second_line(["", " "], &beside), "");
    }
}
