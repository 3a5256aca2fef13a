//! Made-up credentials that the simulators accept unless told otherwise, so that a demo and the tests share them.

/// eBay application id.
pub const EBAY_CLIENT_ID: &str = "KervanSim-Orders-SBX-100000001-20000002";
/// eBay application secret.
pub const EBAY_CLIENT_SECRET: &str = "SBX-300000000003-4444-4555-8666-7777";
/// The seller's refresh token at eBay; it stays the same over all refreshes.
pub const EBAY_REFRESH_TOKEN: &str = "v^1.1#i^1#p^3#r^1#SIMULATEDREFRESHTOKEN";
/// Token of the eBay notification endpoint (32 to 80 letters, digits, `_` and `-`).
pub const EBAY_VERIFICATION_TOKEN: &str = "kervan-simulated-verification-token-0001";
/// The seller's user name at eBay.
pub const EBAY_SELLER: &str = "kervan_demo_seller";

/// Amazon application id at Login with Amazon.
pub const AMAZON_CLIENT_ID: &str = "amzn1.application-oa2-client.0000000000kervan000000000001";
/// Amazon application secret.
pub const AMAZON_CLIENT_SECRET: &str = "amzn1.oa2-cs.v1.0000000000kervan000000000000000001";
/// The seller's refresh token at Amazon; it stays the same over all refreshes.
pub const AMAZON_REFRESH_TOKEN: &str = "Atzr|SIMULATEDREFRESHTOKEN00000001";
/// The seller's id at Amazon.
pub const AMAZON_SELLER_ID: &str = "A1KERVANDEMO01";
/// The marketplace on which the seller sells: amazon.com.
pub const AMAZON_MARKETPLACE_ID: &str = "ATVPDKIKX0DER";
/// eBay developer id; platform notifications are signed with it.
pub const EBAY_DEV_ID: &str = "50000005-6666-4777-8888-999999999999";
/// The signing key that the simulated eBay has given the seller: its sealed public half, which names it.
pub const EBAY_SIGNING_JWE: &str = "eyJhbGciOiJBMjU2R0NNS1cifQ.c2ltdWxhdGVk.c2lnbmluZw.a2V5.MQ";
/// Its private half: base64 of PKCS #8, made up from a seed of ones.
pub const EBAY_SIGNING_PRIVATE_KEY: &str =
    "MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

/// AliExpress application key.
pub const ALIEXPRESS_APP_KEY: &str = "500100";
/// AliExpress application secret.
pub const ALIEXPRESS_APP_SECRET: &str = "kervanSimulatedAppSecret00000001";
/// The first access token; valid from the simulator's start for `access_token_s`.
pub const ALIEXPRESS_ACCESS_TOKEN: &str = "50000100a01kervanSimulatedAccessToken1";
/// The first refresh token; each refresh replaces it.
pub const ALIEXPRESS_REFRESH_TOKEN: &str = "50001100b02kervanSimulatedRefreshTok1";
/// The shop's first access token, in the `"side": "seller"` of the API.
pub const ALIEXPRESS_SHOP_ACCESS_TOKEN: &str = "50000200a03kervanSimulatedShopAccess1";
/// The shop's first refresh token; each refresh replaces it.
pub const ALIEXPRESS_SHOP_REFRESH_TOKEN: &str = "50001200b04kervanSimulatedShopRefres1";
/// The buying account's id (`seller_id` in tokens and pushes).
pub const ALIEXPRESS_SELLER_ID: &str = "2200100300";

/// Alibaba.com application key.
pub const ALIBABA_APP_KEY: &str = "500200";
/// Alibaba.com application secret.
pub const ALIBABA_APP_SECRET: &str = "kervanSimulatedAppSecret00000002";
/// The first access token at Alibaba.com.
pub const ALIBABA_ACCESS_TOKEN: &str = "50000200a01kervanSimulatedAccessToken2";
/// The first refresh token at Alibaba.com; each refresh replaces it.
pub const ALIBABA_REFRESH_TOKEN: &str = "50001200b02kervanSimulatedRefreshTok2";
/// The buying account's id at Alibaba.com (`seller_id` in pushes).
pub const ALIBABA_SELLER_ID: &str = "200042360";

/// 1688 application key.
pub const CN1688_APP_KEY: &str = "1000000";
/// 1688 application secret.
pub const CN1688_APP_SECRET: &str = "kervanSim3";
/// The first access token at 1688.
pub const CN1688_ACCESS_TOKEN: &str = "kervan-simulated-access-token-3";
/// The refresh token at 1688; it stays the same over all refreshes.
pub const CN1688_REFRESH_TOKEN: &str = "kervan-simulated-refresh-token-3";
/// The buying account's id at 1688 (`userInfo` in messages).
pub const CN1688_MEMBER_ID: &str = "b2b-200042361";
