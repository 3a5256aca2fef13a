//! What of the seller API's refusals differs: a shipment is refused with one number for everything, and only its text
//! says why. The text is compared with the documented ones and never kept.

use super::super::error::Call;
use crate::marketplaces::{CallError, Kind, Retry};
use std::time::Duration;

/// Our word for a number that the chosen service refuses.
pub(super) const TRACKING_NUMBER: &str = "tracking-number";

/// The number that stands for every refusal of a shipment.
const ANYTHING: &str = "-999";

const LATER: Retry = Retry::After(Duration::from_secs(300));

/// What the documented texts have in them, as AliExpress writes them (page "Order Management Errors"): what it is, what
/// to do, and our word for it. All but the last say why nothing was done.
const TEXTS: [(&str, Kind, Retry, &str); 4] = [
    (
        "\u{65e0}\u{9700}\u{91cd}\u{590d}\u{64cd}\u{4f5c}",
        Kind::Refused,
        Retry::Permanent,
        "already-shipped",
    ),
    (
        "\u{7f3a}\u{5c11}\u{5c65}\u{7ea6}\u{4fe1}\u{606f}",
        Kind::Refused,
        LATER,
        "not-to-ship-yet",
    ),
    (
        "\u{66f4}\u{6362}\u{8d27}\u{8fd0}\u{8ddf}\u{8e2a}\u{53f7}",
        Kind::Refused,
        Retry::Permanent,
        TRACKING_NUMBER,
    ),
    (
        "\u{4e0d}\u{5c5e}\u{4e8e}\u{5f53}\u{524d}\u{8d26}\u{53f7}",
        Kind::NotFound,
        Retry::Permanent,
        "other-account",
    ),
];

/// Why a parcel was not declared. An undocumented reason proves nothing; the order is read before the next attempt.
pub(super) fn not_declared(call: &Call<'_>, code: Option<&str>, text: Option<&str>) -> CallError {
    let text = text.unwrap_or_default();
    let known = TEXTS.iter().find(|(part, ..)| text.contains(part));
    match (known, code) {
        (Some((_, kind, retry, word)), _) => call.ours(*kind, *retry, word),
        // Its own text for this is "system error, try again later".
        (None, Some(ANYTHING) | None) => call.doubtful(Kind::Unavailable, LATER, ANYTHING),
        (None, Some(code)) => call.refused(Some(code), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marketplaces::Effect;

    #[test]
    fn a_shipment_is_refused_for_what_its_text_says() {
        let account = "aliexpress:shop".parse().unwrap();
        let call = Call {
            account: &account,
            operation: super::super::FULFILL,
        };
        for (text, kind, retry, effect, code) in [
            (
                "该交易订单已填写发货通知,无需重复操作。",
                Kind::Refused,
                Retry::Permanent,
                Effect::None,
                "already-shipped",
            ),
            (
                "该交易订单缺少履约信息,请联系客服处理。",
                Kind::Refused,
                LATER,
                Effect::None,
                "not-to-ship-yet",
            ),
            (
                "该货运跟踪号未通过物流风控审核,请更换货运跟踪号后重试。",
                Kind::Refused,
                Retry::Permanent,
                Effect::None,
                TRACKING_NUMBER,
            ),
            (
                "您填写的交易订单号有误或不属于当前账号,请修改",
                Kind::NotFound,
                Retry::Permanent,
                Effect::None,
                "other-account",
            ),
            (
                "系统异常,请稍候重试",
                Kind::Unavailable,
                LATER,
                Effect::Unknown,
                "-999",
            ),
            (
                "Jane Doe moved",
                Kind::Unavailable,
                LATER,
                Effect::Unknown,
                "-999",
            ),
        ] {
            let error = not_declared(&call, Some("-999"), Some(text));
            assert_eq!((error.kind, error.retry), (kind, retry), "{text}");
            assert_eq!((error.effect, &*error.code), (effect, code), "{text}");
        }
        let other = not_declared(&call, Some("isv.invalid-parameter"), None);
        assert_eq!((other.kind, other.effect), (Kind::Refused, Effect::None));
    }
}
