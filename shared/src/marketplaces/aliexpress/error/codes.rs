//! The documented codes and what they mean.
//!
//! The effect is that of the calls that change something; every other call has none. A code proves "no effect" only
//! where it says why nothing was done. Codes that speak of a broken service prove nothing.

use crate::marketplaces::{Effect, Kind, Retry};
use std::time::Duration;

/// What a documented code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What it is.
    pub kind: Kind,
    /// What to do.
    pub retry: Retry,
    /// What a call that changes something has done when it is answered so.
    pub effect: Effect,
}

/// What the documentation says of a code; `None` where it says nothing.
pub fn meaning(code: &str) -> Option<Meaning> {
    let has = |codes: &[&str]| codes.iter().any(|known| known.eq_ignore_ascii_case(code));
    let (meaning, _) = DOCUMENTED.iter().find(|(_, codes)| has(codes))?;
    Some(*meaning)
}

pub(super) const SHORT: Retry = Retry::After(Duration::from_secs(2));
pub(super) const WHILE: Retry = Retry::After(Duration::from_secs(30));
pub(super) const LATER: Retry = Retry::After(Duration::from_secs(300));
const NEXT_LOOK: Retry = Retry::After(Duration::from_secs(6 * 3600));

const fn proven(kind: Kind, retry: Retry) -> Meaning {
    Meaning {
        kind,
        retry,
        effect: Effect::None,
    }
}

const fn broken(retry: Retry) -> Meaning {
    Meaning {
        kind: Kind::Unavailable,
        retry,
        effect: Effect::Unknown,
    }
}

const fn happened(retry: Retry) -> Meaning {
    Meaning {
        kind: Kind::Refused,
        retry,
        effect: Effect::Happened,
    }
}

/// Every code of the API pages, the error pages and the gateway guides, and those that clients have seen. Numbers up to
/// 50 are of the gateway (TOP manual, "API error codes"), the others of products (`404`, `602`, `605`), of shipping
/// (`505`) and of tracking (`1001`).
const DOCUMENTED: &[(Meaning, &[&str])] = &[
    (
        proven(Kind::Throttled, SHORT),
        &["ApiCallLimit", "AppCallLimit", "7"],
    ),
    (
        broken(WHILE),
        &[
            "ServiceUnavailable",
            "isp.service-unavailable",
            "InternalError",
            "System Error",
            "15",
            "50",
        ],
    ),
    (
        proven(Kind::TokenInvalid, SHORT),
        &["IllegalAccessToken", "InvalidSession", "26", "27"],
    ),
    (
        proven(Kind::ConsentEnded, Retry::Person),
        &["IllegalRefreshToken", "InvalidCode"],
    ),
    (
        proven(Kind::Misconfigured, Retry::Person),
        &[
            "IncompleteSignature",
            "InvalidAppkey",
            "AppWhiteIpLimit",
            "IllegalTimestamp",
            "InvalidApiPath",
            "AUTH_TYPE_UNSUPPORTED",
            "isv.insufficient-permission",
            "isv.invalid-authorization",
            "A006_INVALID_ACCOUNT_INFO",
            // The seller's account is not there.
            "F00-10-10000-001",
            // Permissions of the API, the user, the partner.
            "11",
            "12",
            "13",
            // Method, format, signature, key, timestamp and version, missing or not as they should be.
            "21",
            "22",
            "23",
            "24",
            "25",
            "28",
            "29",
            "30",
            "31",
            "32",
            "33",
            "34",
            "42",
        ],
    ),
    (
        proven(Kind::Refused, Retry::Permanent),
        &[
            "isv.402",
            "isv.invalid-parameter",
            "MissingParameter",
            "UnsupportedParamMapping",
            "PRICE_PAY_CURRENCY_ERROR",
            "BUY_LIMIT_RESOURCE_INSUFFICIENT",
            "DELIVERY_METHOD_NOT_EXIST",
            // Parameters that are missing, wrong, or not encoded.
            "40",
            "41",
            "43",
            "47",
        ],
    ),
    (
        proven(Kind::Refused, Retry::Person),
        &[
            "ERROR_WHEN_BUILD_FOR_PLACE_ORDER",
            "A001_ORDER_CANNOT_BE_PLACED",
            "A004_CANNOT_USER_COUPON",
        ],
    ),
    (
        proven(Kind::AddressRefused, Retry::Permanent),
        &[
            "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL",
            "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID",
            "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH",
        ],
    ),
    (
        proven(Kind::AddressRefused, Retry::Person),
        &["A002_INVALID_ZONE", "A005_INVALID_COUNTRIES"],
    ),
    (
        proven(Kind::AccountBlocked, Retry::Person),
        &[
            "BLACKLIST_BUYER_IN_LIST",
            "USER_ACCOUNT_DISABLED",
            "A003_SUSPICIOUS_BUYER",
        ],
    ),
    // Out of stock or a passing fault: the page does not tell them apart.
    (proven(Kind::OutOfStock, LATER), &["INVENTORY_HOLD_ERROR"]),
    (
        proven(Kind::OutOfStock, Retry::Permanent),
        &["All SKU Unsaleable"],
    ),
    (
        proven(Kind::NotDeliverable, Retry::Permanent),
        &[
            "DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS",
            "Item is not allowed to this country",
            "505",
            "605",
        ],
    ),
    (
        proven(Kind::NotFound, Retry::Permanent),
        &[
            "ITEM_ID_NOT_FOUND",
            "B_PRODUCT_NOT_FOUND",
            "DELIVERY_INFO_EMPTY",
            "404",
            "602",
        ],
    ),
    (
        proven(Kind::NotFound, NEXT_LOOK),
        &["TRACKING DATA NOT FOUND", "1001"],
    ),
    (happened(Retry::Permanent), &["REPEATED_ORDER_ERROR"]),
    (
        happened(Retry::Person),
        &["OrderCreated, autoPay fail:APIPayFail"],
    ),
];
