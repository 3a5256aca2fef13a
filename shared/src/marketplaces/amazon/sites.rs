//! Amazon's marketplaces and their regions (developer-docs.amazon.com/sp-api, "SP-API Endpoints" and "Marketplace IDs").
//!
//! A seller's refresh token works at the host of its region alone.

/// Where calls of a region go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    /// North America and Brazil.
    Na,
    /// Europe, the Middle East, Africa and India.
    Eu,
    /// The Far East and Australia.
    Fe,
}

impl Region {
    /// The region of this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "na" => Self::Na,
            "eu" => Self::Eu,
            "fe" => Self::Fe,
            _ => return None,
        })
    }

    /// Where its API is.
    pub(super) const fn production(self) -> &'static str {
        match self {
            Self::Na => "https://sellingpartnerapi-na.amazon.com",
            Self::Eu => "https://sellingpartnerapi-eu.amazon.com",
            Self::Fe => "https://sellingpartnerapi-fe.amazon.com",
        }
    }

    /// Where its sandbox is.
    pub(super) const fn sandbox(self) -> &'static str {
        match self {
            Self::Na => "https://sandbox.sellingpartnerapi-na.amazon.com",
            Self::Eu => "https://sandbox.sellingpartnerapi-eu.amazon.com",
            Self::Fe => "https://sandbox.sellingpartnerapi-fe.amazon.com",
        }
    }
}

/// A marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Site {
    /// Amazon's id.
    pub(super) id: &'static str,
    /// Its country.
    pub(super) country: &'static str,
    /// What is paid with there: an order that waits for its payment has no amounts that would say it.
    pub(super) currency: &'static str,
    /// Where it is called.
    pub(super) region: Region,
}

/// The marketplace of this id; `None` for one of tomorrow.
pub(super) fn of(id: &str) -> Option<&'static Site> {
    SITES.iter().find(|site| site.id == id)
}

const fn site(
    id: &'static str,
    country: &'static str,
    currency: &'static str,
    region: Region,
) -> Site {
    Site {
        id,
        country,
        currency,
        region,
    }
}

const SITES: [Site; 23] = [
    site("A2EUQ1WTGCTBG2", "CA", "CAD", Region::Na),
    site("ATVPDKIKX0DER", "US", "USD", Region::Na),
    site("A1AM78C64UM0Y8", "MX", "MXN", Region::Na),
    site("A2Q3Y263D00KWC", "BR", "BRL", Region::Na),
    site("A28R8C7NBKEWEA", "IE", "EUR", Region::Eu),
    site("A1RKKUPIHCS9HS", "ES", "EUR", Region::Eu),
    site("A1F83G8C2ARO7P", "GB", "GBP", Region::Eu),
    site("A13V1IB3VIYZZH", "FR", "EUR", Region::Eu),
    site("AMEN7PMS3EDWL", "BE", "EUR", Region::Eu),
    site("A1805IZSGTT6HS", "NL", "EUR", Region::Eu),
    site("A1PA6795UKMFR9", "DE", "EUR", Region::Eu),
    site("APJ6JRA9NG5V4", "IT", "EUR", Region::Eu),
    site("A2NODRKZP88ZB9", "SE", "SEK", Region::Eu),
    site("AE08WJ6YKNBMC", "ZA", "ZAR", Region::Eu),
    site("A1C3SOZRARQ6R3", "PL", "PLN", Region::Eu),
    site("ARBP9OOSHTCHU", "EG", "EGP", Region::Eu),
    site("A33AVAJ2PDY3EV", "TR", "TRY", Region::Eu),
    site("A17E79C6D8DWNP", "SA", "SAR", Region::Eu),
    site("A2VIGQ35RCS4UG", "AE", "AED", Region::Eu),
    site("A21TJRUUN4KGV", "IN", "INR", Region::Eu),
    site("A19VAU5U5O7RUS", "SG", "SGD", Region::Fe),
    site("A39IBJ37TRP1C6", "AU", "AUD", Region::Fe),
    site("A1VC38T7YXB528", "JP", "JPY", Region::Fe),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CountryCode, Currency};

    #[test]
    fn every_marketplace_has_a_country_and_a_currency_that_exist() {
        for site in &SITES {
            assert!(site.country.parse::<CountryCode>().is_ok(), "{site:?}");
            assert!(site.currency.parse::<Currency>().is_ok(), "{site:?}");
            assert_eq!(of(site.id), Some(site), "an id is there twice");
        }
        assert_eq!(of("TOMORROW"), None);
    }
}
