//! Suppliers are asked for their terms of the moment, and what they deny is said.

use crate::Kervan;
use crate::decide::{Need, Route, Share};
use crate::domain::{LineId, OfferId, Order, PurchaseLine, Sku};
use crate::flows::reason_of;
use crate::marketplaces::{CallError, Kind, QuoteRequest, Retry, Wanted};

pub(super) enum NoTerms {
    /// This offer cannot be had for this line of the order; try without it.
    Offer(OfferId, LineId),
    /// The supplier has fewer units of it than are wanted.
    Short(Short),
    /// The supplier refuses this line for good.
    Refused(LineId, Sku, CallError),
    /// The supplier cannot be asked now.
    Call(CallError),
}

/// What a supplier's terms say of an offer that has too few units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Short {
    pub(super) sku: Sku,
    pub(super) offer: OfferId,
    /// Units that it has; 0 where it does not say.
    pub(super) stock: u32,
}

/// Asks each supplier for its terms of the moment: what was known may be old. Each line is asked for alone, so that it is
/// clear which offer cannot be had.
pub(super) async fn quote_all(
    kervan: &Kervan,
    order: &Order,
    needs: &[Need],
    routed: &Route<'_>,
) -> Result<Vec<Vec<PurchaseLine>>, NoTerms> {
    let mut planned = Vec::new();
    for group in routed.purchases() {
        let mut lines = Vec::new();
        for share in group {
            lines.push(quote(kervan, order, &needs[share.need], share).await?);
        }
        planned.extend(split(kervan, lines).await.map_err(NoTerms::Call)?);
    }
    Ok(planned)
}

/// Lines of one supplier's account as purchases that the supplier takes: at some, an order is of one of its sellers.
pub(super) async fn split(
    kervan: &Kervan,
    lines: Vec<PurchaseLine>,
) -> Result<Vec<Vec<PurchaseLine>>, CallError> {
    let mut purchases: Vec<Vec<PurchaseLine>> = Vec::new();
    for line in lines {
        let account = kervan.accounts.get(&line.offer.supplier).await?;
        let fits = |lines: &Vec<PurchaseLine>| {
            let buy = account.buy();
            buy.is_none_or(|buy| buy.takes_together(lines, &line))
        };
        match purchases.iter().position(fits) {
            Some(place) => purchases[place].push(line),
            None => purchases.push(vec![line]),
        }
    }
    Ok(purchases)
}

async fn quote(
    kervan: &Kervan,
    order: &Order,
    need: &Need,
    share: &Share<'_>,
) -> Result<PurchaseLine, NoTerms> {
    let offer = share.offer;
    let wanted = [Wanted {
        line: need.line.clone(),
        offer: offer.clone(),
        quantity: share.units,
    }];
    let request = QuoteRequest {
        wanted: &wanted,
        ship_to: &order.details.country,
    };
    let account = kervan
        .accounts
        .get(&offer.supplier)
        .await
        .map_err(NoTerms::Call)?;
    let broken = |kind, retry, code| {
        NoTerms::Call(CallError::new(&offer.supplier, "quote", kind, retry, code))
    };
    let short = |stock| {
        NoTerms::Short(Short {
            sku: need.sku.clone(),
            offer: offer.clone(),
            stock,
        })
    };
    let buy = account
        .buy()
        .ok_or_else(|| broken(Kind::Misconfigured, Retry::Person, "not-a-supplier"))?;
    let quote = buy
        .quote(&request)
        .await
        .map_err(|error| match error.kind {
            Kind::NotDeliverable => NoTerms::Offer(offer.clone(), need.line.clone()),
            Kind::NotFound | Kind::OutOfStock => short(0),
            _ if error.retry == Retry::Permanent && reason_of(&error).is_none() => {
                NoTerms::Refused(need.line.clone(), need.sku.clone(), error)
            }
            _ => NoTerms::Call(error),
        })?;
    let terms = quote.lines.into_iter().next();
    let terms = terms.ok_or_else(|| broken(Kind::Unreadable, Retry::Permanent, "no-terms"))?;
    if terms.stock < share.units {
        return Err(short(terms.stock));
    }
    Ok(PurchaseLine {
        line: need.line.clone(),
        sku: need.sku.clone(),
        offer: offer.clone(),
        quantity: share.units,
        unit_cost: terms.unit_cost,
        shipping: terms.shipping,
        shipping_option: terms.shipping_option,
        variant_attributes: terms.variant_attributes,
    })
}
