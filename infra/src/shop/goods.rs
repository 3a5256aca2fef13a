//! What the shop sells, and what its customers put into their baskets.

use anyhow::Result;
use kervan::domain::{Listing, ListingId, Money, Offer, OfferId, Sku};
use kervan_marketplaces::alibaba::icbu::IcbuProduct;
use kervan_marketplaces::aliexpress::NewProduct;
use kervan_marketplaces::amazon::{AmazonNewListing, AmazonNewOrder};
use kervan_marketplaces::ebay::{NewListing, NewOrder};
use kervan_marketplaces::{Simulators, defaults};

/// The customer's order, at the marketplace where it is bought.
#[derive(Debug, Clone)]
pub enum Basket {
    /// Bought at Amazon.
    Amazon(AmazonNewOrder),
    /// Bought at eBay.
    Ebay(NewOrder),
}

impl From<AmazonNewOrder> for Basket {
    fn from(order: AmazonNewOrder) -> Self {
        Self::Amazon(order)
    }
}

impl From<NewOrder> for Basket {
    fn from(order: NewOrder) -> Self {
        Self::Ebay(order)
    }
}

/// Where the shop sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Amazon,
    Ebay,
}

/// Where the shop buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Supplier {
    AliExpress,
    Alibaba,
}

/// A supplier's product that fills a sku. The cost is in US cents.
#[derive(Debug, Clone, Copy)]
struct Product {
    at: Supplier,
    id: u64,
    /// A store of AliExpress, a company of Alibaba.com.
    seller: u64,
    cost: i64,
}

/// A sku of the shop. The price is in US cents; of the products the first is bought as long as there is enough of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Good {
    sku: &'static str,
    price: i64,
    channels: &'static [Channel],
    products: &'static [Product],
}

const BOTH: &[Channel] = &[Channel::Amazon, Channel::Ebay];
const AMAZON: &[Channel] = &[Channel::Amazon];
const EBAY: &[Channel] = &[Channel::Ebay];

const fn aliexpress(id: u64, seller: u64, cost: i64) -> Product {
    let at = Supplier::AliExpress;
    Product {
        at,
        id,
        seller,
        cost,
    }
}

const fn alibaba(id: u64, seller: u64, cost: i64) -> Product {
    let at = Supplier::Alibaba;
    Product {
        at,
        id,
        seller,
        cost,
    }
}

const fn good(
    sku: &'static str,
    price: i64,
    channels: &'static [Channel],
    products: &'static [Product],
) -> Good {
    Good {
        sku,
        price,
        channels,
        products,
    }
}

/// The shop's shelves: sold at one marketplace or at both, bought at one or, where that has too few, at the other; from
/// three stores of AliExpress, so that some purchases are split there, and from two companies at Alibaba.com.
pub(super) const GOODS: [Good; 14] = [
    good(
        "LAMP-BRASS",
        34_99,
        BOTH,
        &[aliexpress(1_005_001, 9_001, 14_20)],
    ),
    good(
        "LAMP-WHITE",
        29_99,
        EBAY,
        &[aliexpress(1_005_002, 9_001, 11_75)],
    ),
    good(
        "TEAPOT-08",
        24_50,
        BOTH,
        &[aliexpress(1_005_003, 9_002, 9_10)],
    ),
    good(
        "TEA-GLASS-6",
        18_90,
        EBAY,
        &[aliexpress(1_005_004, 9_002, 6_40)],
    ),
    good(
        "RUG-SMALL",
        49_00,
        BOTH,
        &[aliexpress(1_005_005, 9_003, 22_30)],
    ),
    good(
        "CUSHION-RED",
        16_99,
        BOTH,
        &[aliexpress(1_005_006, 9_003, 5_95)],
    ),
    good(
        "MOSAIC-KIT",
        21_49,
        EBAY,
        &[aliexpress(1_005_007, 9_001, 8_05)],
    ),
    good(
        "SOAP-OLIVE-6",
        15_50,
        AMAZON,
        &[aliexpress(1_005_008, 9_002, 4_60)],
    ),
    good(
        "INCENSE-20",
        14_99,
        BOTH,
        &[
            aliexpress(1_005_009, 9_002, 3_15),
            alibaba(1_600_009, 7_001, 2_80),
        ],
    ),
    good(
        "LANTERN-STAR",
        39_90,
        BOTH,
        &[
            alibaba(1_600_001, 7_001, 16_40),
            aliexpress(1_005_010, 9_001, 19_90),
        ],
    ),
    good(
        "TRAY-COPPER",
        44_00,
        AMAZON,
        &[alibaba(1_600_002, 7_001, 18_25)],
    ),
    good(
        "SCARF-SILK",
        27_50,
        BOTH,
        &[alibaba(1_600_003, 7_002, 9_80)],
    ),
    good(
        "PLATE-IZNIK",
        32_00,
        EBAY,
        &[alibaba(1_600_004, 7_002, 12_60)],
    ),
    good(
        "COFFEE-SET-2",
        36_75,
        AMAZON,
        &[
            alibaba(1_600_005, 7_002, 13_90),
            aliexpress(1_005_011, 9_002, 15_10),
        ],
    ),
];

