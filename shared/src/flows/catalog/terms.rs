//! What the merchant says of a sku. A file that does not speak of a term leaves it as it is: a nightly file of prices must
//! not lift a buffer, a floor or the cap of a listing that is being taken down.

use crate::domain::{
    Bundle, Contradiction, CountryCode, Currency, Listing, ListingId, Money, Offer, OfferId,
    Pricing, Sku,
};

/// One term: left as it is, or set. What is new begins with what is usual where its terms are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term<T> {
    /// Nothing is said of it.
    Keep,
    /// It is this from now on.
    Set(T),
}

impl<T> Term<T> {
    /// What is said, if anything.
    pub const fn said(&self) -> Option<&T> {
        match self {
            Self::Keep => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<T: Clone> Term<T> {
    fn over(&self, stored: &T) -> T {
        self.said().unwrap_or(stored).clone()
    }
}

/// What the merchant says of a sku: all of it is put, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Which sku; every listing and offer below is of it.
    pub sku: Sku,
    /// Where it is sold.
    pub listings: Vec<ListingTerms>,
    /// Where it can be bought.
    pub offers: Vec<OfferTerms>,
    /// What it is made of.
    pub bundle: Option<Bundle>,
}

/// What the merchant says of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingTerms {
    /// Which listing.
    pub id: ListingId,
    /// The price, or where the rules begin; 0 where they alone find it. It is said with every listing, because its currency
    /// is that of all other amounts.
    pub price: Money,
    /// Whether the rules find the price.
    pub by_rules: Term<bool>,
    /// The lowest price.
    pub floor: Term<Option<Money>>,
    /// The highest price.
    pub ceiling: Term<Option<Money>>,
    /// The brand's minimum advertised price.
    pub minimum_advertised: Term<Option<Money>>,
    /// The listing that this is a variation of.
    pub variation_of: Term<Option<String>>,
    /// Units that are never offered.
    pub buffer: Term<u32>,
    /// The most units that are shown.
    pub cap: Term<u32>,
}

/// What the merchant says of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferTerms {
    /// Which offer.
    pub id: OfferId,
    /// Of which sku.
    pub sku: Sku,
    /// Lower is tried first.
    pub rank: Term<u32>,
    /// The country for which stock is asked.
    pub ship_to: Term<CountryCode>,
    /// What the shipping of one unit is thought to cost.
    pub shipping: Term<Option<Money>>,
}

impl From<Listing> for ListingTerms {
    /// All of its terms.
    fn from(listing: Listing) -> Self {
        Self {
            id: listing.id,
            price: listing.price,
            by_rules: Term::Set(listing.pricing.by_rules),
            floor: Term::Set(listing.pricing.floor),
            ceiling: Term::Set(listing.pricing.ceiling),
            minimum_advertised: Term::Set(listing.pricing.minimum_advertised),
            variation_of: Term::Set(listing.variation_of),
            buffer: Term::Set(listing.buffer),
            cap: Term::Set(listing.cap),
        }
    }
}

impl From<Offer> for OfferTerms {
    /// All of its terms.
    fn from(offer: Offer) -> Self {
        Self {
            id: offer.id,
            sku: offer.sku,
            rank: Term::Set(offer.rank),
            ship_to: Term::Set(offer.ship_to),
            shipping: Term::Set(offer.shipping),
        }
    }
}

impl ListingTerms {
    /// The listing by these terms: the known one changed, or a new one. The error says what of them does not go together.
    pub(super) fn onto(&self, known: Option<&Listing>) -> Result<Listing, String> {
        let new = || Listing::new(self.id.clone(), self.price);
        let old = known.cloned().unwrap_or_else(new);
        self.check_currency(&old)?;
        let by_rules = self.by_rules.over(&old.pricing.by_rules);
        let is_same_currency = old.price.currency == self.price.currency;
        let pricing = Pricing {
            by_rules,
            floor: self.floor.over(&old.pricing.floor),
            ceiling: self.ceiling.over(&old.pricing.ceiling),
            minimum_advertised: (self.minimum_advertised).over(&old.pricing.minimum_advertised),
            // What waits for a person is a price by the rules, against the price of now.
            held: (old.pricing.held.clone()).filter(|_| by_rules && is_same_currency),
        };
        // What the rules came to stays until they come to something else.
        let stays = by_rules && is_same_currency && old.price.minor > 0;
        let price = if stays { old.price } else { self.price };
        if !by_rules && price.minor <= 0 {
            return Err(format!(
                "{} would have a fixed price and none is given: give a price, as 19.99",
                self.name()
            ));
        }
        // A price by the rules keeps to the limits by itself.
        let fixed = Some(price).filter(|_| !by_rules);
        if let Some(contradiction) = pricing.contradictions(fixed).first() {
            return Err(self.contradiction(*contradiction, price, &pricing));
        }
        Ok(Listing {
            price,
            pricing,
            variation_of: self.variation_of.over(&old.variation_of),
            buffer: self.buffer.over(&old.buffer),
            cap: self.cap.over(&old.cap),
            ..old
        })
    }

    /// Limits have no currency of their own in a file: one that is kept would be read in the new one.
    fn check_currency(&self, old: &Listing) -> Result<(), String> {
        let pricing = &old.pricing;
        let kept = [
            ("floor", &self.floor, pricing.floor),
            ("ceiling", &self.ceiling, pricing.ceiling),
            ("map", &self.minimum_advertised, pricing.minimum_advertised),
        ];
        let is_other = |money: Money| money.currency != self.price.currency;
        for (name, term, stored) in kept {
            if let (Term::Keep, Some(stored)) = (term, stored.filter(|money| is_other(*money))) {
                let currency: Currency = self.price.currency;
                return Err(format!(
                    "{} changes to {currency} and has a {name} of {stored}: give {name} too, empty where there is none",
                    self.name()
                ));
            }
        }
        Ok(())
    }

    fn contradiction(&self, what: Contradiction, price: Money, pricing: &Pricing) -> String {
        let text = |money: Option<Money>| money.map(|it| it.to_string()).unwrap_or_default();
        let (floor, ceiling) = (text(pricing.floor), text(pricing.ceiling));
        let minimum = text(pricing.minimum_advertised);
        let problem = match what {
            Contradiction::FloorAboveCeiling => {
                format!("a floor of {floor} above its ceiling of {ceiling}")
            }
            Contradiction::BelowFloor => format!("a price of {price} below its floor of {floor}"),
            Contradiction::AboveCeiling => {
                format!("a price of {price} above its ceiling of {ceiling}")
            }
            Contradiction::BelowMinimum => {
                format!("a price of {price} below its minimum advertised price (map) of {minimum}")
            }
        };
        let name = self.name();
        format!(
            "{name} would have {problem}: change one of them; what the file does not have stays as it is"
        )
    }

    fn name(&self) -> String {
        format!("the listing {}/{}", self.id.channel, self.id.offer)
    }
}

impl OfferTerms {
    /// The offer by these terms: the known one changed, or a new one.
    pub(super) fn onto(&self, known: Option<&Offer>) -> Offer {
        let new = || Offer::usual(self.id.clone(), self.sku.clone());
        let old = known.cloned().unwrap_or_else(new);
        Offer {
            rank: self.rank.over(&old.rank),
            ship_to: self.ship_to.over(&old.ship_to),
            shipping: self.shipping.over(&old.shipping),
            ..old
        }
    }
}
