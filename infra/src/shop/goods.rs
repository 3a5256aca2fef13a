//! What the shop sells, and what its customers put into their baskets.

use anyhow::Result;
use kervan::domain::{Listing, ListingId, Money, Offer, OfferId, Sku};
use kervan_marketplaces::Simulators;
use kervan_marketplaces::aliexpress::NewProduct;
use kervan_marketplaces::ebay::{NewListing, NewOrder};

/// A sku of the shop. Amounts are US cents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Good {
    sku: &'static str,
    price: i64,
    product: u64,
    store: u64,
    cost: i64,
}

/// The shop's shelves: eight skus from three stores, so that some orders are split by their supplier.
pub(super) const GOODS: [Good; 8] = [
    Good {
        sku: "LAMP-BRASS",
        price: 34_99,
        product: 1_005_001,
        store: 9_001,
        cost: 14_20,
    },
    Good {
        sku: "LAMP-WHITE",
        price: 29_99,
        product: 1_005_002,
        store: 9_001,
        cost: 11_75,
    },
    Good {
        sku: "TEAPOT-08",
        price: 24_50,
        product: 1_005_003,
        store: 9_002,
        cost: 9_10,
    },
    Good {
        sku: "TEA-GLASS-6",
        price: 18_90,
        product: 1_005_004,
        store: 9_002,
        cost: 6_40,
    },
    Good {
        sku: "RUG-SMALL",
        price: 49_00,
        product: 1_005_005,
        store: 9_003,
        cost: 22_30,
    },
    Good {
        sku: "CUSHION-RED",
        price: 16_99,
        product: 1_005_006,
        store: 9_003,
        cost: 5_95,
    },
    Good {
        sku: "MOSAIC-KIT",
        price: 21_49,
        product: 1_005_007,
        store: 9_001,
        cost: 8_05,
    },
    Good {
        sku: "INCENSE-20",
        price: 12_99,
        product: 1_005_008,
        store: 9_002,
        cost: 3_15,
    },
];

impl Good {
    /// Lists it on eBay with nothing to sell yet, puts it into a store of AliExpress, and makes the catalogue's entries.
    pub(super) fn put_on_sale(
        self,
        simulators: &Simulators,
        stock: u32,
    ) -> Result<(Listing, Offer)> {
        let price = kervan_marketplaces::Money::usd(self.price);
        let listed = simulators
            .ebay
            .add_listing(NewListing::new(self.sku, price, 0));
        let cost = kervan_marketplaces::Money::usd(self.cost);
        let product = NewProduct::simple(self.product, self.store, cost, stock);
        let variant = product
            .skus
            .first()
            .map(|sku| sku.sku_id.to_string())
            .unwrap_or_default();
        simulators.aliexpress.add_product(product)?;
        let sku = Sku::parse(self.sku)?;
        let listing = Listing {
            id: ListingId {
                channel: "ebay:main".parse()?,
                sku: sku.clone(),
                offer: listed.offer_id,
            },
            price: Money {
                minor: self.price,
                currency: "USD".parse()?,
            },
            buffer: 2,
            cap: 100,
            published: None,
            doubt_until: None,
            revisions: Default::default(),
        };
        let offer = Offer {
            id: OfferId::new(
                "aliexpress:main".parse()?,
                &self.product.to_string(),
                &variant,
            )?,
            sku,
            rank: 1,
            ship_to: "US".parse()?,
            evidence: None,
            interval_s: 600,
        };
        Ok((listing, offer))
    }
}

/// The product that fills a sku.
pub(super) fn product(sku: &str) -> Option<u64> {
    let good = GOODS.iter().find(|good| good.sku == sku)?;
    Some(good.product)
}

/// One to three units of one sku, and every third basket a second sku.
pub(super) fn basket(seed: u64, index: u32) -> NewOrder {
    let drawn = mix(seed ^ (u64::from(index) << 32));
    let place = |value: u64| usize::try_from(value % GOODS.len() as u64).unwrap_or(0);
    let first = place(drawn);
    let quantity = u32::try_from(drawn >> 8 & 3).unwrap_or(0).clamp(1, 3);
    let mut lines = vec![(GOODS[first].sku, quantity)];
    if index % 3 == 2 {
        let second = (first + 1 + place(drawn >> 16) % (GOODS.len() - 1)) % GOODS.len();
        lines.push((GOODS[second].sku, 1));
    }
    NewOrder::of(lines)
}

/// SplitMix64: the same number for the same seed on every machine.
const fn mix(seed: u64) -> u64 {
    let mut value = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_fills_the_same_baskets() {
        let skus = |seed| {
            let baskets = (0..20).flat_map(|index| basket(seed, index).lines);
            baskets
                .map(|line| (line.sku, line.quantity))
                .collect::<Vec<_>>()
        };
        assert_eq!(skus(7), skus(7));
        assert_ne!(skus(7), skus(8));
    }
}
