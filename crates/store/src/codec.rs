use zarrs::array::codec::{
    BloscCodec, BloscCompressionLevel, BloscCompressor, BloscShuffleMode, blosc_compress_bytes,
    blosc_decompress_bytes, blosc_validate,
};

/// How the inner chunks of an array are compressed. All are lossless and plain `blosc` to any reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// LZ4 level 5 after a bit shuffle: writes several times faster and is read twice as fast, for what is measured.
    Lz4Bit,
    /// Zstandard at blosc's level 2 (its own 3) after a byte shuffle: for derived classes and flags.
    Zstd2Byte,
    /// The same at blosc's level 5 (its own 9): 2 to 6 % smaller again and three times as long to write, for the archive
    /// and what is small.
    Zstd5Byte,
}

impl Codec {
    fn parts(self) -> (BloscCompressor, BloscShuffleMode, u8) {
        match self {
            Self::Lz4Bit => (BloscCompressor::LZ4, BloscShuffleMode::BitShuffle, 5),
            Self::Zstd2Byte => (BloscCompressor::Zstd, BloscShuffleMode::Shuffle, 2),
            Self::Zstd5Byte => (BloscCompressor::Zstd, BloscShuffleMode::Shuffle, 5),
        }
    }

    /// The codec as `zarrs` describes it in metadata.
    pub(crate) fn to_zarrs(self, value_bytes: usize) -> Result<BloscCodec, String> {
        let (compressor, shuffle, level) = self.parts();
        BloscCodec::new(compressor, blosc_level(level)?, None, shuffle, Some(value_bytes))
            .map_err(|e| e.to_string())
    }

    /// Compresses little-endian values and adds their checksum: LZ4 and Zstandard give other values for many a
    /// flipped byte, and no error.
    pub(crate) fn encode(self, bytes: &[u8], value_bytes: usize) -> Result<Vec<u8>, String> {
        let mut encoded = self.compress(bytes, value_bytes)?;
        let checksum = crc32c::crc32c(&encoded);
        encoded.extend_from_slice(&checksum.to_le_bytes());
        Ok(encoded)
    }

    /// Compresses little-endian values. One thread, and the same bytes for the same values.
    pub(crate) fn compress(self, bytes: &[u8], value_bytes: usize) -> Result<Vec<u8>, String> {
        let (compressor, shuffle, level) = self.parts();
        blosc_compress_bytes(bytes, blosc_level(level)?, shuffle, value_bytes, compressor, 0, 1)
            .map_err(|e| e.to_string())
    }
}

fn blosc_level(level: u8) -> Result<BloscCompressionLevel, String> {
    BloscCompressionLevel::try_from(level).map_err(|level| format!("blosc has no level {level}"))
}

/// What an array's inner chunks went through after `bytes`; blosc describes itself, so one arm decodes all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InnerCodec {
    /// Stored as they are.
    Plain,
    /// Any blosc.
    Blosc,
    /// Any blosc, then the CRC-32C of its bytes.
    BloscChecked,
}

/// Bytes of a CRC-32C.
const CHECKSUM_BYTES: usize = 4;

impl InnerCodec {
    /// The largest a chunk of `raw_bytes` can be when encoded.
    pub(crate) const fn largest(self, raw_bytes: usize) -> u64 {
        const BLOSC_OVERHEAD: u64 = 16;
        match self {
            Self::Plain => raw_bytes as u64,
            Self::Blosc => raw_bytes as u64 + BLOSC_OVERHEAD,
            Self::BloscChecked => raw_bytes as u64 + BLOSC_OVERHEAD + CHECKSUM_BYTES as u64,
        }
    }

    /// Decodes to exactly `raw_bytes` bytes.
    ///
    /// The declared size is checked before anything is allocated, so that a damaged header cannot ask
    /// for gigabytes.
    pub(crate) fn decode(self, encoded: &[u8], raw_bytes: usize) -> Result<Vec<u8>, String> {
        match self {
            Self::Plain if encoded.len() == raw_bytes => Ok(encoded.to_vec()),
            Self::Plain => Err(format!("{} bytes instead of {raw_bytes}", encoded.len())),
            Self::Blosc => decode_blosc(encoded, raw_bytes),
            Self::BloscChecked => match encoded.split_last_chunk::<CHECKSUM_BYTES>() {
                Some((blosc, stored)) if crc32c::crc32c(blosc).to_le_bytes() == *stored => {
                    decode_blosc(blosc, raw_bytes)
                }
                _ => Err("chunk checksum mismatch".to_owned()),
            },
        }
    }
}

/// The longest coordinate decoded whole, bytes: two million instants.
const COORDINATE_BYTES_MOST: usize = 16 << 20;

/// Decodes the only chunk of a coordinate, eight bytes a value; its length is the one its header declares.
pub(crate) fn decode_coordinate(encoded: &[u8]) -> Result<Vec<[u8; 8]>, String> {
    let declared = blosc_validate(encoded).ok_or("no valid blosc header")?;
    if declared > COORDINATE_BYTES_MOST || !declared.is_multiple_of(8) {
        return Err(format!("its blosc header declares {declared} bytes"));
    }
    let decoded = decode_blosc(encoded, declared)?;
    Ok(decoded.as_chunks::<8>().0.to_vec())
}

fn decode_blosc(encoded: &[u8], raw_bytes: usize) -> Result<Vec<u8>, String> {
    match blosc_validate(encoded) {
        None => return Err("no valid blosc header".to_owned()),
        Some(declared) if declared != raw_bytes => {
            return Err(format!("its blosc header declares {declared} bytes instead of {raw_bytes}"));
        }
        Some(_) => {}
    }
    let decoded =
        blosc_decompress_bytes(encoded, raw_bytes, 1).map_err(|_| "blosc cannot decompress it".to_owned())?;
    if decoded.len() == raw_bytes {
        Ok(decoded)
    } else {
        Err(format!("it decompresses to {} bytes instead of {raw_bytes}", decoded.len()))
    }
}
