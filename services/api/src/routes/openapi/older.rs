//! The definition in OpenAPI 3.0, which clients of OGC API ask for: the same document in older words.

use serde_json::{Value, json};

/// The document, in 3.1, said in 3.0.
pub(super) fn reworded(document: &Value) -> Value {
    let mut older = document.clone();
    older["openapi"] = json!("3.0.3");
    if let Some(license) = older["info"]["license"].as_object_mut() {
        license.remove("identifier");
    }
    reword(&mut older);
    older
}

/// Says every schema below in the words of 3.0: `nullable` for a type or null, `enum` for `const`, one `example`.
fn reword(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(reword),
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get("type")
                && let Some(kind) = types.iter().find(|kind| *kind != "null").cloned()
            {
                members.insert("type".into(), kind);
                members.insert("nullable".into(), json!(true));
            }
            if let Some(only) = members.remove("const") {
                members.insert("type".into(), json!("string"));
                members.insert("enum".into(), json!([only]));
            }
            if let Some(Value::Array(examples)) = members.get("examples") {
                let first = examples.first().cloned();
                members.remove("examples");
                members.extend(first.map(|example| ("example".to_owned(), example)));
            }
            members.values_mut().for_each(reword);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_said_in_older_words() {
        let newer = json!({"openapi": "3.1.0", "info": {"license": {"name": "X", "identifier": "X"}}, "paths": {
            "a": {"type": ["number", "null"], "minimum": 0},
            "type": {"const": "Feature"},
            "b": [{"type": "string", "examples": ["2024", "2025"]}],
        }});
        assert_eq!(
            reworded(&newer),
            json!({"openapi": "3.0.3", "info": {"license": {"name": "X"}}, "paths": {
                "a": {"type": "number", "nullable": true, "minimum": 0},
                "type": {"type": "string", "enum": ["Feature"]},
                "b": [{"type": "string", "example": "2024"}],
            }})
        );
    }

    #[test]
    fn no_newer_word_is_left() {
        let text = reworded(super::super::shared()).to_string();
        for word in ["\"const\":", "\"examples\":", "\"null\"", "\"type\":[", "\"identifier\":"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
