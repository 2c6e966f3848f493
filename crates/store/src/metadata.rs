//! The `zarr.json` of one array: written through zarrs, so that the format is theirs, and read back.

use std::num::NonZeroU64;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tesela_model::DType;
use zarrs::array::codec::{BytesCodec, Crc32cCodec, ShardingCodecBuilder};
use zarrs::array::{ArrayBuilder, FillValue, data_type};

use crate::array::ArrayInfo;
use crate::codec::InnerCodec;
use crate::pixels::holds;
use crate::{ArrayRef, ArraySpec, ObjectKey, StoreError};

/// Bytes of a coordinate value: int64 seconds, or float64 CRS units.
pub(crate) const COORDINATE_BYTES: usize = 8;

/// The metadata document of a data variable.
pub(crate) fn array_document(spec: &ArraySpec) -> Result<Value, StoreError> {
    build(spec).map_err(|reason| StoreError::InvalidSpec { name: spec.name.clone(), reason })
}

fn build(spec: &ArraySpec) -> Result<Value, String> {
    let (dtype, fill) = match spec.dtype {
        DType::Uint8 => (data_type::uint8(), FillValue::from(spec.fill as u8)),
        DType::Uint16 => (data_type::uint16(), FillValue::from(spec.fill as u16)),
        DType::Int16 => (data_type::int16(), FillValue::from(spec.fill as i16)),
        DType::Float32 => (data_type::float32(), FillValue::from(spec.fill as f32)),
    };
    let inner: Option<Vec<NonZeroU64>> = spec.inner.iter().map(|&n| NonZeroU64::new(n)).collect();
    let mut sharding = ShardingCodecBuilder::new(inner.ok_or("an inner chunk of 0")?, &dtype);
    sharding
        .array_to_bytes_codec(Arc::new(bytes_codec(spec.dtype)))
        .bytes_to_bytes_codecs(vec![
            Arc::new(spec.codec.to_zarrs(spec.dtype.size_bytes())?),
            Arc::new(Crc32cCodec::new()),
        ])
        .index_array_to_bytes_codec(Arc::new(BytesCodec::little()));
    let metadata = ArrayBuilder::new(spec.shape.to_vec(), spec.shard.to_vec(), dtype, fill)
        .array_to_bytes_codec(Arc::new(sharding.build()))
        .bytes_to_bytes_codecs(vec![])
        .dimension_names(Some(["time", "y", "x"]))
        .attributes(attributes(spec))
        .build_metadata()
        .map_err(|e| e.to_string())?;
    serde_json::to_value(metadata).map_err(|e| e.to_string())
}

/// A single byte has no order.
const fn bytes_codec(dtype: DType) -> BytesCodec {
    match dtype {
        DType::Uint8 => BytesCodec::new(None),
        _ => BytesCodec::little(),
    }
}

fn attributes(spec: &ArraySpec) -> Map<String, Value> {
    let mut attributes = spec.attributes.clone();
    let mut set = |name: &str, value: Value| attributes.insert(name.to_owned(), value);
    set("long_name", spec.long_name.clone().into());
    set("units", spec.unit.clone().into());
    set("grid_mapping", "spatial_ref".into());
    // Beside `grid_mapping`: without it xarray leaves the CRS out unless told otherwise.
    set("coordinates", "spatial_ref".into());
    if (spec.scale, spec.offset) != (1.0, 0.0) {
        set("scale_factor", spec.scale.into());
        set("add_offset", spec.offset.into());
    }
    let fill =
        if spec.dtype == DType::Float32 { Value::from(spec.fill) } else { Value::from(spec.fill as i64) };
    match (spec.mask_fill, spec.dtype) {
        (false, _) => set("nodata", fill),
        // NaN needs no announcement, and JSON has none.
        (true, DType::Float32) if spec.fill.is_nan() => None,
        (true, DType::Float32) => set("_FillValue", base64_f64(spec.fill).into()),
        (true, _) => set("_FillValue", fill),
    };
    attributes
}

