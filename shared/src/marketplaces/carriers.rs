//! Carriers: how suppliers write them, how their numbers look, and what each channel calls them.

use crate::domain::{Marketplace, TrackingNumber};
use regex_lite::Regex;
use std::sync::LazyLock;

/// A carrier.
#[derive(Debug)]
pub(crate) struct Carrier {
    /// Its own name.
    pub(crate) name: &'static str,
    /// Words by which suppliers name it, in small letters. A short one must be a word of its own ("ups" is not in
    /// "groups"); one of six letters or more may be written in parts.
    words: &'static [&'static str],
    /// eBay's code, of the Trading API's ShippingCarrierCodeType.
    ebay: Option<&'static str>,
    /// Amazon's code.
    amazon: Option<&'static str>,
    /// How its numbers look; empty where nobody says.
    numbers: &'static [&'static str],
}

/// What a channel is told of a carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelCarrier {
    /// The channel's code; `Other` where it has none for this carrier.
    pub(crate) code: &'static str,
    /// The carrier's name, which channels want beside `Other`.
    pub(crate) name: String,
}

/// The carrier that a supplier names; `None` where it is none of the table.
pub(crate) fn find(name: &str) -> Option<&'static Carrier> {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_ascii_lowercase)
        .collect();
    let joined = words.concat();
    let is_named = |known: &&str| {
        words.iter().any(|word| word == known) || (known.len() >= 6 && joined.contains(known))
    };
    CARRIERS
        .iter()
        .find(|carrier| carrier.words.iter().any(&is_named))
}

/// What a channel is told of the carrier that a supplier names.
pub(crate) fn at(channel: Marketplace, name: &str) -> ChannelCarrier {
    let carrier = find(name);
    let code = carrier.and_then(|carrier| match channel {
        Marketplace::Ebay => carrier.ebay,
        Marketplace::Amazon => carrier.amazon,
        Marketplace::AliExpress => aliexpress_service(carrier),
        Marketplace::Alibaba => None,
    });
    let name = carrier.map_or(name, |carrier| carrier.name);
    ChannelCarrier {
        code: code.unwrap_or("Other"),
        name: name.to_owned(),
    }
}

/// AliExpress's `service_name` for a seller's own shipment; which of them a shop may use, only its own list says
/// (`aliexpress.logistics.redefining.listlogisticsservice`).
fn aliexpress_service(carrier: &Carrier) -> Option<&'static str> {
    match carrier.name {
        "China Post" => Some("CPAM"),
        "Cainiao" => Some("CAINIAO_STANDARD"),
        "DHL" => Some("DHL"),
        "FedEx" => Some("FEDEX"),
        "TNT" => Some("TNT"),
        "UPS" => Some("UPS"),
        _ => None,
    }
}

/// Whether a number can be one of the carrier that a supplier names. A carrier that is not in the table, or of whose
/// numbers nothing is known, can have any.
pub(crate) fn number_fits(name: &str, number: &TrackingNumber) -> bool {
    let Some(place) = find(name).and_then(place) else {
        return true;
    };
    let patterns = &PATTERNS[place];
    patterns.is_empty()
        || patterns
            .iter()
            .any(|pattern| pattern.is_match(number.as_str()))
}

fn place(carrier: &Carrier) -> Option<usize> {
    CARRIERS.iter().position(|known| known.name == carrier.name)
}

static PATTERNS: LazyLock<Vec<Vec<Regex>>> = LazyLock::new(|| {
    let compiled = |pattern: &&str| Regex::new(&format!("^(?:{pattern})$")).ok();
    let of = |carrier: &Carrier| carrier.numbers.iter().filter_map(compiled).collect();
    CARRIERS.iter().map(of).collect()
});

/// The letters and digits that the Universal Postal Union gives to parcels (S10), of any country.
const POSTAL: &str = "[A-Z]{2}[0-9]{9}[A-Z]{2}";

