//! Requests and the envelope of answers, exactly as sent. The order of elements is that of eBay's schema.

use super::xml::{Element, Writer};
use crate::marketplaces::{ListingUpdate, ebay::convert::item_id};

/// How a call ended (`AckCodeType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ack {
    /// It did what it should, with or without warnings.
    Success,
    /// It did a part of it.
    PartialFailure,
    /// It did nothing.
    Failure,
}

/// An entry of `Errors` that is not a warning. Its messages are not read: they can repeat a buyer's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorEntry {
    /// `ErrorCode`
    pub(super) code: String,
    /// Whether it is eBay's fault (`ErrorClassification` SystemError).
    pub(super) is_system: bool,
    /// `ErrorParameters`: their `ParamID`, a word or a number, and their values.
    pub(super) parameters: Vec<(String, String)>,
}

/// The envelope of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// `Ack`
    pub(super) ack: Ack,
    /// `Errors`, without warnings.
    pub(super) errors: Vec<ErrorEntry>,
    /// The whole answer.
    pub(super) root: Element,
}

impl Answer {
    /// The answer of a call; `None` where it is not one, or does not say how it ended.
    pub(super) fn read(root: Element, call: &str) -> Option<Self> {
        if root.name().strip_suffix("Response") != Some(call) {
            return None;
        }
        let ack = match root.only("Ack")?.text() {
            "Success" | "Warning" => Ack::Success,
            "PartialFailure" => Ack::PartialFailure,
            "Failure" => Ack::Failure,
            _ => return None,
        };
        let is_error = |entry: &&Element| entry.value(&["SeverityCode"]) != Some("Warning");
        let errors = root.all("Errors").filter(is_error).map(error_entry);
        Some(Self {
            ack,
            errors: errors.collect(),
            root,
        })
    }
}

fn error_entry(entry: &Element) -> ErrorEntry {
    let parameters = entry.all("ErrorParameters").map(|parameter| {
        let id = parameter.attribute("ParamID").unwrap_or_default();
        let value = parameter.value(&["Value"]).unwrap_or_default();
        (id.to_owned(), value.to_owned())
    });
    ErrorEntry {
        code: entry.value(&["ErrorCode"]).unwrap_or("no-code").to_owned(),
        is_system: entry.value(&["ErrorClassification"]) == Some("SystemError"),
        parameters: parameters.collect(),
    }
}

/// GetOrders for one order.
pub(super) fn get_order(id: &str) -> String {
    Writer::request("GetOrders", |request| {
        request.leaf("DetailLevel", "ReturnAll");
        preamble(request);
        // The fee is told to nobody who does not ask for it.
        request.leaf("IncludeFinalValueFee", "true");
        request.nest("OrderIDArray", |ids| ids.leaf("OrderID", id));
        request.leaf("OrderRole", "Seller");
    })
}

/// GetOrders for those that changed in a span of time. Both ends are times of eBay's past, in UTC.
pub(super) fn get_orders(from: &str, until: &str, page: u32, entries: u32) -> String {
    Writer::request("GetOrders", |request| {
        preamble(request);
        request.leaf("ModTimeFrom", from);
        request.leaf("ModTimeTo", until);
        request.leaf("OrderRole", "Seller");
        // Cancelled ones and those that are not paid changed too.
        request.leaf("OrderStatus", "All");
        request.nest("Pagination", |pagination| {
            pagination.leaf("EntriesPerPage", &entries.to_string());
            pagination.leaf("PageNumber", &page.to_string());
        });
    })
}

/// What CompleteSale is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sold<'a> {
    /// All lines of an order.
    Order(&'a str),
    /// One line, by its OrderLineItemID.
    Line(&'a str),
}

/// A tracking number with its carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tracking {
    /// `ShipmentTrackingNumber`
    pub(super) number: String,
    /// `ShippingCarrierUsed`
    pub(super) carrier: String,
}

/// CompleteSale: the sale was shipped, in these parcels and no others.
pub(super) fn complete_sale(sold: Sold<'_>, shipped_at: &str, parcels: &[Tracking]) -> String {
    Writer::request("CompleteSale", |request| {
        match sold {
            Sold::Order(id) => request.leaf("OrderID", id),
            Sold::Line(id) => request.leaf("OrderLineItemID", id),
        }
        request.leaf("Shipped", "true");
        request.nest("Shipment", |shipment| {
            shipment.leaf("ShippedTime", shipped_at);
            for parcel in parcels {
                shipment.nest("ShipmentTrackingDetails", |details| {
                    details.leaf("ShipmentTrackingNumber", &parcel.number);
                    details.leaf("ShippingCarrierUsed", &parcel.carrier);
                });
            }
        });
    })
}

/// ReviseInventoryStatus: quantity and price of listings of the Trading API.
pub(super) fn revise(updates: &[&ListingUpdate]) -> String {
    Writer::request("ReviseInventoryStatus", |request| {
        for update in updates {
            request.nest("InventoryStatus", |status| {
                status.leaf("ItemID", item_id(&update.listing).unwrap_or_default());
                status.leaf("SKU", update.listing.sku.as_str());
                if let Some(price) = update.price {
                    // With its currency, so that eBay can see a price that is of another site.
                    let currency = ("currencyID", price.currency.code());
                    status.leaf_with("StartPrice", currency, &price.decimal());
                }
                status.leaf("Quantity", &update.quantity.to_string());
            });
        }
    })
}

/// A call without content.
pub(super) fn empty(call: &str) -> String {
    Writer::request(call, |_| {})
}

/// GetNotificationPreferences of the application, or of the user.
pub(super) fn get_preferences(level: &str) -> String {
    Writer::request("GetNotificationPreferences", |request| {
        request.leaf("PreferenceLevel", level);
    })
}

/// SetNotificationPreferences: these events go to this endpoint.
pub(super) fn set_preferences(endpoint: &str, events: &[&str]) -> String {
    Writer::request("SetNotificationPreferences", |request| {
        request.nest("ApplicationDeliveryPreferences", |application| {
            application.leaf("ApplicationEnable", "Enable");
            application.leaf("ApplicationURL", endpoint);
            application.leaf("DeviceType", "Platform");
        });
        request.nest("UserDeliveryPreferenceArray", |user| {
            for event in events {
                user.nest("NotificationEnable", |enable| {
                    enable.leaf("EventType", event);
                    enable.leaf("EventEnable", "Enable");
                });
            }
        });
    })
}

fn preamble(request: &mut Writer) {
    request.leaf("ErrorLanguage", "en_US");
    request.leaf("WarningLevel", "High");
}
