//! Phone numbers, as suppliers want them: a calling code and the digits after it.

/// The calling code with its `+`, and the national number's digits; both empty where there is no phone number.
pub(in crate::marketplaces) fn phone(country: &str, text: &str) -> (String, String) {
    let (is_international, digits) = parts(text);
    if digits.is_empty() {
        return (String::new(), String::new());
    }
    let home = calling_code(country);
    if let Some(international) = international(is_international, &digits) {
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

/// Whether a number begins with `+`, and its digits, those of every script as ASCII. Letters before the first digit are a
/// label, as in `Tel. 030 123456`. Letters after it begin an extension, which a carrier cannot use: channels hide numbers
/// behind a common one with an extension.
fn parts(text: &str) -> (bool, String) {
    let is_digit = |c: char| digit(c).is_some();
    let start = text.find(is_digit).unwrap_or(text.len());
    let (label, number) = text.split_at(start);
    let number = number.split(|c: char| c.is_alphabetic() || c == '#').next();
    let digits = number.unwrap_or_default().chars().filter_map(digit);
    (label.contains(['+', '\u{ff0b}']), digits.collect())
}

/// The ASCII digit that a digit of any script stands for.
fn digit(c: char) -> Option<char> {
    let value = DIGIT_ZEROS.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(*zero)?;
        (value < 10).then_some(value)
    });
    value.and_then(|value| char::from_digit(value, 10))
}

/// The zeros of the scripts that write numbers in tens, each followed by its nine other digits: category Nd of Unicode 16,
/// Basic Multilingual Plane.
const DIGIT_ZEROS: &[u32] = &[
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10,
];

fn international(has_plus: bool, digits: &str) -> Option<&str> {
    if has_plus {
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

#[cfg(test)]
mod tests {
    use super::*;

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
            ("DE", "Tel. 030 123456", "+49", "030123456"),
            ("DE", "Tel.: +49 30 123456", "+49", "30123456"),
            ("US", "phone (407) 555-0100 #77", "+1", "4075550100"),
            ("JP", "＋８１ ９０ １２３４ ５６７８", "+81", "9012345678"),
            ("SA", "٠٥١٢٣٤٥٦٧٨", "+966", "512345678"),
            ("IN", "९१ ९८७६५४३२१०", "+91", "919876543210"),
            ("KR", "전화 010-1234-5678 내선 9", "+82", "01012345678"),
            ("US", "none", "", ""),
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
