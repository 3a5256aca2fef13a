//! Running cases and naming those that failed.

use std::{future::Future, pin::Pin};

/// A named piece of behaviour.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Cases out of async functions that take the same argument.
macro_rules! cases {
    ($given:expr; $($case:ident),+ $(,)?) => {
        vec![$($crate::ports::cases::Case {
            name: stringify!($case),
            run: Box::pin($case($given.clone())),
        }),+]
    };
}
pub(crate) use cases;

/// Runs all in their order and fails with the names of the failed.
pub(crate) async fn run(implementation: &str, cases: Vec<Case>) {
    let mut failed = Vec::new();
    for case in cases {
        if tokio::spawn(case.run).await.is_err() {
            failed.push(case.name);
        }
    }
    assert!(failed.is_empty(), "{implementation} fails: {failed:#?}");
}
