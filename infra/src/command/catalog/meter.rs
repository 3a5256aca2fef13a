//! How far long work is, on standard error: a bar in a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two lines of progress where there is no terminal to draw a bar on.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Shows progress until it is cleared.
pub(super) struct Meter {
    bar: Option<ProgressBar>,
    total: Option<u64>,
    last_line: Instant,
}

impl Meter {
    /// A bar up to a total, in bytes; without one, something that turns.
    pub(super) fn new(total: Option<u64>) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let (bar, template) = match total {
                Some(total) => (ProgressBar::new(total), "{bar:30} {percent:>3} %  {msg}"),
                None => (ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}"),
            };
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self {
            bar,
            total,
            last_line: Instant::now(),
        }
    }

    /// How far it is, and what to say of it.
    pub(super) fn show(&mut self, done: u64, words: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(words());
        } else if self.last_line.elapsed() >= BETWEEN_LINES {
            self.last_line = Instant::now();
            eprintln!("{}", line(&words(), done, self.total));
        }
    }

    /// Writes something else without tearing the bar.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line(words: &str, done: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => {
            let percent = done.saturating_mul(100) / total.max(1);
            format!("{words} ({percent} % of the file)")
        }
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_line_tells_how_much_of_a_file_was_read_where_that_is_known() {
        assert_eq!(line("3 rows", 50, Some(200)), "3 rows (25 % of the file)");
        assert_eq!(line("3 rows", 0, Some(0)), "3 rows (0 % of the file)");
        assert_eq!(line("3 skus", 3, None), "3 skus");
    }
}
