//! What the tests share.

use kervan_end_to_end::{World, WorldOptions};

/// A world whose merchant sells one lamp, of which the supplier has ten.
pub(crate) async fn world() -> World {
    World::with_lamp(WorldOptions::default(), 10).await.unwrap()
}
