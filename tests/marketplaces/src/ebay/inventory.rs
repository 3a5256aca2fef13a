//! bulkUpdatePriceQuantity and getOffers (Sell Inventory API v1).

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::error::INVENTORY;
use super::state::Offer;
use super::state::State;
use crate::answer::Answer;
use crate::answer::Call;
use crate::form;
use crate::money::Money;

const MAX_OFFERS: usize = 25;
const MAX_SKU_LENGTH: usize = 50;

#[derive(Deserialize)]
struct Request {
    requests: Vec<SkuRequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SkuRequest {
    #[serde(default)]
    sku: String,
    ship_to_location_availability: Option<Availability>,
    #[serde(default)]
    offers: Vec<OfferRequest>,
}

#[derive(Deserialize)]
struct Availability {
    quantity: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfferRequest {
    #[serde(default)]
    offer_id: String,
    available_quantity: Option<i64>,
    price: Option<Amount>,
}

#[derive(Deserialize)]
struct Amount {
    value: Option<String>,
    currency: Option<String>,
}

impl State {
    /// POST bulk_update_price_quantity: one sku a call in spite of its name, up to 25 of its offers.
    pub(super) fn bulk_update(&mut self, call: &Call) -> Answer {
        if let Err(answer) = check_headers(call, true) {
            return *answer;
        }
        let Ok(request) = serde_json::from_slice::<Request>(&call.body) else {
            return invalid("requests");
        };
        let [request] = request.requests.as_slice() else {
            return invalid("requests");
        };
        let names_offer_twice = request.offers.iter().enumerate().any(|(place, offer)| {
            request.offers[..place]
                .iter()
                .any(|other| other.offer_id == offer.offer_id)
        });
        if request.offers.len() > MAX_OFFERS || names_offer_twice {
            return invalid("offers");
        }
        let pool = request.ship_to_location_availability.as_ref();
        let pool = pool.and_then(|availability| availability.quantity);
        if !self.pools.contains_key(&request.sku) {
            return invalid("sku");
        }
        let mut responses = Vec::new();
        if let Some(pool) = pool {
            let Ok(units) = u32::try_from(pool) else {
                return invalid("quantity");
            };
            self.pools.insert(request.sku.clone(), units);
            responses.push(json!({ "statusCode": 200, "sku": request.sku }));
        }
        let offers = request
            .offers
            .iter()
            .map(|offer| self.update_offer(&request.sku, offer));
        responses.extend(offers.collect::<Vec<_>>());
        let all_fine = responses.iter().all(|one| one["statusCode"] == 200);
        let status = if all_fine {
            StatusCode::OK
        } else {
            StatusCode::MULTI_STATUS
        };
        Answer::json(status, &json!({ "responses": responses }))
    }

    fn update_offer(&mut self, sku: &str, request: &OfferRequest) -> Value {
        let outcome = self.try_update_offer(sku, request);
        let mut response = json!({ "statusCode": 200, "sku": sku, "offerId": request.offer_id });
        if let Err((id, category, message)) = outcome {
            response["statusCode"] = json!(400);
            response["errors"] = json!([error::entry_of(id, INVENTORY, category, &message)]);
        }
        response
    }

    fn try_update_offer(
        &mut self,
        sku: &str,
        request: &OfferRequest,
    ) -> Result<(), (u32, &'static str, String)> {
        let wrong = |field: &str| (25709, "REQUEST", format!("Invalid value for {field}."));
        let quantity = match request.available_quantity {
            Some(units) => Some(u32::try_from(units).map_err(|_| wrong("availableQuantity"))?),
            None => None,
        };
        let price = match &request.price {
            Some(amount) => Some(amount.parse().ok_or_else(|| wrong("price"))?),
            None => None,
        };
        let today = self.today();
        let allowed = self.config.settings.revisions_per_day;
        let offer = self
            .offers
            .iter_mut()
            .find(|offer| {
                offer.offer_id == request.offer_id
                    && offer.sku == sku
                    && offer.published
                    && !offer.trading
            })
            .ok_or_else(|| wrong("offerId"))?;
        if price
            .as_ref()
            .is_some_and(|price| price.currency != offer.price.currency)
        {
            return Err(wrong("currency"));
        }
        if offer.revisions.0 != today {
            offer.revisions = (today, 0);
        }
        if offer.revisions.1 >= allowed {
            self.counters.revisions_refused += 1;
            let message = format!(
                "Any User error. The listing {} reached its {allowed} revisions of this day.",
                offer.listing_id
            );
            return Err((25002, "BUSINESS", message));
        }
        offer.revisions.1 += 1;
        offer.quantity = quantity.unwrap_or(offer.quantity);
        if let Some(price) = price {
            offer.price = price;
        }
        Ok(())
    }

