//! A GeoTIFF's own words about its CRS, as bytes: files that say the same have the same CRS, and making one out of
//! them takes the registry longer than everything else that is asked of a file's header.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tesela_grid::CrsName;

/// GeoKeyDirectory, GeoDoubleParams, GeoAsciiParams.
const TAGS: [u16; 3] = [34735, 34736, 34737];
/// More of either is no Landsat file, and is left to GDAL.
const MOST_ENTRIES: u64 = 1024;
const MOST_BYTES: u64 = 64 << 10;
/// Distinct CRSs remembered; an archive has a few UTM zones.
const REMEMBERED: usize = 256;

static KNOWN: Mutex<Option<HashMap<Vec<u8>, CrsName>>> = Mutex::new(None);

/// The CRS of a file, `identify`d only where no file with the same keys was seen before.
///
/// # Errors
/// That of `identify`.
pub(crate) fn remembered<E>(
    path: &Path,
    identify: impl FnOnce() -> Result<CrsName, E>,
) -> Result<CrsName, E> {
    let Some(keys) = keys(path) else { return identify() };
    let lock = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().as_ref().and_then(|known| known.get(&keys).cloned()) {
        return Ok(known);
    }
    let crs = identify()?;
    let mut known = lock();
    let known = known.get_or_insert_default();
    if known.len() < REMEMBERED {
        known.insert(keys, crs.clone());
    }
    Ok(crs)
}

/// The bytes of a file's geo keys, its byte order among them; `None` when it has none, is no TIFF, or has a file
/// beside it that may say otherwise.
fn keys(path: &Path) -> Option<Vec<u8>> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".aux.xml");
    if Path::new(&beside).exists() {
        return None;
    }
    let file = File::open(path).ok()?;
    let mut head = [0; 16];
    file.read_exact_at(&mut head, 0).ok()?;
    let tiff = Tiff { file, big_endian: head.starts_with(b"MM") };
    if !tiff.big_endian && !head.starts_with(b"II") {
        return None;
    }
    let big = match tiff.number(&head[2..4]) {
        42 => false,
        43 => true,
        _ => return None,
    };
    let (first, count_len, entry_len) =
        if big { (tiff.number(&head[8..16]), 8, 20) } else { (tiff.number(&head[4..8]), 2, 12) };
    let entries = tiff.number(&tiff.bytes(first, count_len)?);
    if entries > MOST_ENTRIES {
        return None;
    }
    let table = tiff.bytes(first.checked_add(count_len)?, entries * entry_len)?;
    let mut found = vec![u8::from(tiff.big_endian)];
    for entry in table.chunks_exact(entry_len as usize) {
        let tag = tiff.number(&entry[..2]) as u16;
        if !TAGS.contains(&tag) {
            continue;
        }
        let size = match tiff.number(&entry[2..4]) {
            2 => 1,
            3 => 2,
            12 => 8,
            _ => return None,
        };
        let (count, value) = entry[4..].split_at(if big { 8 } else { 4 });
        let len = tiff.number(count).checked_mul(size).filter(|len| *len <= MOST_BYTES)?;
        found.extend_from_slice(&tag.to_le_bytes());
        found.extend_from_slice(&len.to_le_bytes());
        if len <= value.len() as u64 {
            found.extend_from_slice(&value[..len as usize]);
        } else {
            found.extend_from_slice(&tiff.bytes(tiff.number(value), len)?);
        }
    }
    (found.len() > 1).then_some(found)
}

struct Tiff {
    file: File,
    big_endian: bool,
}

impl Tiff {
    fn number(&self, bytes: &[u8]) -> u64 {
        let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }

    fn bytes(&self, offset: u64, len: u64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        self.file.read_exact_at(&mut bytes, offset).ok()?;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A classic little-endian TIFF of one directory: an unrelated tag, keys elsewhere in the file, text in place.
    fn tiff(keys: [u16; 4]) -> Vec<u8> {
        let mut file = b"II\x2a\0\x08\0\0\0\x03\0".to_vec();
        let mut entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
            file.extend_from_slice(&tag.to_le_bytes());
            file.extend_from_slice(&kind.to_le_bytes());
            file.extend_from_slice(&count.to_le_bytes());
            file.extend_from_slice(&value);
        };
        entry(256, 4, 1, [7, 0, 0, 0]);
        entry(34735, 3, 4, 46u32.to_le_bytes());
        entry(34737, 2, 3, *b"ab|\0");
        file.extend(keys.iter().flat_map(|k| k.to_le_bytes()));
        file
    }

    #[test]
    fn files_of_the_same_keys_are_identified_once() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let (a, b) = (write("a.tif", &tiff([1, 1, 0, 32615])), write("b.tif", &tiff([1, 1, 0, 32615])));
        let other = write("c.tif", &tiff([1, 1, 0, 32616]));
        let short = write("d.tif", &tiff([1, 1, 0, 32615])[..50]);
        let none = write("e.tif", b"no tiff at all, but long enough");
        assert_eq!(keys(&a), keys(&b));
        assert!(keys(&a).is_some() && keys(&a) != keys(&other));
        assert_eq!((keys(&short), keys(&none)), (None, None));
        let say = |name: &'static str| move || Ok::<_, ()>(CrsName::new(name));
        assert_eq!(remembered(&a, || Err(())), Err(()));
        assert_eq!(remembered(&a, say("EPSG:32615")), Ok(CrsName::new("EPSG:32615")));
        assert_eq!(remembered(&b, || Err(())), Ok(CrsName::new("EPSG:32615")));
        assert_eq!(remembered(&other, say("EPSG:32616")), Ok(CrsName::new("EPSG:32616")));
        assert_eq!(remembered(&none, || Err(())), Err(()));
        // A file beside it may say otherwise.
        write("b.tif.aux.xml", b"<PAMDataset/>");
        assert_eq!(remembered(&b, || Err(())), Err(()));
    }
}
