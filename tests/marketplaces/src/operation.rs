//! The names of calls, written once for a marketplace.

use serde::de::DeserializeOwned;

/// A call that is counted, limited and can be made to fail. Read from JSON, an unknown name is an error that lists all.
pub trait Operation: Copy + Send + DeserializeOwned + 'static {
    /// The name in counters and in the control interface.
    fn name(self) -> &'static str;
}

/// Declares the operations of a marketplace with their names, and `Any` before them.
macro_rules! operations {
    (
        $(#[$about:meta])*
        pub enum $operation:ident {
            $($(#[$doc:meta])* $variant:ident = $name:literal,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $operation {
            /// Stands for every operation in `fail_next` and in limits.
            #[serde(rename = "any")]
            Any,
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl $operation {
            /// Every operation but `Any`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in counters and in the control interface.
            pub fn name(self) -> &'static str {
                match self {
                    Self::Any => crate::fault::ANY,
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl crate::operation::Operation for $operation {
            fn name(self) -> &'static str {
                self.name()
            }
        }
    };
}

pub(crate) use operations;