    /// GET offer?sku=
    pub(super) fn get_offers(&self, call: &Call) -> Answer {
        if let Err(answer) = check_headers(call, false) {
            return *answer;
        }
        let query = call.uri.query();
        let Some(sku) = form::query_value(query, "sku")
            .filter(|sku| !sku.is_empty() && sku.len() <= MAX_SKU_LENGTH)
        else {
            return invalid("sku");
        };
        let offers: Vec<Value> = self
            .offers
            .iter()
            .filter(|offer| offer.sku == sku && !offer.trading)
            .map(|offer| self.offer_json(offer))
            .collect();
        if offers.is_empty() {
            let message = "This Offer is not available : No offers found for sku.";
            return error::request(StatusCode::NOT_FOUND, 25713, INVENTORY, message);
        }
        let href = format!("/sell/inventory/v1/offer?sku={}", encode(&sku));
        let body = json!({
            "total": offers.len(),
            "size": offers.len(),
            "href": href,
            "limit": 100,
            "offers": offers,
        });
        Answer::json(StatusCode::OK, &body)
    }

    fn offer_json(&self, offer: &Offer) -> Value {
        let status = if offer.published {
            "PUBLISHED"
        } else {
            "UNPUBLISHED"
        };
        let mut body = json!({
            "offerId": offer.offer_id,
            "sku": offer.sku,
            "marketplaceId": "EBAY_US",
            "format": "FIXED_PRICE",
            "availableQuantity": offer.quantity,
            "pricingSummary": { "price": offer.price },
            "status": status,
        });
        if offer.published {
            body["listing"] = json!({
                "listingId": offer.listing_id,
                "listingStatus": if self.listed_quantity(offer) == 0 { "OUT_OF_STOCK" } else { "ACTIVE" },
                "soldQuantity": 0,
            });
        }
        body
    }
}

impl Amount {
    fn parse(&self) -> Option<Money> {
        let money = Money::parse(self.value.as_deref()?, self.currency.as_deref()?)?;
        (money.cents > 0).then_some(money)
    }
}

/// Inventory is the one API that looks at the languages: `*`, which HTTP libraries like to add, is refused.
fn check_headers(call: &Call, writes: bool) -> Result<(), Box<Answer>> {
    let accept = call.header("accept-language");
    if accept.is_some_and(|given| !given.split(',').all(is_locale)) {
        return Err(Box::new(invalid("header Accept-Language")));
    }
    if !writes {
        return Ok(());
    }
    if !call.has_content_type("application/json") {
        return Err(Box::new(Answer::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE)));
    }
    if call
        .header("content-language")
        .is_none_or(|given| !is_locale(given))
    {
        return Err(Box::new(invalid("header Content-Language")));
    }
    Ok(())
}

/// `en-US`, or `en`, with or without a weight.
fn is_locale(text: &str) -> bool {
    let tag = text.split(';').next().unwrap_or_default().trim();
    let letters = |part: &str| part.len() == 2 && part.bytes().all(|c| c.is_ascii_alphabetic());
    match tag.split_once('-') {
        Some((language, region)) => letters(language) && letters(region),
        None => letters(tag),
    }
}

fn invalid(field: &str) -> Answer {
    let message = format!("Invalid value for {field}.");
    error::bad_request(25709, INVENTORY, &message)
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
