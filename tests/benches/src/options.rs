//! The benches' options, as `--name value`.

use std::ffi::OsString;

/// The options of this run. Cargo adds `--bench` by itself.
#[derive(Debug, Clone)]
pub struct Options(Vec<String>);

impl Options {
    /// Those that the program was started with. Text that is not Unicode is no option of ours.
    pub fn of_program() -> Self {
        let texts = std::env::args_os().skip(1).map(OsString::into_string);
        Self(texts.filter_map(Result::ok).collect())
    }

    /// The value after `--name`, or the default.
    ///
    /// # Errors
    /// Where it is missing or is not what is wanted.
    pub fn value<T: std::str::FromStr>(&self, name: &str, usual: T) -> anyhow::Result<T> {
        let Some(place) = self.0.iter().position(|it| it == name) else {
            return Ok(usual);
        };
        let value = self.0.get(place + 1).and_then(|text| text.parse().ok());
        value.ok_or_else(|| anyhow::anyhow!("{name} needs a value: cargo kervan bench --help"))
    }

    /// Whether `--name` is there.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|it| it == name)
    }
}
