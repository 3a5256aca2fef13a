//! Conditions and changes in DynamoDB's expression language.

use super::{
    Attributes,
    attributes::{BODY, COUNTER, DUE_AT, DUE_LANE, EXPIRES_AT, PK, VERSION, number},
};
use crate::store::{Condition, Due, Guard};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::collections::HashMap;

/// The expressions of one write with the names and values that they use, and no others: DynamoDB refuses unused ones.
#[derive(Debug, Default)]
pub(super) struct Expression {
    pub(super) condition: Option<String>,
    pub(super) update: Option<String>,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<Attributes>,
}

impl Expression {
    /// An expired item that DynamoDB has not deleted yet counts as absent.
    pub(super) fn put(only_if: Condition, now: Timestamp) -> Self {
        let mut words = Words::default();
        let condition = match only_if {
            Condition::Always => return Self::default(),
            Condition::Absent => {
                let pk = words.name(PK);
                let expired = words.expired(now);
                format!("attribute_not_exists({pk}) OR {expired}")
            }
            Condition::Version(version) => {
                let same = words.version(version);
                let live = words.live(now);
                format!("{same} AND {live}")
            }
        };
        words.with(Some(condition), None)
    }

    /// That the item exists, and what else must hold.
    pub(super) fn check(only_if: &[Guard], now: Timestamp) -> Self {
        Self::update(None, None, &[], only_if, now)
    }

    pub(super) fn update(
        set_body: Option<String>,
        set_due: Option<Option<Due>>,
        add: &[(&'static str, i64)],
        only_if: &[Guard],
        now: Timestamp,
    ) -> Self {
        let mut words = Words::default();
        let mut conditions = vec![format!("attribute_exists({})", words.name(PK))];
        conditions.push(words.live(now));
        for guard in only_if {
            conditions.push(words.guard(*guard));
        }
        let update = words.update(set_body, set_due, add);
        words.with(Some(conditions.join(" AND ")), update)
    }
}

#[derive(Debug, Default)]
struct Words {
    names: HashMap<String, String>,
    values: Attributes,
}

impl Words {
    fn with(self, condition: Option<String>, update: Option<String>) -> Expression {
        Expression {
            condition,
            update,
            names: (!self.names.is_empty()).then_some(self.names),
            values: (!self.values.is_empty()).then_some(self.values),
        }
    }

    /// Every name goes through a placeholder: DynamoDB reserves some 570 words, and the list grows.
    fn name(&mut self, attribute: &str) -> String {
        let placeholder = format!("#{attribute}");
        self.names.insert(placeholder.clone(), attribute.to_owned());
        placeholder
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    fn expired(&mut self, now: Timestamp) -> String {
        let at = self.name(EXPIRES_AT);
        let now = self.value(number(now.as_second()));
        format!("{at} <= {now}")
    }

    fn live(&mut self, now: Timestamp) -> String {
        let at = self.name(EXPIRES_AT);
        let now = self.value(number(now.as_second()));
        format!("(attribute_not_exists({at}) OR {at} > {now})")
    }

    fn version(&mut self, version: u64) -> String {
        let name = self.name(VERSION);
        let version = self.value(number(version));
        format!("{name} = {version}")
    }

    fn guard(&mut self, guard: Guard) -> String {
        match guard {
            Guard::Version(version) => self.version(version),
            Guard::AtLeast(counter, least) => self.counter(counter, ">=", least, least <= 0),
            Guard::Equals(counter, exactly) => self.counter(counter, "=", exactly, exactly == 0),
        }
    }

    fn counter(&mut self, counter: &str, sign: &str, value: i64, holds_for_0: bool) -> String {
        let name = self.name(&format!("{COUNTER}{counter}"));
        let value = self.value(number(value));
        if holds_for_0 {
            format!("(attribute_not_exists({name}) OR {name} {sign} {value})")
        } else {
            format!("{name} {sign} {value}")
        }
    }

    fn update(
        &mut self,
        set_body: Option<String>,
        set_due: Option<Option<Due>>,
        add: &[(&'static str, i64)],
    ) -> Option<String> {
        let (mut set, mut remove, mut adds) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(body) = set_body {
            set.push((self.name(BODY), self.value(AttributeValue::S(body))));
            adds.push(format!("{} {}", self.name(VERSION), self.value(number(1))));
        }
        match set_due {
            None => {}
            Some(None) => remove.extend([self.name(DUE_LANE), self.name(DUE_AT)]),
            Some(Some(due)) => {
                let at = number(due.at.as_millisecond());
                set.push((self.name(DUE_LANE), self.value(AttributeValue::S(due.lane))));
                set.push((self.name(DUE_AT), self.value(at)));
            }
        }
        for (counter, by) in add {
            let name = self.name(&format!("{COUNTER}{counter}"));
            adds.push(format!("{name} {}", self.value(number(by))));
        }
        let set = set.iter().map(|(name, value)| format!("{name} = {value}"));
        let clauses = [
            clause("SET", &set.collect::<Vec<_>>()),
            clause("REMOVE", &remove),
            clause("ADD", &adds),
        ];
        let update = clauses.into_iter().flatten().collect::<Vec<_>>().join(" ");
        (!update.is_empty()).then_some(update)
    }
}

fn clause(word: &str, parts: &[String]) -> Option<String> {
    (!parts.is_empty()).then(|| format!("{word} {}", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn an_unconditional_put_has_no_expression() {
        let expression = Expression::put(Condition::Always, NOW);
        assert!(expression.condition.is_none() && expression.names.is_none());
    }

    #[test]
    fn an_absent_counter_passes_a_guard_that_0_passes() {
        let guards = [Guard::AtLeast("free", 0), Guard::AtLeast("free", 1)];
        let [lenient, strict] = guards.map(|guard| {
            let expression = Expression::update(None, None, &[], &[guard], NOW);
            expression.condition.unwrap()
        });
        assert!(
            lenient.contains("attribute_not_exists(#c_free)"),
            "{lenient}"
        );
        assert!(
            !strict.contains("attribute_not_exists(#c_free)"),
            "{strict}"
        );
    }

    #[test]
    fn an_update_names_only_what_it_uses() {
        let update = Expression::update(None, Some(None), &[("free", -1)], &[], NOW);
        assert_eq!(
            update.update.as_deref(),
            Some("REMOVE #due_lane, #due_at ADD #c_free :1")
        );
        assert_eq!(update.values.unwrap().len(), 2);
        let nothing = Expression::update(None, None, &[], &[], NOW);
        assert_eq!(nothing.update, None);
    }
}
