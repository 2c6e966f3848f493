//! The tree as JSON objects; values are texts or numbers.

use serde_json::{Map, Value};

use super::tree::Group;
use super::{MAX_DEPTH, Problem};

/// Reads an object with one member, the root group.
pub fn parse(text: &str) -> Result<Group, Problem> {
    let value: Value =
        serde_json::from_str(text).map_err(|e| (e.line(), format!("not valid JSON (cut short?): {e}")))?;
    let members = value.as_object().ok_or_else(|| (1, "not a JSON object".to_owned()))?;
    let mut outer = members.iter();
    match (outer.next(), outer.next()) {
        (Some((name, Value::Object(inner))), None) => group(name, inner, 0),
        (Some((name, _)), _) => Ok(Group::new(name)),
        (None, _) => Err((1, "an empty JSON object".to_owned())),
    }
}

fn group(name: &str, members: &Map<String, Value>, depth: usize) -> Result<Group, Problem> {
    if depth >= MAX_DEPTH {
        return Err((0, format!("groups nest deeper than {MAX_DEPTH}")));
    }
    let mut result = Group::new(name);
    for (key, value) in members {
        match value {
            Value::Object(inner) => result.groups.push(group(key, inner, depth + 1)?),
            Value::String(text) => result.push(key, text),
            Value::Number(number) => result.push(key, &number.to_string()),
            Value::Bool(flag) => result.push(key, &flag.to_string()),
            Value::Null | Value::Array(_) => {}
        }
    }
    Ok(result)
}
