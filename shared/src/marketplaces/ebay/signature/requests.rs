//! How requests are signed that move a European seller's money (developer.ebay.com, "Digital signatures for APIs";
//! RFC 9421, RFC 9530).

use crate::{domain::Invalid, secrets::Secret};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::Ed25519KeyPair;
use sha2::{Digest, Sha256};

/// What of a request is signed. Its body must be final: whoever writes it anew breaks the digest.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path without the query.
    pub path: &'a str,
    /// The host, with its port where that is not the scheme's own.
    pub authority: &'a str,
    /// The body; empty for none.
    pub body: &'a [u8],
    /// Seconds since 1970.
    pub created: i64,
}

/// Signs requests with Ed25519, which eBay prefers to RSA.
pub struct Signer {
    pair: Ed25519KeyPair,
    jwe: Secret,
}

impl Signer {
    /// A signer with a key of eBay's Key Management API: its `jwe`, and its `privateKey`, base64 of PKCS #8 with or
    /// without the lines of a PEM around it. The error names what is wrong and never the key.
    pub fn new(jwe: &Secret, private_key: &Secret) -> Result<Self, Invalid> {
        // The key is taken apart here and nowhere else; ring keeps it.
        let base64: String = private_key
            .expose()
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .flat_map(str::split_ascii_whitespace)
            .collect();
        let wrong = || {
            let problem = "must be the privateKey of an ED25519 signing key, as eBay gave it";
            Invalid::new("signing_private_key", problem)
        };
        let der = zeroize::Zeroizing::new(STANDARD.decode(base64).map_err(|_| wrong())?);
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| wrong())?;
        // It is a header's value in every signed request, so only what can stand there is one.
        let is_jwe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'=');
        if jwe.expose().is_empty() || !jwe.expose().bytes().all(is_jwe) {
            let problem = "must be the jwe of a signing key, as eBay gave it";
            return Err(Invalid::new("signing_key_jwe", problem));
        }
        Ok(Self {
            pair,
            jwe: jwe.clone(),
        })
    }

    /// The headers that a request gets.
    pub fn headers(&self, request: &Signed<'_>) -> Vec<(&'static str, String)> {
        let digest = content_digest(request.body);
        // The JWE is meant for eBay: it is the public key, sealed for eBay, and says who signs.
        let jwe = self.jwe.expose();
        let base = base(request, digest.as_deref(), jwe);
        let signature = STANDARD.encode(self.pair.sign(base.as_bytes()));
        let mut headers = vec![
            ("x-ebay-signature-key", jwe.to_owned()),
            ("signature-input", format!("sig1={}", parameters(request))),
            ("signature", format!("sig1=:{signature}:")),
        ];
        headers.extend(digest.map(|digest| ("content-digest", digest)));
        headers
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Signer([sealed])")
    }
}

/// The `Content-Digest` of a body; `None` for no body.
pub fn content_digest(body: &[u8]) -> Option<String> {
    (!body.is_empty()).then(|| format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body))))
}

/// The text that is signed (RFC 9421 section 2.5): one line a component, the last without an end.
pub fn base(request: &Signed<'_>, digest: Option<&str>, jwe: &str) -> String {
    let mut base = String::new();
    if let Some(digest) = digest {
        base.push_str(&format!("\"content-digest\": {digest}\n"));
    }
    base.push_str(&format!("\"x-ebay-signature-key\": {jwe}\n"));
    base.push_str(&format!("\"@method\": {}\n", request.method));
    base.push_str(&format!("\"@path\": {}\n", request.path));
    base.push_str(&format!("\"@authority\": {}\n", request.authority));
    base.push_str(&format!("\"@signature-params\": {}", parameters(request)));
    base
}

fn parameters(request: &Signed<'_>) -> String {
    let digest = if request.body.is_empty() {
        ""
    } else {
        "\"content-digest\" "
    };
    let created = request.created;
    format!(
        "({digest}\"x-ebay-signature-key\" \"@method\" \"@path\" \"@authority\");created={created}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    // The test key of RFC 9421, appendix B.1.4.
    const TEST_KEY: &str = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF";

    fn signer(private_key: &str) -> Result<Signer, Invalid> {
        Signer::new(
            &Secret::new("eyJ.a-b_c.d".into()),
            &Secret::new(private_key.to_owned()),
        )
    }

    #[test]
    fn a_key_is_read_with_and_without_the_lines_of_a_pem() {
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{TEST_KEY}\n-----END PRIVATE KEY-----\n");
        let request = Signed {
            method: "POST",
            path: "/x",
            authority: "api.ebay.com",
            body: b"{}",
            created: 1,
        };
        let (bare, pem) = (signer(TEST_KEY).unwrap(), signer(&pem).unwrap());
        assert_eq!(bare.headers(&request), pem.headers(&request));
        assert_eq!(format!("{bare:?}"), "Signer([sealed])");
    }

    #[test]
    fn what_is_no_key_is_refused_by_its_name_alone() {
        for wrong in ["", "WRONG", "MC4CAQAwBQYDK2VwBCIEIA==", &TEST_KEY[4..]] {
            let error = signer(wrong).unwrap_err().to_string();
            assert!(error.starts_with("signing_private_key"), "{error}");
            assert!(!error.contains("WRONG"), "{error}");
        }
        let jwe = Secret::new("a\r\nb: c".into());
        let error = Signer::new(&jwe, &Secret::new(TEST_KEY.into())).unwrap_err();
        assert_eq!(error.what, "signing_key_jwe");
    }

    #[test]
    fn a_request_without_a_body_has_no_digest_in_what_is_signed() {
        let request = Signed {
            method: "GET",
            path: "/sell/finances/v1/payout",
            authority: "apiz.ebay.com",
            body: b"",
            created: 7,
        };
        let headers = signer(TEST_KEY).unwrap().headers(&request);
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["x-ebay-signature-key", "signature-input", "signature"]
        );
        assert!(headers[1].1.starts_with("sig1=(\"x-ebay-signature-key\" "));
    }
}
