use std::io;

use tesela_model::DType;

use crate::ObjectKey;

/// What can go wrong at rest: names the object, the array and the chunk, so that an operator can act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A text that is no object key.
    #[error("{key:?} is no object key: {reason}")]
    InvalidKey {
        /// The text as given.
        key: String,
        /// The rule it breaks.
        reason: &'static str,
    },
    /// A put would have replaced an object. Objects are immutable.
    #[error("object {key} exists already; objects are never rewritten")]
    ObjectExists {
        /// The object in the way.
        key: ObjectKey,
    },
    /// An object that must be there is not.
    #[error("object {key} is missing; run `tesela check`")]
    ObjectMissing {
        /// The object.
        key: ObjectKey,
    },
    /// An object that was written and is referred to is gone: not fill, but damage.
    #[error("object {key} was written and is gone; run `tesela check`")]
    ObjectLost {
        /// The object.
        key: ObjectKey,
    },
    /// An object ends before the bytes asked for.
    #[error("object {key} has {size} bytes, but bytes {offset}..{end} were asked for; run `tesela check`", end = offset.saturating_add(*len))]
    ObjectTruncated {
        /// The object.
        key: ObjectKey,
        /// First byte asked for.
        offset: u64,
        /// Bytes asked for.
        len: u64,
        /// Bytes there are.
        size: u64,
    },
    /// The file system (or the bucket) failed.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file, directory or object.
        path: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// There is no such array or group.
    #[error("no {what} at {path}")]
    NodeMissing {
        /// `array` or `group`.
        what: &'static str,
        /// Its path in the store.
        path: String,
    },
    /// A `zarr.json` that cannot be read, or describes something this store does not serve.
    #[error("{object}: {reason}")]
    Metadata {
        /// The metadata document.
        object: ObjectKey,
        /// What is wrong with it.
        reason: String,
    },
    /// A specification that contradicts itself.
    #[error("array or group {name}: {reason}")]
    InvalidSpec {
        /// The array or group.
        name: String,
        /// The contradiction.
        reason: String,
    },
    /// Stored bytes that are not what was written.
    #[error("chunk ({t},{y},{x}) of {array}: {reason} — object {object}; run `tesela check`", t = chunk[0], y = chunk[1], x = chunk[2])]
    Corrupt {
        /// The array, as `prefix/name`.
        array: String,
        /// The inner chunk's index `[t, y, x]` in the whole array.
        chunk: [u64; 3],
        /// The object that holds it.
        object: ObjectKey,
        /// What is wrong.
        reason: String,
    },
    /// Pixels of another type or number than the array needs.
    #[error("{array} takes {expected_len} values of {}, got {len} of {}", expected.as_str(), found.as_str())]
    PixelsMismatch {
        /// The array, as `prefix/name`.
        array: String,
        /// The array's type.
        expected: DType,
        /// The pixels' type.
        found: DType,
        /// The number of values needed.
        expected_len: usize,
        /// The number of values given.
        len: usize,
    },
    /// A write that falls outside its shard or the array.
    #[error("{array}: {reason}")]
    OutOfBounds {
        /// The array, as `prefix/name`.
        array: String,
        /// Which bound, with the numbers.
        reason: String,
    },
    /// Pixels written twice into one shard.
    #[error("chunk ({t},{y},{x}) of shard {object} was already written", t = inner[0], y = inner[1], x = inner[2])]
    ChunkWrittenTwice {
        /// The shard being written.
        object: ObjectKey,
        /// The inner chunk's index `[t, y, x]` in the shard.
        inner: [u64; 3],
    },
    /// The compressor refused.
    #[error("cannot encode a chunk of {array}: {reason}")]
    Encode {
        /// The array, as `prefix/name`.
        array: String,
        /// The compressor's words.
        reason: String,
    },
}
