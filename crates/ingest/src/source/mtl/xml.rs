//! The tree as XML elements. Document type declarations, and with them entities, are refused.

use roxmltree::{Document, Node, ParsingOptions};

use super::tree::Group;
use super::{MAX_DEPTH, Problem, espa};

/// More nodes than any metadata file has; bounds memory.
const MAX_NODES: u32 = 200_000;

/// Reads an MTL or ESPA document.
pub fn parse(text: &str) -> Result<Group, Problem> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|e| {
        let line = usize::try_from(e.pos().row).unwrap_or(0);
        match e {
            roxmltree::Error::DtdDetected => {
                (line, "the XML has a document type declaration (DTD), which is not read".to_owned())
            }
            other => (line, format!("not valid XML (cut short?): {other}")),
        }
    })?;
    let root = document.root_element();
    if root.tag_name().name() == "espa_metadata" {
        return Ok(espa::group(root));
    }
    group(root, 0)
}

fn group(node: Node<'_, '_>, depth: usize) -> Result<Group, Problem> {
    if depth >= MAX_DEPTH {
        return Err((0, format!("elements nest deeper than {MAX_DEPTH}")));
    }
    let mut result = Group::new(node.tag_name().name());
    for child in node.children().filter(Node::is_element) {
        if child.children().any(|n| n.is_element()) {
            result.groups.push(group(child, depth + 1)?);
        } else {
            result.push(child.tag_name().name(), child.text().unwrap_or_default());
        }
    }
    Ok(result)
}
