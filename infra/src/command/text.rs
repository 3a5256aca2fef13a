//! How the merchant's tools write times, ages and words from outside.

use jiff::Timestamp;

/// A time to the second, in UTC: `2026-02-03 04:05:06Z`.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// How long ago something was, in its largest unit: `45 s`, `12 min`, `5 h`, `3 d`. Clocks that disagree give `0 s`.
pub(super) fn age(now: Timestamp, at: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Text that a marketplace or a file has given, without what could move a terminal's cursor or change its colours.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// A word as a shell takes it, in quotes where it needs them.
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,=@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// `1 row`, `2 rows`.
pub(super) fn count(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// Lines of cells, each cell as wide as the widest of its column but the last.
pub(super) fn aligned(indent: &str, rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::from(indent);
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        let now: Timestamp = "2026-02-03T04:05:06.789Z".parse().unwrap();
        let before = |seconds| Timestamp::from_second(now.as_second() - seconds).unwrap();
        assert_eq!(time(now), "2026-02-03 04:05:06Z");
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (7200, "2 h"),
            (200_000, "2 d"),
            (-50, "0 s"),
        ] {
            assert_eq!(age(now, before(seconds)), text);
        }
    }

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(plain("MUG\u{1b}[2J"), "MUG\u{fffd}[2J");
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_more_into_it() {
        assert_eq!(shell_word("ebay:main/01-12345"), "ebay:main/01-12345");
        assert_eq!(shell_word("ebay:main/110-22!3"), "'ebay:main/110-22!3'");
        assert_eq!(
            shell_word("the supplier's site"),
            "'the supplier'\\''s site'"
        );
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn cells_stand_below_each_other() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(
            aligned(" ", &[row("a", "1"), row("bbb", "")]),
            " a    1\n bbb\n"
        );
    }
}
