//! The behaviour of a seal.

use crate::ports::cases::{Case, cases};
use kervan::seal::{Seal, SealError, Sealed};
use std::sync::Arc;

const ORDER: &str = "ebay:main/01-00001-00001";
const BUYER: &[u8] = "{\"name\":\"Çağla Öz\"}".as_bytes();

pub(crate) fn cases(seal: Arc<dyn Seal>) -> Vec<Case> {
    cases![seal;
        what_was_sealed_is_opened,
        another_binding_is_refused,
        a_change_of_any_part_is_refused,
        what_is_no_seal_is_refused,
        no_two_seals_are_alike,
        a_long_text_is_sealed,
    ]
}

async fn what_was_sealed_is_opened(seal: Arc<dyn Seal>) {
    for plain in [BUYER, b""] {
        let sealed = seal.seal(ORDER, plain).await.unwrap();
        let stored = serde_json::to_string(&sealed).unwrap();
        let sealed = serde_json::from_str::<Sealed>(&stored).unwrap();
        assert_eq!(seal.open(ORDER, &sealed).await.unwrap().as_slice(), plain);
    }
}

async fn another_binding_is_refused(seal: Arc<dyn Seal>) {
    let sealed = seal.seal(ORDER, BUYER).await.unwrap();
    let opened = seal.open("ebay:main/01-00001-00002", &sealed).await;
    assert!(matches!(opened, Err(SealError::Refused(_))), "{opened:?}");
}

async fn a_change_of_any_part_is_refused(seal: Arc<dyn Seal>) {
    let sealed = seal.seal(ORDER, BUYER).await.unwrap();
    let parts: [fn(&mut Sealed) -> &mut String; 3] = [
        |sealed| &mut sealed.wrapped_key,
        |sealed| &mut sealed.nonce,
        |sealed| &mut sealed.text,
    ];
    for part in parts {
        let mut changed = sealed.clone();
        let text = part(&mut changed);
        // Near the end, before any padding: what comes first in a wrapped key names the key, and the local stack, other
        // than KMS, does not look at it.
        let at = text.len() - 6;
        let other = if text[at..].starts_with('A') {
            "B"
        } else {
            "A"
        };
        text.replace_range(at..=at, other);
        let opened = seal.open(ORDER, &changed).await;
        assert!(matches!(opened, Err(SealError::Refused(_))), "{opened:?}");
    }
}

async fn what_is_no_seal_is_refused(seal: Arc<dyn Seal>) {
    let sealed = seal.seal(ORDER, BUYER).await.unwrap();
    for broken in [
        Sealed {
            wrapped_key: "AAAA".to_owned(),
            ..sealed.clone()
        },
        Sealed {
            wrapped_key: "%".to_owned(),
            ..sealed.clone()
        },
        Sealed {
            nonce: String::new(),
            ..sealed.clone()
        },
        Sealed {
            text: String::new(),
            ..sealed.clone()
        },
    ] {
        let opened = seal.open(ORDER, &broken).await;
        assert!(matches!(opened, Err(SealError::Refused(_))), "{opened:?}");
    }
}

async fn no_two_seals_are_alike(seal: Arc<dyn Seal>) {
    let one = seal.seal(ORDER, BUYER).await.unwrap();
    let two = seal.seal(ORDER, BUYER).await.unwrap();
    assert_ne!(one.wrapped_key, two.wrapped_key);
    assert_ne!(one.nonce, two.nonce);
    assert_ne!(one.text, two.text);
}

async fn a_long_text_is_sealed(seal: Arc<dyn Seal>) {
    let plain = vec![7; 200 * 1024];
    let sealed = seal.seal(ORDER, &plain).await.unwrap();
    assert_eq!(seal.open(ORDER, &sealed).await.unwrap().as_slice(), plain);
}