/// A float `_FillValue` as xarray writes and expects it in Zarr v3: base64 of the little-endian f64.
fn base64_f64(value: f64) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(12);
    for triple in value.to_le_bytes().chunks(3) {
        let group = (0..3).fold(0_u32, |bits, i| bits << 8 | u32::from(triple.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= triple.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The metadata document of a one-dimensional coordinate (or a scalar, with no dimension).
pub(crate) fn coordinate_document(
    name: &str,
    dtype: &str,
    len: Option<usize>,
    attributes: Value,
) -> Result<Value, StoreError> {
    let shape: Vec<u64> = len.iter().map(|&n| n as u64).collect();
    let fill = if dtype == "float64" { FillValue::from(0.0_f64) } else { FillValue::from(0_i64) };
    let build = || -> Result<Value, String> {
        let Value::Object(attributes) = attributes else {
            return Err("its attributes are no object".to_owned());
        };
        let metadata = ArrayBuilder::new(shape.clone(), shape.clone(), dtype, fill)
            .array_to_bytes_codec(Arc::new(BytesCodec::little()))
            .bytes_to_bytes_codecs(vec![Arc::new(crate::Codec::Zstd5Byte.to_zarrs(COORDINATE_BYTES)?)])
            .dimension_names(Some(len.map(|_| name)))
            .attributes(attributes)
            .build_metadata()
            .map_err(|e| e.to_string())?;
        serde_json::to_value(metadata).map_err(|e| e.to_string())
    };
    build().map_err(|reason| StoreError::InvalidSpec { name: name.to_owned(), reason })
}

/// The metadata document of a group.
pub(crate) fn group_document(attributes: &Map<String, Value>) -> Value {
    json!({"zarr_format": 3, "node_type": "group", "attributes": attributes})
}

/// Reads the metadata of a sharded `(time, y, x)` array.
///
/// `object` is the document (for messages), `path` the array's own prefix.
pub(crate) fn parse_array(
    object: &ObjectKey,
    path: ObjectKey,
    document: &Value,
) -> Result<ArrayRef, StoreError> {
    let metadata = |reason: String| StoreError::Metadata { object: object.clone(), reason };
    let info =
        parse(path, document).map_err(|reason| metadata(format!("not a sharded array of ours: {reason}")))?;
    ArrayRef::new(info).map_err(|e| metadata(e.to_string()))
}

fn parse(path: ObjectKey, document: &Value) -> Result<ArrayInfo, String> {
    expect(document, "/zarr_format", &json!(3))?;
    expect(document, "/node_type", &json!("array"))?;
    expect(document, "/chunk_grid/name", &json!("regular"))?;
    expect(document, "/chunk_key_encoding/name", &json!("default"))?;
    if document.pointer("/chunk_key_encoding/configuration/separator").is_some_and(|s| s != "/") {
        return Err("its chunk keys are not separated by '/'".to_owned());
    }
    let dtype = match text(document, "/data_type")? {
        "uint8" => DType::Uint8,
        "uint16" => DType::Uint16,
        "int16" => DType::Int16,
        "float32" => DType::Float32,
        other => return Err(format!("data type {other}")),
    };
    let [Value::Object(_)] = array(document, "/codecs")? else {
        return Err("it has other codecs than sharding_indexed".to_owned());
    };
    expect(document, "/codecs/0/name", &json!("sharding_indexed"))?;
    let sharding = document.pointer("/codecs/0/configuration").ok_or("sharding without configuration")?;
    if sharding.get("index_location").is_some_and(|location| location != "end") {
        return Err("its shard index is not at the end".to_owned());
    }
    let index = array(sharding, "/index_codecs")?;
    if index.iter().map(codec_name).ne([Some("bytes"), Some("crc32c")]) || !is_little(&index[0], false) {
        return Err("its shard index is not little-endian bytes with crc32c".to_owned());
    }
    let inner = array(sharding, "/codecs")?;
    let decoder = match inner.iter().map(codec_name).collect::<Vec<_>>()[..] {
        [Some("bytes")] => InnerCodec::Plain,
        [Some("bytes"), Some("blosc")] => InnerCodec::Blosc,
        [Some("bytes"), Some("blosc"), Some("crc32c")] => InnerCodec::BloscChecked,
        _ => {
            return Err(
                "its inner chunks are not bytes with or without blosc, or blosc and crc32c".to_owned()
            );
        }
    };
    if !is_little(&inner[0], dtype == DType::Uint8) {
        return Err("its inner chunks are not little-endian".to_owned());
    }
    let fill = fill(document.get("fill_value")).filter(|&fill| holds(dtype, fill)).ok_or("its fill value")?;
    let number = |name: &str, otherwise: f64| {
        document
            .pointer(&format!("/attributes/{name}"))
            .map_or(Ok(otherwise), |v| v.as_f64().ok_or(name.to_owned()))
    };
    Ok(ArrayInfo {
        path,
        dtype,
        fill,
        shape: triple(document, "/shape")?,
        shard: triple(document, "/chunk_grid/configuration/chunk_shape")?,
        inner: triple(sharding, "/chunk_shape")?,
        decoder,
        encoder: encoder(inner),
        scale: number("scale_factor", 1.0)?,
        offset: number("add_offset", 0.0)?,
    })
}

/// Which of our codecs wrote the array, so that it can be written further.
fn encoder(inner: &[Value]) -> Option<crate::Codec> {
    inner.get(2).and_then(codec_name).filter(|name| *name == "crc32c")?;
    let configuration = inner.get(1)?.get("configuration")?;
    let part = |name: &str| configuration.get(name).and_then(Value::as_str);
    match (part("cname")?, part("shuffle")?, configuration.get("clevel")?.as_u64()?) {
        ("lz4", "bitshuffle", 5) => Some(crate::Codec::Lz4Bit),
        ("zstd", "shuffle", 2) => Some(crate::Codec::Zstd2Byte),
        ("zstd", "shuffle", 5) => Some(crate::Codec::Zstd5Byte),
        _ => None,
    }
}

fn expect(document: &Value, pointer: &str, value: &Value) -> Result<(), String> {
    match document.pointer(pointer) {
        Some(found) if found == value => Ok(()),
        Some(found) => Err(format!("{pointer} is {found}, not {value}")),
        None => Err(format!("no {pointer}")),
    }
}

fn text<'a>(document: &'a Value, pointer: &str) -> Result<&'a str, String> {
    document.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("no text {pointer}"))
}

