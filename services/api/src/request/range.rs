//! `Range`: which bytes of an answer (RFC 9110, section 14).

use std::ops::Range;

use axum::http::{HeaderMap, header};

/// What a request asks for of `size` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All of them: there is no `Range`, or none that must be followed (several ranges, another unit, nonsense).
    All,
    /// These; at least one, inside the size.
    Part(Range<u64>),
    /// None that there are.
    Nothing,
}

/// The range that the headers ask for. With `If-Range`, only as long as `etag` is still the answer's.
pub fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|v: &axum::http::HeaderValue| v.to_str().ok());
    let fresh = !headers.contains_key(header::IF_RANGE) || text(header::IF_RANGE) == Some(etag);
    text(header::RANGE).filter(|_| fresh).map_or(Wanted::All, |range| of(range, size))
}

fn of(text: &str, size: u64) -> Wanted {
    let Some((unit, range)) = text.split_once('=') else { return Wanted::All };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::All;
    }
    let Some((first, last)) = range.trim().split_once('-') else { return Wanted::All };
    let part = |range: Range<u64>| if range.is_empty() { Wanted::Nothing } else { Wanted::Part(range) };
    match (first, last) {
        ("", suffix) => number(suffix).map_or(Wanted::All, |n| part(size.saturating_sub(n)..size)),
        (first, "") => number(first).map_or(Wanted::All, |first| part(first..size)),
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => part(first..size.min(last.saturating_add(1))),
            _ => Wanted::All,
        },
    }
}

/// Digits alone; more than fit are as good as the largest number.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Wanted::{All, Nothing, Part};
    use super::{of, wanted};

    #[test]
    fn single_ranges_are_followed() {
        for (text, expected) in [
            ("bytes=0-9", Part(0..10)),
            ("bytes=0-0", Part(0..1)),
            ("bytes=90-", Part(90..100)),
            ("bytes=90-1000", Part(90..100)),
            ("bytes=0-99999999999999999999999999", Part(0..100)),
            ("bytes=-20", Part(80..100)),
            ("bytes=-1000", Part(0..100)),
            ("Bytes=1-2", Part(1..3)),
            ("bytes=-0", Nothing),
            ("bytes=100-", Nothing),
            ("bytes=100-200", Nothing),
            ("bytes=99999999999999999999999999-", Nothing),
            ("bytes=9-0", All),
            ("bytes=0-1,3-4", All),
            ("bytes=a-b", All),
            ("bytes=", All),
            ("bytes=-", All),
            ("bytes", All),
            ("lines=0-1", All),
        ] {
            assert_eq!(of(text, 100), expected, "{text}");
        }
        assert_eq!(of("bytes=0-0", 0), Nothing);
        assert_eq!(of("bytes=-5", 0), Nothing);
    }

    #[test]
    fn another_version_is_sent_whole() {
        let headers = |tag: &str| {
            [("range", "bytes=0-9"), ("if-range", tag)]
                .into_iter()
                .map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap()))
                .collect()
        };
        assert_eq!(wanted(&headers("\"a\""), "\"a\"", 100), Part(0..10));
        assert_eq!(wanted(&headers("\"b\""), "\"a\"", 100), All);
    }

    proptest! {
        #[test]
        fn a_part_lies_inside(text in "(bytes)?=?[0-9,-]{0,24}|.{0,24}", size in 0_u64..1000) {
            if let Part(range) = of(&text, size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
