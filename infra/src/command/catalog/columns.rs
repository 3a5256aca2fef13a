//! The columns of a catalogue file, which are the fields of a document too.

/// A column of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Sku,
    Channel,
    ListingOfferId,
    Price,
    Currency,
    Pricing,
    Floor,
    Ceiling,
    Map,
    VariationOf,
    Buffer,
    Cap,
    Supplier,
    ProductId,
    VariantId,
    Rank,
    ShipTo,
    Shipping,
    Parts,
}

/// How many columns there are.
pub(super) const COLUMNS: usize = Column::ALL.len();

impl Column {
    pub(super) const ALL: [Self; 19] = [
        Self::Sku,
        Self::Channel,
        Self::ListingOfferId,
        Self::Price,
        Self::Currency,
        Self::Pricing,
        Self::Floor,
        Self::Ceiling,
        Self::Map,
        Self::VariationOf,
        Self::Buffer,
        Self::Cap,
        Self::Supplier,
        Self::ProductId,
        Self::VariantId,
        Self::Rank,
        Self::ShipTo,
        Self::Shipping,
        Self::Parts,
    ];

    /// What says something of a listing. The currency is not among them: an offer's shipping can be in it too.
    pub(super) const OF_LISTING: [Self; 10] = [
        Self::Channel,
        Self::ListingOfferId,
        Self::Price,
        Self::Pricing,
        Self::Floor,
        Self::Ceiling,
        Self::Map,
        Self::VariationOf,
        Self::Buffer,
        Self::Cap,
    ];

    /// What says something of an offer.
    pub(super) const OF_OFFER: [Self; 6] = [
        Self::Supplier,
        Self::ProductId,
        Self::VariantId,
        Self::Rank,
        Self::ShipTo,
        Self::Shipping,
    ];

    /// What a file of listings must have.
    pub(super) const LISTING_NEEDS: [Self; 4] = [
        Self::Channel,
        Self::ListingOfferId,
        Self::Price,
        Self::Currency,
    ];

    /// What a file of offers must have.
    pub(super) const OFFER_NEEDS: [Self; 3] = [Self::Supplier, Self::ProductId, Self::VariantId];

    /// The column of this name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|column| name.eq_ignore_ascii_case(column.name()))
    }

    /// As the header has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sku => "sku",
            Self::Channel => "channel",
            Self::ListingOfferId => "listing_offer_id",
            Self::Price => "price",
            Self::Currency => "currency",
            Self::Pricing => "pricing",
            Self::Floor => "floor",
            Self::Ceiling => "ceiling",
            Self::Map => "map",
            Self::VariationOf => "variation_of",
            Self::Buffer => "buffer",
            Self::Cap => "cap",
            Self::Supplier => "supplier",
            Self::ProductId => "product_id",
            Self::VariantId => "variant_id",
            Self::Rank => "rank",
            Self::ShipTo => "ship_to",
            Self::Shipping => "shipping",
            Self::Parts => "parts",
        }
    }

    /// What counts where the cell is empty; `None` where it must be given, or may be nothing.
    pub(super) const fn default(self) -> Option<&'static str> {
        match self {
            Self::Buffer => Some("0"),
            Self::Cap => Some("50"),
            Self::Rank => Some("1"),
            Self::ShipTo => Some("US"),
            _ => None,
        }
    }
}
