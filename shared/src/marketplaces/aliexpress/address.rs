//! A buyer as AliExpress wants it: its country's rules checked before the order, phone and state in its words.
//!
//! The rules come from the page "Place order error" and from what clients report. AliExpress checks again, so a rule
//! that is missing here costs one refused call, and only rules that leave no doubt are checked: numbers that a person has
//! of the state are asked for in Argentina, Israel and Korea too, but not said to be required, and are left to AliExpress.

use super::error::Call;
use super::wire::LogisticsAddress;
use crate::domain::{Buyer, CountryCode};
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
    let address = LogisticsAddress {
        address: one_line(&buyer.address.line1),
        address2: one_line(&buyer.address.line2),
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
                (5..=35).contains(&address.address.chars().count()),
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

/// The calling code with its `+`, and the national number's digits; both empty where there is no phone number.
pub(in crate::marketplaces) fn phone(country: &str, text: &str) -> (String, String) {
    // Channels hide numbers behind a common one with an extension, which a carrier cannot use.
    let number = text.split(|c: char| c.is_ascii_alphabetic()).next();
    let number = number.unwrap_or_default().trim();
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return (String::new(), String::new());
    }
    let home = calling_code(country);
    if let Some(international) = international(number, &digits) {
        let mut codes: Vec<_> = CALLING_CODES.iter().map(|(_, code)| *code).collect();
        codes.sort_unstable_by_key(|code| std::cmp::Reverse(code.len()));
        let code = home
            .into_iter()
            .chain(codes)
            .find(|code| international.starts_with(code));
        return match code {
            Some(code) => national(country, code, &international[code.len()..]),
            None => (String::new(), international.to_owned()),
        };
    }
    match home {
        Some(code) => national(country, code, &digits),
        None => (String::new(), digits),
    }
}

fn international<'a>(number: &str, digits: &'a str) -> Option<&'a str> {
    if number.starts_with('+') {
        return Some(digits);
    }
    digits.strip_prefix("00")
}

/// Where the national number's length is known, a calling code or a trunk zero in front of it goes.
fn national(country: &str, code: &str, digits: &str) -> (String, String) {
    let length = match country {
        "US" | "CA" | "AR" => 10,
        "ES" | "SA" => 9,
        _ => return (format!("+{code}"), digits.to_owned()),
    };
    let bare = [code, "0"]
        .into_iter()
        .filter_map(|front| digits.strip_prefix(front))
        .find(|rest| rest.len() == length);
    (format!("+{code}"), bare.unwrap_or(digits).to_owned())
}

fn calling_code(country: &str) -> Option<&'static str> {
    CALLING_CODES
        .iter()
        .find(|(countries, _)| countries.split(' ').any(|known| known == country))
        .map(|(_, code)| *code)
}

/// Calling codes (ITU-T E.164) of the countries that AliExpress ships to most.
const CALLING_CODES: &[(&str, &str)] = &[
    ("US CA PR DO JM TT BS BB", "1"),
    ("RU KZ", "7"),
    ("EG", "20"),
    ("ZA", "27"),
    ("GR", "30"),
    ("NL", "31"),
    ("BE", "32"),
    ("FR", "33"),
    ("ES", "34"),
    ("HU", "36"),
    ("IT VA", "39"),
    ("RO", "40"),
    ("CH", "41"),
    ("AT", "43"),
    ("GB GG JE IM", "44"),
    ("DK", "45"),
    ("SE", "46"),
    ("NO SJ", "47"),
    ("PL", "48"),
    ("DE", "49"),
    ("PE", "51"),
    ("MX", "52"),
    ("CU", "53"),
    ("AR", "54"),
    ("BR", "55"),
    ("CL", "56"),
    ("CO", "57"),
    ("VE", "58"),
    ("MY", "60"),
    ("AU", "61"),
    ("ID", "62"),
    ("PH", "63"),
    ("NZ", "64"),
    ("SG", "65"),
    ("TH", "66"),
    ("JP", "81"),
    ("KR", "82"),
    ("VN", "84"),
    ("CN", "86"),
    ("TR", "90"),
    ("IN", "91"),
    ("PK", "92"),
    ("LK", "94"),
    ("MA", "212"),
    ("DZ", "213"),
    ("TN", "216"),
    ("SN", "221"),
    ("CI", "225"),
    ("MU", "230"),
    ("GH", "233"),
    ("NG", "234"),
    ("KE", "254"),
    ("TZ", "255"),
    ("UG", "256"),
    ("RE YT", "262"),
    ("GI", "350"),
    ("PT", "351"),
    ("LU", "352"),
    ("IE", "353"),
    ("IS", "354"),
    ("AL", "355"),
    ("MT", "356"),
    ("CY", "357"),
    ("FI AX", "358"),
    ("BG", "359"),
    ("LT", "370"),
    ("LV", "371"),
    ("EE", "372"),
    ("MD", "373"),
    ("AM", "374"),
    ("BY", "375"),
    ("AD", "376"),
    ("MC", "377"),
    ("SM", "378"),
    ("UA", "380"),
    ("RS", "381"),
    ("ME", "382"),
    ("HR", "385"),
    ("SI", "386"),
    ("BA", "387"),
    ("MK", "389"),
    ("CZ", "420"),
    ("SK", "421"),
    ("LI", "423"),
    ("GT", "502"),
    ("SV", "503"),
    ("HN", "504"),
    ("NI", "505"),
    ("CR", "506"),
    ("PA", "507"),
    ("GP", "590"),
    ("BO", "591"),
    ("GF", "594"),
    ("EC", "593"),
    ("PY", "595"),
    ("MQ", "596"),
    ("UY", "598"),
    ("HK", "852"),
    ("MO", "853"),
    ("KH", "855"),
    ("BD", "880"),
    ("TW", "886"),
    ("LB", "961"),
    ("JO", "962"),
    ("IQ", "964"),
    ("KW", "965"),
    ("SA", "966"),
    ("OM", "968"),
    ("AE", "971"),
    ("IL", "972"),
    ("BH", "973"),
    ("QA", "974"),
    ("NP", "977"),
    ("AZ", "994"),
    ("GE", "995"),
    ("KG", "996"),
    ("UZ", "998"),
];