/// The first row that a supplier's words name counts, so what is the longer name of another stands before it.
///
/// eBay's codes are those of the Trading API's ShippingCarrierCodeType, Amazon's those of the order fulfilment feed's
/// CarrierCode. The patterns are the carriers' own, taken widely: a parcel that is held for nothing waits for a person.
const CARRIERS: [Carrier; 27] = [
    row(
        "USPS",
        &["usps"],
        Some("USPS"),
        Some("USPS"),
        &[
            "[0-9]{20,22}",
            "[0-9]{26}",
            "[0-9]{30}",
            "[0-9]{34}",
            POSTAL,
        ],
    ),
    row(
        "UPS",
        &["ups"],
        Some("UPS"),
        Some("UPS"),
        &[
            "1Z[0-9A-Z]{16}",
            // Waybills and freight.
            "[A-Z][0-9]{10}",
            "[0-9]{9,10}",
            "[0-9]{12}",
            "[0-9]{18}",
            "[0-9]{22}",
            "[0-9]{26}",
        ],
    ),
    row(
        "FedEx",
        &["fedex"],
        Some("FedEx"),
        Some("FedEx"),
        &[
            "[0-9]{12}",
            "[0-9]{14,15}",
            "[0-9]{18}",
            "[0-9]{20}",
            "[0-9]{22}",
            "[0-9]{32}",
            "[0-9]{34}",
        ],
    ),
    row(
        "DHL eCommerce",
        &["dhlecommerce", "dhlglobalmail"],
        Some("DHL"),
        Some("DHL eCommerce"),
        &["[0-9]{10,39}", "[A-Z]{2,5}[0-9A-Z]{8,32}"],
    ),
    row(
        "DHL",
        &["dhl"],
        Some("DHL"),
        Some("DHL"),
        &["[0-9]{10,39}", "[A-Z]{2,5}[0-9A-Z]{8,32}"],
    ),
    row(
        "China Post",
        &["chinapost", "epacket", "ems"],
        Some("ChinaPost"),
        Some("China Post"),
        &[POSTAL, "[0-9]{13}"],
    ),
    row(
        "Hongkong Post",
        &["hongkongpost"],
        Some("HongKongPost"),
        Some("Hongkong Post"),
        &[POSTAL],
    ),
    row(
        "Singapore Post",
        &["singaporepost", "singpost"],
        Some("SINGAPOREPOST"),
        Some("Singapore Post"),
        &[POSTAL, "SP[A-Z0-9]{8,20}"],
    ),
    row(
        "Yanwen",
        &["yanwen"],
        Some("YANWEN"),
        Some("Yanwen"),
        &[POSTAL, "[0-9]{9,13}", "[A-Z]{1,3}[0-9]{9,18}"],
    ),
    row(
        "4PX",
        &["4px"],
        Some("FourPX"),
        Some("4PX"),
        &[
            "4PX[0-9A-Z]{10,18}",
            POSTAL,
            "[0-9]{10,22}",
            "[A-Z]{2}[0-9]{10,20}",
        ],
    ),
    row(
        "YunExpress",
        &["yunexpress", "yunex"],
        None,
        Some("Yun Express"),
        &["Y[TU][0-9]{12,20}", POSTAL, "[0-9]{12,26}"],
    ),
    row("Cainiao", &["cainiao", "aliexpress"], None, None, &[]),
    row(
        "SF Express",
        &["sfexpress", "shunfeng"],
        None,
        Some("SF Express"),
        &["SF[0-9]{12,15}", "[0-9]{12,15}"],
    ),
    row("J&T Express", &["jtexpress"], None, None, &[]),
    row("Winit", &["winit"], Some("Winit"), None, &[]),
    row("SFC", &["sfc"], Some("SFC"), Some("SFC"), &[]),
    row("Asendia", &["asendia"], None, Some("Asendia"), &[]),
    row(
        "Royal Mail",
        &["royalmail"],
        Some("RoyalMail"),
        Some("Royal Mail"),
        &[POSTAL, "[0-9A-Z]{16}", "[0-9A-Z]{21}"],
    ),
    row(
        "PostNL",
        &["postnl"],
        Some("PostNL"),
        Some("PostNL"),
        &[POSTAL, "3S[0-9A-Z]{9,15}", "[0-9]{10,20}"],
    ),
    row(
        "Colissimo",
        &["colissimo"],
        Some("Colissimo"),
        Some("Colissimo"),
        &[POSTAL, "[0-9][A-Z0-9][0-9]{11}"],
    ),
    row(
        "La Poste",
        &["laposte"],
        Some("LAPOSTE"),
        Some("La Poste"),
        &[POSTAL, "[0-9][A-Z0-9][0-9]{11}"],
    ),
    row(
        "Deutsche Post",
        &["deutschepost"],
        Some("DeutschePost"),
        Some("Deutsche Post"),
        &[],
    ),
    row(
        "Australia Post",
        &["australiapost"],
        Some("AustraliaPost"),
        Some("Australia Post"),
        &[],
    ),
    row(
        "Canada Post",
        &["canadapost"],
        Some("CanadaPost"),
        Some("Canada Post"),
        &[POSTAL, "[0-9]{12}", "[0-9]{16}"],
    ),
    row(
        "DPD",
        &["dpd"],
        Some("DPD"),
        Some("DPD"),
        &["[0-9]{14,15}[0-9A-Z]?", "[0-9]{8,12}", "[0-9]{27}[0-9A-Z]"],
    ),
    row(
        "GLS",
        &["gls"],
        Some("GLS"),
        Some("GLS"),
        &["[0-9]{8,20}", "[0-9A-Z]{8}"],
    ),
    row(
        "TNT",
        &["tnt"],
        Some("TNT"),
        Some("TNT"),
        &["[0-9]{9}", "[A-Z]{2}[0-9]{9}(?:[A-Z]{2})?"],
    ),
];

