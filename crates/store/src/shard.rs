//! The index at the end of a shard, after Zarr v3's `sharding_indexed` codec.
//!
//! `n` pairs (offset, length) of little-endian u64 in row-major order of the inner chunks, then the
//! CRC-32C of those bytes. An inner chunk that is all fill is not stored: both numbers are 2⁶⁴ − 1.

pub(crate) const ABSENT: u64 = u64::MAX;
const ENTRY_BYTES: usize = 16;
const CHECKSUM_BYTES: usize = 4;

/// Where a shard's inner chunks lie in its object.
#[derive(Debug)]
pub(crate) struct ShardIndex {
    entries: Box<[(u64, u64)]>,
}

impl ShardIndex {
    /// Bytes of the index of `chunks` inner chunks: what a suffix read asks for.
    pub(crate) const fn byte_len(chunks: usize) -> usize {
        chunks * ENTRY_BYTES + CHECKSUM_BYTES
    }

    /// Reads an index of `chunks` entries from exactly its bytes.
    pub(crate) fn parse(bytes: &[u8], chunks: usize) -> Result<Self, String> {
        if bytes.len() != Self::byte_len(chunks) {
            return Err(format!(
                "the object ends after {} of {} shard index bytes",
                bytes.len(),
                Self::byte_len(chunks)
            ));
        }
        let (table, stored) = bytes.split_at(chunks * ENTRY_BYTES);
        if crc32c::crc32c(table).to_le_bytes() != stored {
            return Err("shard index checksum mismatch".to_owned());
        }
        let entries =
            table.chunks_exact(ENTRY_BYTES).map(|pair| (le_u64(&pair[..8]), le_u64(&pair[8..]))).collect();
        Ok(Self { entries })
    }

    /// The (offset, length) of an inner chunk; `None` when it is all fill.
    pub(crate) fn get(&self, inner: usize) -> Result<Option<(u64, u64)>, String> {
        match self.entries.get(inner).copied() {
            Some((ABSENT, ABSENT)) => Ok(None),
            Some((offset, len)) if offset.checked_add(len).is_some() && len != ABSENT => {
                Ok(Some((offset, len)))
            }
            Some((offset, len)) => {
                Err(format!("impossible shard index entry (offset {offset}, length {len})"))
            }
            None => Err(format!("no shard index entry {inner}")),
        }
    }

    /// Bytes held in memory.
    pub(crate) fn weight(&self) -> usize {
        self.entries.len() * ENTRY_BYTES
    }
}

fn le_u64(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// One shard from its encoded inner chunks, in row-major order; `None` when there is not one.
pub(crate) fn assemble(chunks: Vec<Option<Vec<u8>>>) -> Option<Vec<u8>> {
    if chunks.iter().all(Option::is_none) {
        return None;
    }
    let body: usize = chunks.iter().flatten().map(Vec::len).sum();
    let mut shard = Vec::with_capacity(body + ShardIndex::byte_len(chunks.len()));
    let mut places = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        places.push(match &chunk {
            Some(bytes) => (shard.len() as u64, bytes.len() as u64),
            None => (ABSENT, ABSENT),
        });
        shard.extend_from_slice(chunk.as_deref().unwrap_or_default());
    }
    shard.extend_from_slice(&index_bytes(places));
    Some(shard)
}

/// The index of a shard whose chunks lie at these (offset, length), with its checksum.
pub(crate) fn index_bytes(places: Vec<(u64, u64)>) -> Vec<u8> {
    let mut table = Vec::with_capacity(ShardIndex::byte_len(places.len()));
    for (offset, len) in places {
        table.extend_from_slice(&offset.to_le_bytes());
        table.extend_from_slice(&len.to_le_bytes());
    }
    let checksum = crc32c::crc32c(&table);
    table.extend_from_slice(&checksum.to_le_bytes());
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_of_three_chunks_one_missing() {
        let shard = assemble(vec![Some(vec![1, 2, 3]), None, Some(vec![4])]).unwrap();
        assert_eq!(&shard[..4], [1, 2, 3, 4]);
        let index = ShardIndex::parse(&shard[4..], 3).unwrap();
        assert_eq!(index.get(0), Ok(Some((0, 3))));
        assert_eq!(index.get(1), Ok(None));
        assert_eq!(index.get(2), Ok(Some((3, 1))));
        assert!(index.get(3).is_err());
    }

    #[test]
    fn nothing_but_fill_is_no_object() {
        assert_eq!(assemble(vec![None, None]), None);
    }

    #[test]
    fn any_flipped_bit_of_the_index_is_seen() {
        let shard = assemble(vec![Some(vec![7; 9]), None]).unwrap();
        for bit in 0..(shard.len() - 9) * 8 {
            let mut index = shard[9..].to_vec();
            index[bit / 8] ^= 1 << (bit % 8);
            assert!(ShardIndex::parse(&index, 2).is_err());
        }
        assert!(ShardIndex::parse(&shard[10..], 2).is_err());
    }
}