fn array<'a>(document: &'a Value, pointer: &str) -> Result<&'a [Value], String> {
    let found = document.pointer(pointer).and_then(Value::as_array);
    found.map(Vec::as_slice).ok_or_else(|| format!("no list {pointer}"))
}

fn triple(document: &Value, pointer: &str) -> Result<[u64; 3], String> {
    let numbers: Option<Vec<u64>> = array(document, pointer)?.iter().map(Value::as_u64).collect();
    numbers
        .and_then(|n| n.try_into().ok())
        .ok_or_else(|| format!("{pointer} is not three numbers (time, y, x)"))
}

/// A codec is an object with a name, or its bare name.
fn codec_name(codec: &Value) -> Option<&str> {
    codec.as_str().or_else(|| codec.get("name")?.as_str())
}

fn is_little(codec: &Value, if_unsaid: bool) -> bool {
    codec.pointer("/configuration/endian").map_or(if_unsaid, |endian| endian == "little")
}

fn fill(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        number => number.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::base64_f64;

    #[test]
    fn floats_are_written_as_xarray_does() {
        // base64.standard_b64encode(struct.pack("<d", v))
        assert_eq!(base64_f64(f64::NAN), "AAAAAAAA+H8=");
        assert_eq!(base64_f64(-9999.0), "AAAAAICHw8A=");
    }
}