const fn row(
    name: &'static str,
    words: &'static [&'static str],
    ebay: Option<&'static str>,
    amazon: Option<&'static str>,
    numbers: &'static [&'static str],
) -> Carrier {
    Carrier {
        name,
        words,
        ebay,
        amazon,
        numbers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carrier_is_known_by_a_word_of_its_name_or_it_is_other() {
        for (name, ebay, amazon) in [
            ("USPS", "USPS", "USPS"),
            ("UPS", "UPS", "UPS"),
            ("ups ground", "UPS", "UPS"),
            ("FedEx IP", "FedEx", "FedEx"),
            ("DHL eCommerce", "DHL", "DHL eCommerce"),
            ("DHL", "DHL", "DHL"),
            (
                "China Post Ordinary Small Packet Plus",
                "ChinaPost",
                "China Post",
            ),
            ("ePacket", "ChinaPost", "China Post"),
            ("Yanwen Economic Air Mail", "YANWEN", "Yanwen"),
            ("YANWEN_JYT", "YANWEN", "Yanwen"),
            (
                "4PX Singapore Post OM Pro",
                "SINGAPOREPOST",
                "Singapore Post",
            ),
            ("4PX RM", "FourPX", "4PX"),
            ("CAINIAO_STANDARD", "Other", "Other"),
            ("YunExpress", "Other", "Yun Express"),
            ("Groups of systems", "Other", "Other"),
            ("", "Other", "Other"),
        ] {
            assert_eq!(at(Marketplace::Ebay, name).code, ebay, "{name}");
            assert_eq!(at(Marketplace::Amazon, name).code, amazon, "{name}");
        }
    }

    #[test]
    fn aliexpress_has_services_of_its_own() {
        for (name, service) in [
            ("China Post Registered Air Mail", "CPAM"),
            ("CAINIAO_STANDARD", "CAINIAO_STANDARD"),
            ("USPS", "Other"),
        ] {
            assert_eq!(at(Marketplace::AliExpress, name).code, service, "{name}");
        }
    }

    #[test]
    fn an_other_carrier_keeps_its_honest_name() {
        assert_eq!(at(Marketplace::Ebay, "YunExpress").name, "YunExpress");
        assert_eq!(at(Marketplace::Ebay, "CAINIAO_STANDARD").name, "Cainiao");
        assert_eq!(
            at(Marketplace::Amazon, "Lucky Parcels").name,
            "Lucky Parcels"
        );
    }

    #[test]
    fn a_number_fits_where_the_carrier_writes_such_numbers_or_nothing_is_known_of_it() {
        for (name, number, fits) in [
            ("UPS", "1Z999AA10123456784", true),
            ("UPS", "1Z999AA1012345678", false),
            ("UPS", "1058233044", true),
            ("UPS", "K1506235620", true),
            ("UPS", "KK506235620", false),
            ("FedEx", "32971514560102447849175802862014", true),
            ("DPD", "008182709980000020033350276C", true),
            ("DPD", "09980000020033F", true),
            ("DPD", "00818270998000002003335027CC", false),
            ("USPS", "9400111899223197428490", true),
            ("USPS", "LZ123456789US", true),
            ("USPS", "12345", false),
            ("China Post", "RR123456785CN", true),
            ("China Post", "NOTANUMBER", false),
            ("YunExpress", "YT2412345678901234", true),
            ("YunExpress", "1Z999AA10123456784", false),
            ("Cainiao", "LP00123456789012", true),
            ("Lucky Parcels", "ABCD", true),
        ] {
            let number = TrackingNumber::parse(number).unwrap();
            assert_eq!(number_fits(name, &number), fits, "{name} {number}");
        }
    }

    #[test]
    fn every_pattern_of_the_table_is_one() {
        for (carrier, patterns) in CARRIERS.iter().zip(&*PATTERNS) {
            assert_eq!(carrier.numbers.len(), patterns.len(), "{}", carrier.name);
        }
    }
}
