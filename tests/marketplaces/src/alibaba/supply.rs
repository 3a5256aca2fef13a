//! What was done on a supplier's side and lasts, at both platforms.

/// The habits that `SupplierAction` changes. At first there are none.
#[derive(Debug, Clone, Default)]
pub(super) struct Supply {
    /// Tax on top of the goods' price, in hundredths.
    pub(super) tax_percent: u32,
    /// Import charges of an order, in cents.
    pub(super) charges_cents: i64,
    /// What an order costs more than was told, in hundredths.
    pub(super) more_percent: u32,
    /// The buying account may not buy.
    pub(super) is_blocked: bool,
    /// The next order is refused.
    pub(super) refuses_next: bool,
    /// How long each call takes, in milliseconds.
    pub(super) takes_ms: u64,
}

impl Supply {
    /// Whether this order is the one to be refused; only one is.
    pub(super) fn take_refusal(&mut self) -> bool {
        std::mem::take(&mut self.refuses_next)
    }
}

/// So many hundredths of an amount, rounded up: nobody charges less than what is due.
pub(super) fn percent_of(amount: i64, percent: u32) -> i64 {
    let hundredths = amount.saturating_mul(i64::from(percent));
    hundredths / 100 + i64::from(hundredths % 100 > 0)
}