pub(in crate::marketplaces) const US_STATES: &[(&str, &str)] = &[
    ("AL", "Alabama"),
    ("AK", "Alaska"),
    ("AZ", "Arizona"),
    ("AR", "Arkansas"),
    ("CA", "California"),
    ("CO", "Colorado"),
    ("CT", "Connecticut"),
    ("DE", "Delaware"),
    ("DC", "District of Columbia"),
    ("FL", "Florida"),
    ("GA", "Georgia"),
    ("HI", "Hawaii"),
    ("ID", "Idaho"),
    ("IL", "Illinois"),
    ("IN", "Indiana"),
    ("IA", "Iowa"),
    ("KS", "Kansas"),
    ("KY", "Kentucky"),
    ("LA", "Louisiana"),
    ("ME", "Maine"),
    ("MD", "Maryland"),
    ("MA", "Massachusetts"),
    ("MI", "Michigan"),
    ("MN", "Minnesota"),
    ("MS", "Mississippi"),
    ("MO", "Missouri"),
    ("MT", "Montana"),
    ("NE", "Nebraska"),
    ("NV", "Nevada"),
    ("NH", "New Hampshire"),
    ("NJ", "New Jersey"),
    ("NM", "New Mexico"),
    ("NY", "New York"),
    ("NC", "North Carolina"),
    ("ND", "North Dakota"),
    ("OH", "Ohio"),
    ("OK", "Oklahoma"),
    ("OR", "Oregon"),
    ("PA", "Pennsylvania"),
    ("PR", "Puerto Rico"),
    ("RI", "Rhode Island"),
    ("SC", "South Carolina"),
    ("SD", "South Dakota"),
    ("TN", "Tennessee"),
    ("TX", "Texas"),
    ("UT", "Utah"),
    ("VT", "Vermont"),
    ("VI", "Virgin Islands"),
    ("VA", "Virginia"),
    ("WA", "Washington"),
    ("WV", "West Virginia"),
    ("WI", "Wisconsin"),
    ("WY", "Wyoming"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AccountId, Address};

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

    #[test]
    fn phone_numbers_become_digits_with_their_country() {
        let cases = [
            ("US", "+1 407-555-0100 ext. 12345", "+1", "4075550100"),
            ("US", "1 407 555 0100", "+1", "4075550100"),
            ("US", "", "", ""),
            ("DE", "+49 (0)30 123456", "+49", "030123456"),
            ("DE", "0049 30 123456", "+49", "30123456"),
            ("DE", "+351 912345678", "+351", "912345678"),
            ("ES", "34612345678", "+34", "612345678"),
            ("SA", "0512345678", "+966", "512345678"),
            ("XX", "12345", "", "12345"),
        ];
        for (country, text, code, digits) in cases {
            assert_eq!(
                phone(country, text),
                (code.to_owned(), digits.to_owned()),
                "{text}"
            );
        }
    }
}
