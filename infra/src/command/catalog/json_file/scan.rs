//! Where a document ends.

/// Follows brackets and quotation marks from the bracket that opens a document.
#[derive(Debug, Default)]
pub(super) struct Scan {
    depth: usize,
    in_text: bool,
    is_escaped: bool,
    /// The latest byte outside of texts that is no blank.
    before: u8,
}

/// What a byte came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The document goes on.
    On,
    /// It ends here.
    End,
    /// It can be no document any more: another begins where none may, or a line ends inside of a text.
    Broken,
}

impl Scan {
    pub(super) fn take(&mut self, byte: u8) -> Step {
        if self.is_escaped {
            self.is_escaped = false;
            return Step::On;
        }
        if self.in_text {
            self.is_escaped = byte == b'\\';
            self.in_text = byte != b'"';
            return if byte == b'\n' {
                Step::Broken
            } else {
                Step::On
            };
        }
        let before = self.before;
        if !byte.is_ascii_whitespace() {
            self.before = byte;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => {
                self.depth += 1;
                let is_first = self.depth == 1;
                if byte == b'{' && !is_first && !matches!(before, b'[' | b',' | b':') {
                    return Step::Broken;
                }
            }
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth == 0 { Step::End } else { Step::On }
    }
}
