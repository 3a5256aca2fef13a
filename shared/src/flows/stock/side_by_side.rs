//! Listings are read and written some at a time.

use crate::flows::FlowError;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};

/// Reading or writing a listing, or a few that have to come one after the other.
pub(super) type Work<'a, T> = BoxFuture<'a, Result<T, FlowError>>;

/// Does works, so many at a time; the results are in their order. The first failure is that of all, and leaves those that
/// were at work as if the function had been cut off there.
pub(super) async fn side_by_side<T>(
    works: Vec<Work<'_, T>>,
    at_once: usize,
) -> Result<Vec<T>, FlowError> {
    stream::iter(works).buffered(at_once).try_collect().await
}
