//! A buyer as AliExpress wants it: its country's rules checked before the order, phone and state in its words.
//!
//! The rules come from the page "Place order error" and from what clients report. AliExpress checks again, so a rule
//! that is missing here costs one refused call, and only rules that leave no doubt are checked: numbers that a person has
//! of the state are asked for in Argentina, Israel and Korea too, but not said to be required, and are left to AliExpress.

use super::error::Call;
use super::wire::LogisticsAddress;
use crate::domain::{Address, Buyer, CountryCode};
use crate::marketplaces::phone::phone;
use crate::marketplaces::us_states::US_STATES;
use crate::marketplaces::{CallError, Kind, Retry};

/// The country in AliExpress's words: it knows the United Kingdom only as GB.
pub(super) fn country(country: &CountryCode) -> &str {
    match country.as_str() {
        "UK" => "GB",
        code => code,
    }
}

/// The address of an order. A rule that is broken is [`Kind::AddressRefused`] with a code such as `US.full_name`.
pub(super) fn logistics_address(
    call: &Call<'_>,
    buyer: &Buyer,
) -> Result<LogisticsAddress, CallError> {
    let country = country(&buyer.address.country);
    let refused = |field: &str| {
        let code = format!("{country}.{field}");
        call.ours(Kind::AddressRefused, Retry::Permanent, &code)
    };
    let (phone_country, mobile_no) = phone(country, &buyer.phone);
    let full_name = one_line(&buyer.name);
    let (street, rest) = street(country, &buyer.address);
    let address = LogisticsAddress {
        address: street,
        address2: rest,
        city: one_line(&buyer.address.city),
        contact_person: full_name.clone(),
        country: country.to_owned(),
        full_name,
        mobile_no,
        phone_country,
        province: province(country, &buyer.address.region).ok_or_else(|| refused("province"))?,
        zip: one_line(&buyer.address.postal_code),
    };
    match broken_rule(country, &address) {
        Some(field) => Err(refused(field)),
        None => Ok(address),
    }
}

/// The short national address that Saudi Arabia's parcels go by, where the buyer wrote it into the address: four letters
/// and four digits, as in `RRRD2929`.
pub(super) fn national_address(buyer: &Buyer) -> Option<String> {
    if buyer.address.country.as_str() != "SA" {
        return None;
    }
    let address = &buyer.address;
    let lines = [&address.line2, &address.line1, &address.postal_code];
    let words = lines.into_iter().flat_map(|line| {
        line.split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| word.len() == 8)
    });
    let is_one = |word: &&str| {
        let (letters, digits) = word.split_at(4);
        letters.bytes().all(|b| b.is_ascii_alphabetic())
            && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let mut found = words.filter(is_one);
    found.next().map(str::to_ascii_uppercase)
}

/// The first field that breaks a rule of its country.
fn broken_rule(country: &str, address: &LogisticsAddress) -> Option<&'static str> {
    let name = address.full_name.as_str();
    let name_length = name.chars().count();
    let two_words = name.contains(' ');
    let letters = name
        .chars()
        .all(|c| c.is_alphabetic() || " -.'’".contains(c));
    let phone_length = address.mobile_no.len();
    let rules: &[(&'static str, bool)] = match country {
        "US" => &[
            ("full_name", two_words && (2..=32).contains(&name_length)),
            (
                "address",
                (5..=US_STREET_CHARACTERS_MAX).contains(&address.address.chars().count()),
            ),
        ],
        "AU" | "NZ" => &[(
            "full_name",
            two_words && letters && (2..=128).contains(&name_length),
        )],
        "DZ" | "ZA" => &[("full_name", two_words)],
        "ES" => &[("mobile_no", phone_length == 9)],
        "SA" => &[(
            "mobile_no",
            phone_length == 9 && address.mobile_no.starts_with('5'),
        )],
        "AR" => &[("mobile_no", phone_length == 10)],
        // Channels do not give these numbers of a person, so there is nothing to send.
        "BR" => &[("cpf", false)],
        "MX" => &[("passport_no", false)],
        _ => &[],
    };
    let everywhere = [
        ("full_name", !name.is_empty()),
        ("address", !address.address.is_empty()),
        ("city", !address.city.is_empty()),
    ];
    everywhere
        .iter()
        .chain(rules)
        .find(|(_, kept)| !kept)
        .map(|(field, _)| *field)
}

/// Characters of an American street line, at most.
const US_STREET_CHARACTERS_MAX: usize = 35;