impl Good {
    /// Lists it with nothing to sell yet, has its suppliers stock it, and makes the catalogue's entries.
    pub(super) fn put_on_sale(
        self,
        simulators: &Simulators,
        stock: u32,
    ) -> Result<(Vec<Listing>, Vec<Offer>)> {
        let listings = self.channels.iter();
        let listings = listings.map(|channel| self.list(simulators, *channel));
        let mut offers = Vec::new();
        for (product, rank) in self.products.iter().zip(1..) {
            offers.push(self.stock(simulators, *product, rank, stock)?);
        }
        Ok((listings.collect::<Result<_>>()?, offers))
    }

    fn list(self, simulators: &Simulators, channel: Channel) -> Result<Listing> {
        let price = kervan_marketplaces::Money::usd(self.price);
        let (channel, offer) = match channel {
            Channel::Amazon => {
                let new = AmazonNewListing::new(self.sku, price, 0);
                simulators.amazon.add_listing(new);
                ("amazon:main", defaults::AMAZON_MARKETPLACE_ID.to_owned())
            }
            Channel::Ebay => {
                let new = NewListing::new(self.sku, price, 0);
                ("ebay:main", simulators.ebay.add_listing(new).offer_id)
            }
        };
        let id = ListingId {
            channel: channel.parse()?,
            sku: Sku::parse(self.sku)?,
            offer,
        };
        let price = Money {
            minor: self.price,
            currency: "USD".parse()?,
        };
        Ok(Listing {
            buffer: 2,
            cap: 100,
            ..Listing::new(id, price)
        })
    }

    fn stock(
        self,
        simulators: &Simulators,
        product: Product,
        rank: u32,
        stock: u32,
    ) -> Result<Offer> {
        let cost = kervan_marketplaces::Money::usd(product.cost);
        let (supplier, variant) = match product.at {
            Supplier::AliExpress => {
                let new = NewProduct::simple(product.id, product.seller, cost, stock);
                let variant = new.skus.first().map(|sku| sku.sku_id);
                simulators.aliexpress.add_product(new)?;
                ("aliexpress:main", variant)
            }
            Supplier::Alibaba => {
                let company = product.seller.to_string();
                let price = cost.decimal();
                let new = IcbuProduct::simple(product.id, &company, &price, "CN", stock);
                let variant = new.skus.first().map(|sku| sku.sku_id);
                simulators.icbu.add_product(new)?;
                ("alibaba:main", variant)
            }
        };
        let variant = variant.unwrap_or_default().to_string();
        Ok(Offer {
            id: OfferId::new(supplier.parse()?, &product.id.to_string(), &variant)?,
            sku: Sku::parse(self.sku)?,
            rank,
            ship_to: "US".parse()?,
            shipping: None,
            evidence: None,
            interval_s: 600,
        })
    }

    fn is_sold_at(&self, channel: Channel) -> bool {
        self.channels.contains(&channel)
    }

    /// Where it is bought as long as there is enough of it.
    fn first_supplier(&self) -> Option<Supplier> {
        self.products.first().map(|product| product.at)
    }
}

/// The product of AliExpress that fills a sku.
pub(super) fn product(sku: &str) -> Option<u64> {
    let good = GOODS.iter().find(|good| good.sku == sku)?;
    let mut products = good.products.iter();
    let product = products.find(|product| product.at == Supplier::AliExpress)?;
    Some(product.id)
}

