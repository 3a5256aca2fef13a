//! What can be done to a call that a function makes.

/// What becomes of one call. Everything but [`Fault::None`] is something that a network, a marketplace, AWS or the
/// function's own process really does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It goes through.
    None,
    /// The process ends before the call is made.
    CrashBefore,
    /// The call has its effect, and the process ends before it sees the answer.
    CrashAfter,
    /// No answer, and no effect.
    TimeoutNotDone,
    /// No answer, but the effect.
    TimeoutDone,
    /// The other side answers that it cannot now, without effect.
    Error,
    /// No connection; of a table's write: another transaction is at work on the same items. Without effect.
    Refused,
    /// No answer, and the effect comes late: as late as the protocol allows for, or somewhere before.
    Late,
    /// The process stands still before the call until its leases have run out, and then goes on as if nothing were.
    Stall,
    /// The call arrives twice; the answer is that of the second.
    Twice,
    /// Whatever else can happen within seconds happens before this call.
    Overtaken,
}

impl Fault {
    /// Every fault, in the order in which they are tried.
    pub const ALL: [Self; 10] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::TimeoutNotDone,
        Self::TimeoutDone,
        Self::Error,
        Self::Refused,
        Self::Late,
        Self::Stall,
        Self::Twice,
        Self::Overtaken,
    ];

    /// As it is written on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::CrashBefore => "crash_before",
            Self::CrashAfter => "crash_after",
            Self::TimeoutNotDone => "timeout_not_done",
            Self::TimeoutDone => "timeout_done",
            Self::Error => "error",
            Self::Refused => "refused",
            Self::Late => "late",
            Self::Stall => "stall",
            Self::Twice => "twice",
            Self::Overtaken => "overtaken",
        }
    }

    /// As a trace shows it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "",
            Self::CrashBefore => "the process ends before the call",
            Self::CrashAfter => "done, and the process ends before the answer",
            Self::TimeoutNotDone => "no answer, not done",
            Self::TimeoutDone => "no answer, but done",
            Self::Error => "answered with an error, not done",
            Self::Refused => "refused, not done",
            Self::Late => "no answer; it is done later",
            Self::Stall => "the process stands still past its lease",
            Self::Twice => "delivered twice",
            Self::Overtaken => "overtaken by everything else",
        }
    }
}
