//! What carriers write about parcels.

/// Texts of tracking events in the words that carriers of AliExpress's parcels use, and whether the customer has the
/// parcel then. Neither page has a table of them, and they go on without end.
pub const CARRIER_TEXTS: [(&str, bool); 12] = [
    ("Package delivered", true),
    ("Delivered", true),
    ("[Exampleton] Received by local delivery company", false),
    ("Awaiting for transit to final delivery office", false),
    ("Your package arrived at local Facility.", false),
    ("Package collected by carrier.", false),
    ("Out for delivery", false),
    (
        "Arrived at pick-up point. Package available for collection.",
        false,
    ),
    (
        "Delivery attempt unsuccessful.Unable to deliver to mailbox",
        false,
    ),
    ("Delivery Attempt Failure", false),
    ("Accepted for transportation by postal service", false),
    // An event with a name and no words.
    ("", false),
];