/// One to three units of one sku, bought at the two channels in turn. Every third basket holds a sku of the other supplier
/// too, and every fourth one more of the same supplier.
pub(super) fn basket(seed: u64, index: u32) -> Basket {
    let channel = if index.is_multiple_of(2) {
        Channel::Amazon
    } else {
        Channel::Ebay
    };
    let mut draw = Draw::new(seed, index);
    let shelf = |fits: &dyn Fn(&Good) -> bool| {
        let goods = GOODS.iter().filter(|good| good.is_sold_at(channel));
        goods.filter(|good| fits(good)).collect::<Vec<_>>()
    };
    let quantity = draw.quantity();
    let mut lines = Vec::new();
    if let Some(first) = draw.one(&shelf(&|_| true)) {
        lines.push((first.sku, quantity));
        let (sku, supplier) = (first.sku, first.first_supplier());
        let other = shelf(&|good| good.first_supplier() != supplier);
        let same = shelf(&|good| good.first_supplier() == supplier && good.sku != sku);
        let more = [(index % 3 == 2, other), (index % 4 == 3, same)];
        for (_, goods) in more.iter().filter(|(wanted, _)| *wanted) {
            lines.extend(draw.one(goods).map(|good| (good.sku, 1)));
        }
    }
    match channel {
        Channel::Amazon => AmazonNewOrder::of(lines).into(),
        Channel::Ebay => NewOrder::of(lines).into(),
    }
}

/// A basket of eBay with skus that AliExpress alone has; every third holds two of them.
pub(super) fn ebay_basket(seed: u64, index: u32) -> NewOrder {
    let is_simple = |good: &&Good| {
        good.is_sold_at(Channel::Ebay)
            && good.products.len() == 1
            && good.first_supplier() == Some(Supplier::AliExpress)
    };
    let mut shelf: Vec<&Good> = GOODS.iter().filter(is_simple).collect();
    let mut draw = Draw::new(seed, index);
    let quantity = draw.quantity();
    let mut lines = Vec::new();
    if let Some(first) = draw.one(&shelf) {
        lines.push((first.sku, quantity));
        shelf.retain(|good| good.sku != first.sku);
    }
    if index % 3 == 2 {
        lines.extend(draw.one(&shelf).map(|good| (good.sku, 1)));
    }
    NewOrder::of(lines)
}

/// What a customer does, drawn with SplitMix64: the same for the same seed on every machine.
struct Draw(u64);

impl Draw {
    fn new(seed: u64, index: u32) -> Self {
        Self(seed ^ (u64::from(index) << 32))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    fn quantity(&mut self) -> u32 {
        u32::try_from(self.next() & 3).unwrap_or(0).clamp(1, 3)
    }

    fn one(&mut self, goods: &[&'static Good]) -> Option<&'static Good> {
        let count = u64::try_from(goods.len()).unwrap_or(0).max(1);
        let place = usize::try_from(self.next() % count).unwrap_or(0);
        goods.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn lines(basket: Basket) -> Vec<(String, u32)> {
        match basket {
            Basket::Amazon(order) => {
                let lines = order.lines.into_iter();
                lines.map(|line| (line.sku, line.quantity)).collect()
            }
            Basket::Ebay(order) => {
                let lines = order.lines.into_iter();
                lines.map(|line| (line.sku, line.quantity)).collect()
            }
        }
    }

    fn of(sku: &str) -> &'static Good {
        GOODS.iter().find(|good| good.sku == sku).unwrap()
    }

    #[test]
    fn the_same_seed_fills_the_same_baskets() {
        let of_all = |seed| {
            let baskets = (0..20).map(|index| lines(basket(seed, index)));
            baskets.collect::<Vec<_>>()
        };
        assert_eq!(of_all(7), of_all(7));
        assert_ne!(of_all(7), of_all(8));
    }

    #[test]
    fn a_basket_holds_what_its_channel_sells_each_sku_once() {
        for index in 0..500 {
            let basket = basket(3, index);
            let channel = match basket {
                Basket::Amazon(_) => Channel::Amazon,
                Basket::Ebay(_) => Channel::Ebay,
            };
            let lines = lines(basket);
            let skus: BTreeSet<&String> = lines.iter().map(|(sku, _)| sku).collect();
            assert_eq!(skus.len(), lines.len());
            assert!(lines.iter().all(|(sku, _)| of(sku).is_sold_at(channel)));
            let suppliers = lines.iter().map(|(sku, _)| of(sku).first_supplier());
            let first = suppliers.clone().next().unwrap();
            let is_mixed = suppliers.clone().any(|supplier| supplier != first);
            assert_eq!(is_mixed, index % 3 == 2, "basket {index}");
        }
    }

    #[test]
    fn a_simple_basket_is_filled_by_aliexpress_alone() {
        for index in 0..500 {
            let basket = ebay_basket(3, index);
            let skus: BTreeSet<&String> = basket.lines.iter().map(|line| &line.sku).collect();
            assert_eq!(skus.len(), basket.lines.len());
            for sku in skus {
                assert!(of(sku).is_sold_at(Channel::Ebay));
                assert_eq!(of(sku).products.len(), 1);
                assert!(product(sku).is_some());
            }
        }
    }
}
