//! The checks of `logistics_address` that AliExpress is known to make, by country ("Place order error", from the
//! dropshipper FAQ, and messages that clients recorded).

use serde_json::Value;

/// Full names of the states that US addresses are checked against; abbreviations are refused.
const US_STATES: [&str; 51] = [
    "Alabama",
    "Alaska",
    "Arizona",
    "Arkansas",
    "California",
    "Colorado",
    "Connecticut",
    "Delaware",
    "District of Columbia",
    "Florida",
    "Georgia",
    "Hawaii",
    "Idaho",
    "Illinois",
    "Indiana",
    "Iowa",
    "Kansas",
    "Kentucky",
    "Louisiana",
    "Maine",
    "Maryland",
    "Massachusetts",
    "Michigan",
    "Minnesota",
    "Mississippi",
    "Missouri",
    "Montana",
    "Nebraska",
    "Nevada",
    "New Hampshire",
    "New Jersey",
    "New Mexico",
    "New York",
    "North Carolina",
    "North Dakota",
    "Ohio",
    "Oklahoma",
    "Oregon",
    "Pennsylvania",
    "Rhode Island",
    "South Carolina",
    "South Dakota",
    "Tennessee",
    "Texas",
    "Utah",
    "Vermont",
    "Virginia",
    "Washington",
    "West Virginia",
    "Wisconsin",
    "Wyoming",
];

/// An address that can be looked into field by field.
struct Address<'a> {
    fields: &'a Value,
    extra: &'a Value,
}

impl<'a> Address<'a> {
    fn text(&self, name: &str) -> &'a str {
        self.fields[name].as_str().unwrap_or_default().trim()
    }

    fn full_name(&self) -> &'a str {
        match self.text("full_name") {
            "" => self.text("contact_person"),
            name => name,
        }
    }

    fn digits(&self, name: &str, count: usize) -> bool {
        is_digits(self.text(name), count)
    }
}

/// What is wrong with an address, in the server's words; `extra` is `trade_extra_param`.
pub(super) fn complaint(address: &Value, extra: &Value) -> Option<&'static str> {
    let address = Address {
        fields: address,
        extra,
    };
    let required = [
        ("country", "Please select a country"),
        ("address", "Please enter an address"),
        ("city", "Please enter a city"),
        ("province", "Please enter a province"),
    ];
    let missing = required
        .iter()
        .find(|(name, _)| address.text(name).is_empty());
    if let Some((_, message)) = missing {
        return Some(message);
    }
    if address.full_name().is_empty() {
        return Some("Please enter a contact name");
    }
    if address.text("mobile_no").is_empty() {
        return Some("Please enter a phone number");
    }
    country_complaint(&address)
}

fn country_complaint(address: &Address<'_>) -> Option<&'static str> {
    let name = address.full_name();
    let name_length = name.chars().count();
    let has_space = name.contains(' ');
    let plain_name = name
        .chars()
        .all(|c| c.is_alphabetic() || " .'-".contains(c));
    match address.text("country") {
        "UK" => Some("Please select a country"),
        "US" => us_complaint(address),
        "BR" if !address.digits("cpf", 11) => Some("Please enter a valid CPF"),
        "BR" if address.text("zip").is_empty() => Some("Please enter a zip code"),
        "BR" if address.text("city") == "Other" => Some("Please enter a city"),
        "MX" if address.text("passport_no").is_empty() => Some("Please enter RFC or CURP"),
        "MX" if address.text("address2").chars().count() > 60 => {
            Some("Address line 2 has at most 60 characters")
        }
        "SA" if !is_national_address(address.extra["nat_addr"].as_str().unwrap_or_default()) => {
            Some("Please enter a valid national address")
        }
        "SA" if !(address.digits("mobile_no", 9) && address.text("mobile_no").starts_with('5')) => {
            Some("Please enter a 9 digit phone number starting with 5")
        }
        "ES" if !address.digits("mobile_no", 9) => Some("Please enter a 9 digit phone number"),
        "IL" if !address.digits("id", 9) => Some("Please enter a 9 digit ID"),
        "AR" if !is_argentine_tax_number(address.text("tax_number")) => {
            Some("Please enter a valid tax number")
        }
        "AR" if !address.digits("mobile_no", 10) => Some("Please enter a 10 digit phone number"),
        "AU" | "NZ" if !has_space || !plain_name || !(2..=128).contains(&name_length) => {
            Some("Please enter a first name and a last name in letters")
        }
        "DZ" | "ZA" if !has_space => Some("Please enter a first name and a last name"),
        "KR" if address.text("passport_no").is_empty()
            && address.text("foreigner_passport_no").is_empty() =>
        {
            Some("Please enter a personal customs code")
        }
        _ => None,
    }
}

fn us_complaint(address: &Address<'_>) -> Option<&'static str> {
    let name = address.full_name();
    if !name.contains(' ') || !(2..=32).contains(&name.chars().count()) {
        return Some("Please enter a first name and a last name of 2-32 characters");
    }
    if !(5..=35).contains(&address.text("address").chars().count()) {
        return Some("Please enter an address of 5-35 characters");
    }
    if !US_STATES.contains(&address.text("province")) {
        return Some("Please enter a valid province");
    }
    address
        .text("zip")
        .is_empty()
        .then_some("Please enter a zip code")
}

fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|c| c.is_ascii_digit())
}

fn is_national_address(text: &str) -> bool {
    let (letters, digits) = text.split_at_checked(4).unwrap_or_default();
    letters.len() == 4 && letters.bytes().all(|c| c.is_ascii_alphabetic()) && is_digits(digits, 4)
}

/// `20-12345678-6`
fn is_argentine_tax_number(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts.as_slice(), [a, b, c] if is_digits(a, 2) && is_digits(b, 8) && is_digits(c, 1))
}
