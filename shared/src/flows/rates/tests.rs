use super::*;
use crate::clock::ManualClock;
use crate::http::{HttpError, Sent};
use crate::store::MemoryStore;
use async_trait::async_trait;
use proptest::prelude::*;

const FILE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject>
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube><Cube time='2026-01-14'>
<Cube currency='USD' rate='1.0832'/><Cube currency='JPY' rate='161.35'/><Cube currency='CNY' rate='7.7714'/>
</Cube></Cube></gesmes:Envelope>"#;

#[test]
fn the_daily_file_is_read_and_what_is_none_is_refused() {
    let rates = parse_ecb(FILE.as_bytes()).unwrap();
    let told: Vec<String> = rates.iter().map(ToString::to_string).collect();
    assert_eq!(told[0], "EUR/USD 1.0832 (ECB, 2026-01-14T14:00:00Z)");
    assert_eq!(told.len(), 3);
    let large = format!("{FILE}<!--{}-->", "x".repeat(70_000));
    let entity = FILE.replacen(
        "<gesmes:Env",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><gesmes:Env",
        1,
    );
    for wrong in [
        "",
        "<html><body>moved</body></html>",
        &large,
        &entity,
        &FILE.replace("1.0832", "0"),
        &FILE.replace("1.0832", "NaN"),
        &FILE.replace("2026-01-14", "yesterday"),
        &FILE.replace(" time='2026-01-14'", ""),
        &FILE.replace("currency='", "curr='"),
    ] {
        assert!(
            parse_ecb(wrong.as_bytes()).is_err(),
            "{wrong:.200} was taken"
        );
    }
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(at in 0..FILE.len(), text in ".{0,20}") {
        let mut file = FILE.to_owned();
        file.insert_str(at, &text);
        let _ = parse_ecb(file.as_bytes());
        let _ = parse_ecb(&FILE.as_bytes()[at..]);
    }
}

/// A bank that answers so, and counts how often it was asked.
#[derive(Debug)]
struct Bank(Mutex<(u16, String, usize)>);

#[async_trait]
impl Http for Bank {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let mut bank = self.0.lock().unwrap();
        bank.2 += 1;
        if bank.0 == 0 {
            return Err(HttpError {
                sent: Sent::Maybe,
                timed_out: true,
                problem: "no answer".to_owned(),
            });
        }
        let answer = http::Response::builder().status(bank.0);
        Ok(answer.body(Bytes::from(bank.1.clone())).unwrap())
    }
}

#[tokio::test]
async fn rates_are_got_when_they_are_old_and_a_bank_that_fails_leaves_them() {
    let clock = Arc::new(ManualClock::at("2026-01-14T15:30:00Z".parse().unwrap()));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    let shelf = RatesShelf::new(store.clone(), clock.clone());
    let bank = Arc::new(Bank(Mutex::new((500, FILE.to_owned(), 0))));
    let source = RatesSource {
        url: "https://bank.example/daily.xml".to_owned(),
        http: bank.clone(),
    };
    let refresh = async || source.refresh(&*store, &shelf, clock.now()).await.unwrap();
    let asked = || bank.0.lock().unwrap().2;
    assert_eq!((refresh().await, asked()), (0, 1));
    clock.advance(SignedDuration::from_mins(59));
    assert_eq!((refresh().await, asked()), (0, 1), "not with every tick");
    bank.0.lock().unwrap().0 = 200;
    clock.advance(SignedDuration::from_mins(2));
    assert_eq!((refresh().await, asked()), (3, 2));
    clock.advance(SignedDuration::from_hours(9));
    assert_eq!((refresh().await, asked()), (0, 2), "they are not old yet");
    for status in [0, 200] {
        *bank.0.lock().unwrap() = (status, "<html/>".to_owned(), 0);
        clock.advance(SignedDuration::from_hours(3));
        assert_eq!((refresh().await, asked()), (0, 1));
        assert_eq!(load(&*store).await.unwrap().0.all().len(), 3, "they stay");
    }
}

#[tokio::test]
async fn a_rate_that_a_person_has_set_does_not_keep_the_others_from_being_got() {
    let clock = Arc::new(ManualClock::at("2026-01-14T15:30:00Z".parse().unwrap()));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    let shelf = RatesShelf::new(store.clone(), clock.clone());
    let bank = Arc::new(Bank(Mutex::new((200, FILE.to_owned(), 0))));
    let source = RatesSource {
        url: "https://bank.example/daily.xml".to_owned(),
        http: bank.clone(),
    };
    let (euro, dollar) = ("EUR".parse().unwrap(), "USD".parse().unwrap());
    let value = "1.09".parse().unwrap();
    let own = Rate::new(euro, dollar, value, "my bank", clock.now()).unwrap();
    add(&*store, &[own], clock.now()).await.unwrap();
    let taken = source.refresh(&*store, &shelf, clock.now()).await.unwrap();
    assert_eq!((taken, bank.0.lock().unwrap().2), (2, 1));
}
