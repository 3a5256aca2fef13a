//! What an order's lines are made of, by the catalogue of the moment. The order keeps it.

use super::{FlowError, catalog, ledger};
use crate::Kervan;
use crate::domain::{Event, LineId, MappedLine, Order, OrderLine, Part, Sku};
use std::collections::BTreeMap;

/// The lines that the catalogue knows with their parts; one read for each sku.
pub(super) async fn of(kervan: &Kervan, lines: &[OrderLine]) -> Result<Vec<MappedLine>, FlowError> {
    let mut known: BTreeMap<Sku, Vec<Part>> = BTreeMap::new();
    let mut mapped = Vec::new();
    for line in lines {
        let Ok(sku) = Sku::parse(&line.sku) else {
            continue;
        };
        if !known.contains_key(&sku) {
            let entry = catalog::load(&*kervan.store, &sku).await?;
            let itself = Part {
                sku: sku.clone(),
                units: 1,
            };
            let parts = match entry.bundle {
                Some(bundle) => bundle.parts().to_vec(),
                None if entry.offers.is_empty() => Vec::new(),
                None => vec![itself],
            };
            known.insert(sku.clone(), parts);
        }
        let parts = known.get(&sku).filter(|parts| !parts.is_empty());
        mapped.extend(parts.map(|parts| MappedLine {
            line: line.id.clone(),
            parts: parts.clone(),
        }));
    }
    Ok(mapped)
}

/// Records what the lines are made of that the catalogue did not know when the order was taken, and knows now.
pub(super) async fn complete(kervan: &Kervan, order: &mut Order) -> Result<(), FlowError> {
    let lines = order.details.lines.iter();
    let open: Vec<OrderLine> = lines
        .filter(|line| order.parts_of(&line.id).is_none())
        .cloned()
        .collect();
    let mut lines = of(kervan, &open).await?;
    for mapped in &mut lines {
        // What was bought of it before an order kept what it is made of was bought as the sku itself.
        if let Some(sku) = bought_as(order, &mapped.line) {
            mapped.parts = vec![Part { sku, units: 1 }];
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    let mapped = Event::Mapped { lines };
    Ok(ledger::record(kervan, order, &[mapped], Vec::new()).await?)
}

/// The sku as which units of a line were bought.
fn bought_as(order: &Order, line: &LineId) -> Option<Sku> {
    let kept = order.purchases.iter().filter(|one| !one.is_given_up());
    let mut lines = kept.flat_map(|purchase| &purchase.lines);
    let bought = lines.find(|bought| bought.line == *line)?;
    Some(bought.sku.clone())
}
