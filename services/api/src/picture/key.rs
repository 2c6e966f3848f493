//! What decides a picture's bytes, hashed: the key of the cache and the entity tag.

use tesela_compute::query::Selection;

use super::request::PictureRequest;
use super::resolve::{Resolved, ResolvedLayer};

/// A picture's hash.
pub type Key = [u8; 32];

/// Raised when the same values and style would give other bytes.
const RENDERER: &str = concat!("tesela-render ", env!("CARGO_PKG_VERSION"), " 1");

/// Hashes everything the bytes depend on: generations and slots read, styles, scaling, mask, window, format.
/// The snapshot is not among them: a commit that touches other data leaves tags as they are.
pub fn of(resolved: &Resolved, request: &PictureRequest) -> Key {
    let mut hash = Hash(blake3::Hasher::new());
    hash.text(RENDERER);
    hash.text(&resolved.cube);
    for layer in &resolved.layers {
        hash.layer(layer, request.mask.as_deref());
    }
    let target = &request.target;
    hash.text(target.crs.as_str());
    for number in [target.x_min, target.y_max, target.dx, target.dy] {
        hash.number(number);
    }
    hash.text(&format!("{} {}", target.width, target.height));
    hash.text(&format!("{:?} {:?} {:?}", request.resampling, request.format, request.background));
    *hash.0.finalize().as_bytes()
}

/// The entity tag of a picture: half of its hash in quotes.
pub fn etag(key: &Key) -> String {
    let digits: String = key[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// The entity tag of a document.
pub fn etag_of_bytes(bytes: &[u8]) -> String {
    etag(blake3::hash(bytes).as_bytes())
}

struct Hash(blake3::Hasher);

impl Hash {
    /// Length first, so that two texts never run into each other.
    fn text(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    /// Zero has one form.
    fn number(&mut self, number: f64) {
        self.0.update(&(number + 0.0).to_bits().to_le_bytes());
    }

    fn layer(&mut self, layer: &ResolvedLayer, mask: Option<&str>) {
        self.text(&layer.product.id);
        self.text(&layer.moment.version);
        self.text(&serde_json::to_string(&layer.style).unwrap_or_default());
        // An expression may read any band.
        let read = |name: &String| match &layer.selection {
            Selection::Bands(names) => names.contains(name),
            Selection::Expression(_) => true,
        };
        for band in layer.product.bands.iter().filter(|band| read(&band.name)) {
            self.text(&band.name);
            for number in [band.scale, band.offset, band.nodata] {
                self.number(number);
            }
        }
        let definition = mask.and_then(|name| layer.product.scenes()?.masks.get(name));
        self.text(&definition.map(|mask| format!("{mask:?}")).unwrap_or_default());
    }
}
