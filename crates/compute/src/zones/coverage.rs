//! Coverage of one tile's cells by the zones that meet it, as bytes.
//!
//! Little-endian: number of zones u32; for each zone its ordinal u32, number of spans u32, number of edge cells u32,
//! spans (row u16, first column u16, length u16), edge cells (row u16, column u16, fraction f32). Rows grow south
//! from the tile's top.

use tesela_stats::{Coverage, CoverageCell, Span};

use crate::ComputeError;

/// Coverage of one zone in one tile.
#[derive(Debug, Clone)]
pub(crate) struct ZoneCoverage {
    pub(crate) ordinal: u32,
    pub(crate) coverage: Coverage,
}

pub(crate) fn encode(zones: &[ZoneCoverage]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&(zones.len() as u32).to_le_bytes());
    for z in zones {
        let (spans, edges) = (z.coverage.spans(), z.coverage.edges());
        for n in [z.ordinal, spans.len() as u32, edges.len() as u32] {
            out.extend_from_slice(&n.to_le_bytes());
        }
        for s in spans {
            for v in [s.row, s.col_start, s.len] {
                out.extend_from_slice(&(v as u16).to_le_bytes());
            }
        }
        for e in edges {
            out.extend_from_slice(&(e.row as u16).to_le_bytes());
            out.extend_from_slice(&(e.col as u16).to_le_bytes());
            out.extend_from_slice(&e.fraction.to_le_bytes());
        }
    }
    out
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<ZoneCoverage>, ComputeError> {
    let damaged = || {
        ComputeError::Index(tesela_index::IndexError::Corrupt {
            what: "zone coverage",
            id: "zone_coverage".into(),
            message: "its bytes end too early".into(),
        })
    };
    let mut rest = bytes;
    let mut take = |n: usize| -> Result<&[u8], ComputeError> {
        let (head, tail) = rest.split_at_checked(n).ok_or_else(damaged)?;
        rest = tail;
        Ok(head)
    };
    let u32_of = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let u16_of = |b: &[u8]| u32::from(u16::from_le_bytes([b[0], b[1]]));
    let n = u32_of(take(4)?);
    let mut zones = Vec::new();
    for _ in 0..n {
        let ordinal = u32_of(take(4)?);
        let (ns, ne) = (u32_of(take(4)?) as usize, u32_of(take(4)?) as usize);
        let spans: Vec<Span> = take(ns.checked_mul(6).ok_or_else(damaged)?)?
            .chunks_exact(6)
            .map(|b| Span { row: u16_of(&b[..2]), col_start: u16_of(&b[2..4]), len: u16_of(&b[4..]) })
            .collect();
        let edges: Vec<CoverageCell> = take(ne.checked_mul(8).ok_or_else(damaged)?)?
            .chunks_exact(8)
            .map(|b| CoverageCell {
                row: u16_of(&b[..2]),
                col: u16_of(&b[2..4]),
                fraction: f32::from_le_bytes([b[4], b[5], b[6], b[7]]),
            })
            .collect();
        let coverage = Coverage::from_parts(spans, edges).map_err(|_| damaged())?;
        zones.push(ZoneCoverage { ordinal, coverage });
    }
    Ok(zones)
}