/// Both lines of the street. One that is too long for the first goes on in the second, from a blank on.
fn street(country: &str, address: &Address) -> (String, String) {
    let (first, second) = (one_line(&address.line1), one_line(&address.line2));
    let too_long = first.char_indices().nth(US_STREET_CHARACTERS_MAX);
    let (Some((end, after)), "US") = (too_long, country) else {
        return (first, second);
    };
    // A word that ends right there stays whole.
    let place = if after == ' ' {
        Some(end)
    } else {
        first[..end].rfind(' ')
    };
    let Some(place) = place else {
        return (first, second);
    };
    let (first, rest) = first.split_at(place);
    let rest = rest.trim_start();
    let rest = if second.is_empty() {
        rest.to_owned()
    } else {
        format!("{rest}, {second}")
    };
    (first.to_owned(), rest)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The province. The field is required; where an address has none, AliExpress's own forms say `Other`, which it refuses
/// for the United States.
fn province(country: &str, region: &str) -> Option<String> {
    let region = one_line(region);
    if country == "US" {
        let state = US_STATES.iter().find(|(short, long)| {
            region.eq_ignore_ascii_case(short) || region.eq_ignore_ascii_case(long)
        });
        return state.map(|(_, long)| (*long).to_owned());
    }
    Some(if region.is_empty() {
        "Other".to_owned()
    } else {
        region
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AccountId;

    fn buyer(country: &str) -> Buyer {
        Buyer {
            name: "Jane  Doe".into(),
            phone: "(407) 555-0100".into(),
            email: String::new(),
            account_name: "jane1".into(),
            address: Address {
                line1: "1 Main Street".into(),
                line2: String::new(),
                city: "Orlando".into(),
                region: "fl".into(),
                postal_code: "32807".into(),
                country: country.parse().unwrap(),
            },
        }
    }

    fn mapped(buyer: &Buyer) -> Result<LogisticsAddress, CallError> {
        let account: AccountId = "aliexpress:main".parse().unwrap();
        let call = Call {
            account: &account,
            operation: super::super::client::ORDER_CREATE,
        };
        logistics_address(&call, buyer)
    }

    fn refused(buyer: &Buyer) -> String {
        let error = mapped(buyer).err().unwrap();
        assert_eq!(error.kind, Kind::AddressRefused);
        assert_eq!(error.effect, crate::marketplaces::Effect::None);
        error.code
    }

    #[test]
    fn an_american_address_is_put_in_aliexpress_words() {
        let address = mapped(&buyer("US")).ok().unwrap();
        assert_eq!(address.full_name, "Jane Doe");
        assert_eq!(address.province, "Florida");
        assert_eq!(address.phone_country, "+1");
        assert_eq!(address.mobile_no, "4075550100");
    }

    #[test]
    fn a_broken_rule_is_named_before_anything_is_sent() {
        let with = |country: &str, change: fn(&mut Buyer)| {
            let mut buyer = buyer(country);
            change(&mut buyer);
            refused(&buyer)
        };
        assert_eq!(with("US", |b| b.name = "Cher".into()), "US.full_name");
        assert_eq!(with("US", |b| b.name = "Jane Do".repeat(5)), "US.full_name");
        assert_eq!(
            with("US", |b| b.address.line1 = "1 Ma".into()),
            "US.address"
        );
        assert_eq!(
            with("US", |b| b.address.line1 = "x".repeat(36)),
            "US.address"
        );
        assert_eq!(
            with("US", |b| b.address.region = "Other".into()),
            "US.province"
        );
        assert_eq!(with("US", |b| b.address.region.clear()), "US.province");
        assert_eq!(with("NZ", |b| b.name = "Jane 2".into()), "NZ.full_name");
        assert_eq!(with("ZA", |b| b.name = "Jane".into()), "ZA.full_name");
        assert_eq!(with("ES", |b| b.phone = "12345678".into()), "ES.mobile_no");
        assert_eq!(
            with("SA", |b| b.phone = "+966 412345678".into()),
            "SA.mobile_no"
        );
        assert_eq!(with("AR", |b| b.phone.clear()), "AR.mobile_no");
        assert_eq!(with("BR", |_| ()), "BR.cpf");
        assert_eq!(with("MX", |_| ()), "MX.passport_no");
        assert_eq!(with("FR", |b| b.address.city = " ".into()), "FR.city");
        assert_eq!(with("FR", |b| b.name.clear()), "FR.full_name");
    }

    #[test]
    fn an_american_street_that_is_too_long_goes_on_in_the_second_line() {
        let lines = |line1: &str, line2: &str| {
            let mut buyer = buyer("US");
            buyer.address.line1 = line1.into();
            buyer.address.line2 = line2.into();
            let address = mapped(&buyer).ok().unwrap();
            (address.address, address.address2)
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let long = "12345 Northwest Martin Luther King Junior Boulevard";
        assert_eq!(
            lines(long, ""),
            pair("12345 Northwest Martin Luther King", "Junior Boulevard")
        );
        assert_eq!(
            lines(long, "Apt 4"),
            pair(
                "12345 Northwest Martin Luther King",
                "Junior Boulevard, Apt 4"
            )
        );
        // 35 characters, and the word that ends with the 35th.
        let fits = "123 Saint Christopher Street Number";
        assert_eq!(lines(fits, "Apt 4"), pair(fits, "Apt 4"));
        assert_eq!(lines(&format!("{fits} 5"), ""), pair(fits, "5"));
        // Only the USA has the rule.
        let mut german = buyer("DE");
        german.address.line1 = long.into();
        assert_eq!(mapped(&german).ok().unwrap().address, long);
    }

    #[test]
    fn a_saudi_address_gives_its_short_form_where_it_was_written() {
        let mut saudi = buyer("SA");
        assert_eq!(national_address(&saudi), None);
        saudi.address.line2 = "Riyadh, rrrd2929 (near the mosque)".into();
        assert_eq!(national_address(&saudi).as_deref(), Some("RRRD2929"));
        saudi.address.line2 = "ABCDE123 1234ABCD".into();
        assert_eq!(national_address(&saudi), None);
        let mut french = buyer("FR");
        french.address.line2 = "RRRD2929".into();
        assert_eq!(national_address(&french), None);
    }

    #[test]
    fn the_united_kingdom_has_one_name_and_no_province_is_other() {
        let mut british = buyer("UK");
        british.address.region.clear();
        let address = mapped(&british).ok().unwrap();
        assert_eq!((&*address.country, &*address.province), ("GB", "Other"));
    }
}
