//! Made-up customers.

use serde::Deserialize;
use serde::Serialize;

use crate::random::Random;

/// A customer and where the goods go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    /// User name on the channel.
    pub username: String,
    /// First and last name.
    pub full_name: String,
    /// Street and number.
    pub address_line1: String,
    /// Flat, floor and the like.
    #[serde(default)]
    pub address_line2: Option<String>,
    /// City.
    pub city: String,
    /// State, as the channel writes it (two letters in the US).
    pub state_or_province: String,
    /// Post code.
    pub postal_code: String,
    /// ISO 3166 code.
    pub country_code: String,
    /// Phone number, digits only.
    pub phone: String,
    /// The channel's relay address.
    pub email: String,
}

const FIRST_NAMES: [&str; 12] = [
    "Alma", "Bruno", "Carla", "Dario", "Elif", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Kaya",
    "Liv",
];
const LAST_NAMES: [&str; 12] = [
    "Ashdown",
    "Birch",
    "Castell",
    "Dunmore",
    "Elmwood",
    "Fairley",
    "Garside",
    "Holt",
    "Inkster",
    "Jarvis",
    "Kestrel",
    "Lindqvist",
];
const STREETS: [&str; 6] = [
    "Example Street",
    "Sample Avenue",
    "Specimen Road",
    "Placeholder Lane",
    "Fixture Drive",
    "Mockup Court",
];
/// City, state and post code that fit together.
const PLACES: [(&str, &str, &str); 8] = [
    ("Vineland", "NJ", "08360"),
    ("Orlando", "FL", "32807"),
    ("Portland", "OR", "97205"),
    ("Austin", "TX", "78704"),
    ("Columbus", "OH", "43004"),
    ("Boulder", "CO", "80301"),
    ("Albany", "NY", "12203"),
    ("Madison", "WI", "53703"),
];

/// A customer that nobody is, in the United States.
pub(crate) fn made_up(random: &mut Random) -> Buyer {
    let first = pick(random, &FIRST_NAMES);
    let last = pick(random, &LAST_NAMES);
    let (city, state, postal_code) = pick(random, &PLACES);
    let handle = format!(
        "{}_{}{}",
        first.to_lowercase(),
        last.to_lowercase(),
        random.digits(4)
    );
    Buyer {
        full_name: format!("{first} {last}"),
        address_line1: format!("{} {}", 1 + random.below(989), pick(random, &STREETS)),
        address_line2: random
            .one_in(3)
            .then(|| format!("Apt {}", 1 + random.below(40))),
        city: city.to_owned(),
        state_or_province: state.to_owned(),
        postal_code: postal_code.to_owned(),
        country_code: "US".to_owned(),
        // 555-0100 to 555-0199 are set aside for fiction.
        phone: format!("{}55501{:02}", 201 + random.below(700), random.below(100)),
        email: format!("{}@members.example.invalid", random.hex(12)),
        username: handle,
    }
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    let place = random.below(u64::try_from(from.len()).unwrap_or(1));
    from[usize::try_from(place).unwrap_or(0)]
}
