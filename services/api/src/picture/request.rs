//! What is asked of a picture.

use tesela_grid::GeoBox;
use tesela_model::{Resampling, TimeSelector};

/// One layer of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureLayer {
    /// Product id.
    pub product: String,
    /// Style name; empty and `default` mean the first.
    pub style: String,
    /// Replaces the expression or band of a `ramp` style.
    pub expression: Option<String>,
}

/// File formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFormat {
    /// PNG, with a palette where colours are few.
    Png,
    /// WebP, lossless.
    Webp,
}

impl ImageFormat {
    /// By media type or file extension, in any case; parameters (`image/png; mode=8bit`) are passed over.
    pub fn of(text: &str) -> Option<Self> {
        match text.split(';').next()?.trim().to_ascii_lowercase().as_str() {
            "image/png" | "png" => Some(Self::Png),
            "image/webp" | "webp" => Some(Self::Webp),
            _ => None,
        }
    }

    /// Media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

/// A picture of one or more layers at one time in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureRequest {
    /// Layers, the lowest first.
    pub layers: Vec<PictureLayer>,
    /// When.
    pub time: TimeSelector,
    /// Where, in any CRS: the picture's pixels.
    pub target: GeoBox,
    /// Named mask of a scenes product.
    pub mask: Option<String>,
    /// How pixels are resampled.
    pub resampling: Resampling,
    /// At which snapshot; `None` is the latest.
    pub snapshot: Option<u64>,
    /// File format.
    pub format: ImageFormat,
    /// Colour where there is nothing; `None` is transparent.
    pub background: Option<[u8; 3]>,
    /// The client's `If-None-Match`.
    pub if_none_match: Option<String>,
}

impl PictureRequest {
    /// A transparent PNG of one layer, newest first of everything: where a protocol starts from.
    pub fn new(product: &str, style: &str, target: GeoBox) -> Self {
        Self {
            layers: vec![PictureLayer { product: product.into(), style: style.into(), expression: None }],
            time: TimeSelector::Latest,
            target,
            mask: None,
            resampling: Resampling::Nearest,
            snapshot: None,
            format: ImageFormat::Png,
            background: None,
            if_none_match: None,
        }
    }
}
