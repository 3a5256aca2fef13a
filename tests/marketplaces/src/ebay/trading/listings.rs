//! ReviseInventoryStatus.

use super::Refusal;
use super::invalid;
use super::xml::Node;
use super::xml::leaf;
use crate::ebay::state::State;
use crate::money::Money;

const MOST_ITEMS: usize = 4;

impl State {
    /// Up to four items a call, each by itself: what can be done is done.
    pub(super) fn revise_inventory(
        &mut self,
        request: &Node,
    ) -> Result<(&'static str, String), Refusal> {
        let items: Vec<&Node> = request.all("InventoryStatus").collect();
        if items.is_empty() || items.len() > MOST_ITEMS {
            return Err(invalid("InventoryStatus"));
        }
        let names: Vec<_> = items
            .iter()
            .map(|one| (one.text_of("ItemID"), one.text_of("SKU")))
            .collect();
        let is_twice = names
            .iter()
            .enumerate()
            .any(|(n, name)| names[..n].contains(name));
        if is_twice {
            return Err(invalid("InventoryStatus.ItemID"));
        }
        let (mut errors, mut echoes, mut failed) = (String::new(), String::new(), 0);
        for item in &items {
            match self.revise(item) {
                Ok(echo) => echoes += &echo,
                Err(refusal) => {
                    failed += 1;
                    errors += &refusal.xml();
                }
            }
        }
        let ack = match failed {
            0 => "Success",
            all if all == items.len() => "Failure",
            _ => "PartialFailure",
        };
        Ok((ack, errors + &echoes))
    }

    fn revise(&mut self, status: &Node) -> Result<String, Refusal> {
        let id = status.text_of("ItemID").ok_or_else(|| invalid("ItemID"))?;
        let sku = status.text_of("SKU");
        let (today, allowed) = (self.today(), self.config.settings.revisions_per_day);
        let about = |refusal: Refusal| {
            let refusal = refusal.about("0", id);
            match sku {
                Some(sku) => refusal.about("SKU", sku),
                None => refusal,
            }
        };
        let is_it = |sku_of: &str| sku.is_none_or(|sku| sku == sku_of);
        let place = self
            .offers
            .iter()
            .position(|offer| offer.listing_id == id && is_it(&offer.sku));
        let Some(place) = place else {
            return Err(about(Refusal::new("17", "This item cannot be accessed.")));
        };
        let offer = &mut self.offers[place];
        if !offer.trading {
            let message =
                "Inventory-based listing management is not currently supported by this tool.";
            return Err(about(Refusal::new("21919474", message)));
        }
        if !offer.published {
            let message = format!("You are not allowed to revise an ended item \"{id}\".");
            return Err(about(Refusal::new("21916750", message)));
        }
        let quantity = status.text_of("Quantity").map(str::parse::<u32>);
        let quantity = quantity
            .transpose()
            .map_err(|_| about(invalid("Quantity")))?;
        let price = match status.child("StartPrice") {
            None => None,
            Some(price) => {
                let currency = price.currency.as_deref().unwrap_or(&offer.price.currency);
                let price = Money::parse(price.text(), currency);
                let price = price.filter(|p| p.cents > 0 && p.currency == offer.price.currency);
                Some(price.ok_or_else(|| about(invalid("StartPrice")))?)
            }
        };
        if offer.revisions.0 != today {
            offer.revisions = (today, 0);
        }
        if offer.revisions.1 >= allowed {
            self.counters.revisions_refused += 1;
            let message = format!("The listing reached its {allowed} revisions of this day.");
            return Err(about(Refusal::new("240", message)));
        }
        offer.revisions.1 += 1;
        offer.quantity = quantity.unwrap_or(offer.quantity);
        offer.price = price.unwrap_or_else(|| offer.price.clone());
        let (sku, quantity, price) = (offer.sku.clone(), offer.quantity, offer.price.decimal());
        self.pools.insert(sku.clone(), quantity);
        let inner = leaf("SKU", &sku)
            + &leaf("ItemID", id)
            + &leaf("StartPrice", price)
            + &leaf("Quantity", quantity.to_string());
        Ok(format!(
            "<InventoryStatus>{inner}</InventoryStatus><Fees>{}</Fees>",
            leaf("ItemID", id)
        ))
    }
}
