//! Which logistics service a parcel is declared with: one of the shop's own list, of the supplier's carrier, that knows
//! such numbers; else the one that stands for all others.

use super::wire::Service;
use crate::domain::{CountryCode, Marketplace, TrackingNumber};
use crate::marketplaces::carriers;
use regex_lite::Regex;

/// Patterns are AliExpress's; a longer one is not theirs.
const LONGEST_PATTERN: usize = 1_000;

/// The services to try, the best first. Empty where the shop has none that could be meant.
pub(super) fn choose<'a>(
    services: &'a [Service],
    carrier: &str,
    number: &TrackingNumber,
    country: Option<&CountryCode>,
) -> Vec<&'a str> {
    let mut chosen: Vec<&str> = Vec::new();
    let known = carriers::find(carrier).map(|found| found.name);
    let code = carriers::at(Marketplace::AliExpress, carrier).code;
    let is_of_carrier = |service: &Service| {
        let names = [&service.display_name, &service.service_name];
        let mut found = names
            .into_iter()
            .flatten()
            .filter_map(|name| carriers::find(name));
        known.is_some() && found.next().map(|found| found.name) == known
    };
    // The supplier's own word, then the table's, then whatever is of the same carrier.
    let ranks: [&dyn Fn(&Service) -> bool; 3] = [
        &|service| is_named(service, carrier),
        &|service| is_named(service, code),
        &is_of_carrier,
    ];
    for is_meant in ranks {
        let mut meant: Vec<&Service> = services
            .iter()
            .filter(|service| !is_catch_all(service) && is_meant(service) && fits(service, number))
            .collect();
        meant.sort_by_key(|service| service.recommend_order.unwrap_or(i64::MAX));
        chosen.extend(
            meant
                .into_iter()
                .filter_map(|service| service.service_name.as_deref()),
        );
        if !chosen.is_empty() {
            break;
        }
    }
    chosen.truncate(1);
    chosen.extend(catch_all(services, country));
    chosen
}

/// Whether a service has no tracking that AliExpress reads itself, so that it wants a website.
pub(super) fn wants_website(service: &str) -> bool {
    service.to_ascii_lowercase().starts_with("other")
}

/// The service for carriers that AliExpress has no contract with. Across borders it has its own name, and goods that are
/// bought for an order mostly cross one.
fn catch_all<'a>(services: &'a [Service], country: Option<&CountryCode>) -> Option<&'a str> {
    let country = country.map_or("", CountryCode::as_str);
    let names = [
        "Other".to_owned(),
        format!("OTHER_{country}_OVERSEAS"),
        format!("OTHER_{country}_LOCAL"),
    ];
    names.iter().find_map(|name| {
        let mut named = services.iter().filter(|service| is_named(service, name));
        named.next()?.service_name.as_deref()
    })
}

fn is_named(service: &Service, name: &str) -> bool {
    let theirs = service.service_name.as_deref();
    theirs.is_some_and(|theirs| theirs.eq_ignore_ascii_case(name))
}

fn is_catch_all(service: &Service) -> bool {
    service.service_name.as_deref().is_none_or(wants_website)
}

/// Whether the service knows such numbers; one whose pattern cannot be read may know any.
fn fits(service: &Service, number: &TrackingNumber) -> bool {
    let pattern = service.tracking_no_regex.as_deref();
    let pattern = pattern.filter(|pattern| pattern.len() <= LONGEST_PATTERN);
    let pattern = pattern.and_then(|pattern| Regex::new(pattern).ok());
    pattern.is_none_or(|pattern| pattern.is_match(number.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn services() -> Vec<Service> {
        serde_json::from_value(json!([
            {"service_name": "YANWEN_AM", "display_name": "Yanwen Air Mail", "recommend_order": 9},
            {"service_name": "YANWEN_JYT", "display_name": "Yanwen Economic Air Mail", "recommend_order": "3"},
            {"service_name": "CPAM", "display_name": "China Post Registered Air Mail",
             "tracking_no_regex": "^[a-zA-Z]{2}[0-9]{9}[a-zA-Z]{2}$"},
            {"service_name": "UPS", "display_name": "UPS Expedited", "tracking_no_regex": "("},
            {"service_name": "CAINIAO_STANDARD", "display_name": "AliExpress Standard Shipping"},
            {"service_name": "OTHER_FR_OVERSEAS", "display_name": "Other, from abroad"},
            {"service_name": "OTHER_FR_LOCAL", "display_name": "Other"},
            {"display_name": "DHL without a name"},
        ]))
        .unwrap()
    }

    fn chosen(carrier: &str, number: &str, country: &str) -> Vec<String> {
        let number = TrackingNumber::parse(number).unwrap();
        let country = country.parse().ok();
        let services = services();
        let found = choose(&services, carrier, &number, country.as_ref());
        found.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn the_carriers_own_service_comes_first_and_then_the_one_for_all_others() {
        for (carrier, number, first) in [
            ("China Post", "RR123456785CN", Some("CPAM")),
            // The service does not know such numbers.
            ("China Post", "1234567890", None),
            (
                "CAINIAO_STANDARD",
                "LP00123456789012",
                Some("CAINIAO_STANDARD"),
            ),
            ("Yanwen", "UE123456789YP", Some("YANWEN_JYT")),
            ("yanwen_am", "UE123456789YP", Some("YANWEN_AM")),
            ("UPS", "1Z999AA10123456784", Some("UPS")),
            ("DHL", "12345678901", None),
            ("Lucky Parcels", "LUCKY1", None),
            ("", "LUCKY1", None),
            ("other", "LUCKY1", None),
        ] {
            let mut expected: Vec<&str> = first.into_iter().collect();
            expected.push("OTHER_FR_OVERSEAS");
            assert_eq!(chosen(carrier, number, "FR"), expected, "{carrier}");
        }
        assert!(chosen("Lucky Parcels", "LUCKY1", "ES").is_empty());
    }
}
