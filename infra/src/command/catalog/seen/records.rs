//! Millions of small records by their keys, in little more memory than they have themselves.

/// Parts that grow on their own, so that never more than one of them is copied.
const SHARDS: usize = 4096;

/// What is remembered of one listing, offer or sku: 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: u64,
    pub(super) line: u32,
    /// A hash of all that was said.
    pub(super) whole: u32,
    /// A few bits of each thing that was said.
    pub(super) tags: u64,
}

impl Record {
    /// Lines beyond four thousand million are told as that.
    pub(super) fn new(key: u64, line: u64, whole: u32, tags: u64) -> Self {
        Self {
            key,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            whole,
            tags,
        }
    }
}

/// Records in shards by their keys, each shard in the keys' order. Keys are hashes, so shards are of about the same length.
#[derive(Debug)]
pub(super) struct Records {
    shards: Vec<Vec<Record>>,
    count: usize,
    most: usize,
}

impl Records {
    pub(super) fn with_room_for(most: usize) -> Self {
        Self {
            shards: vec![Vec::new(); SHARDS],
            count: 0,
            most,
        }
    }

    pub(super) fn get(&self, key: u64) -> Option<Record> {
        let shard = &self.shards[shard(key)];
        let place = shard.binary_search_by_key(&key, |record| record.key).ok()?;
        shard.get(place).copied()
    }

    /// Adds a record whose key is not there yet; says whether there was room for it.
    pub(super) fn add(&mut self, record: Record) -> bool {
        if self.count >= self.most {
            return false;
        }
        let shard = &mut self.shards[shard(record.key)];
        let place = shard.partition_point(|other| other.key < record.key);
        if shard.len() == shard.capacity() {
            // Doubling would leave half of the memory empty.
            shard.reserve_exact(shard.len() / 16 + 8);
        }
        shard.insert(place, record);
        self.count += 1;
        true
    }
}

#[allow(clippy::cast_possible_truncation, reason = "12 bits are left of it")]
const fn shard(key: u64) -> usize {
    (key >> 52) as usize
}

const _: () = assert!(size_of::<Record>() == 24 && SHARDS == 1 << 12);

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, RandomState};

    #[test]
    fn what_was_added_is_found_until_there_is_no_more_room() {
        let (hasher, mut records) = (RandomState::new(), Records::with_room_for(50_000));
        let record = |n: u64| Record::new(hasher.hash_one(n), n, 7, n);
        for n in 0..50_000 {
            assert!(records.add(record(n)));
        }
        assert!(!records.add(record(50_000)));
        for n in 0..50_000 {
            assert_eq!(records.get(record(n).key), Some(record(n)));
        }
        assert_eq!(records.get(record(50_000).key), None);
        let room: usize = records.shards.iter().map(Vec::capacity).sum();
        assert!(room < 50_000 + SHARDS * 9, "{room}");
    }
}
