//! What the definition says of one address.

use serde_json::{Map, Value, json};

use super::parameters;

/// One answer that an operation can give when all is well.
pub(super) struct Answer {
    /// Media type.
    pub(super) media_type: &'static str,
    /// Name of a schema in `components`; empty for bytes and `text` for text.
    pub(super) schema: &'static str,
}

impl Answer {
    /// An answer with a body described by a schema.
    pub(super) const fn of(media_type: &'static str, schema: &'static str) -> Self {
        Self { media_type, schema }
    }

    /// An answer in text.
    pub(super) const fn text(media_type: &'static str) -> Self {
        Self { media_type, schema: "text" }
    }

    /// An answer in bytes.
    pub(super) const fn bytes(media_type: &'static str) -> Self {
        Self { media_type, schema: "" }
    }

    fn document(&self) -> Value {
        match self.schema {
            "" => json!({}),
            "text" => json!({"schema": {"type": "string"}}),
            name => json!({"schema": {"$ref": format!("#/components/schemas/{name}")}}),
        }
    }
}

/// How an operation refuses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Problem documents.
    Problem,
    /// The exception report of WMS or WMTS.
    Ogc,
}

/// One `GET`.
pub(super) struct Operation {
    /// Address with `{variables}`.
    pub(super) path: &'static str,
    /// Unique name.
    pub(super) id: &'static str,
    /// Chapter.
    pub(super) tag: &'static str,
    /// One line.
    pub(super) summary: &'static str,
    /// Query parameters: the route's own list.
    pub(super) parameters: &'static [&'static str],
    /// Those that must be given.
    pub(super) required: &'static [&'static str],
    /// Answers with status 200.
    pub(super) answers: &'static [Answer],
    /// Other good statuses: 204 for nothing there, 304 for nothing new.
    pub(super) also: &'static [u16],
    /// How it refuses.
    pub(super) refusal: Refusal,
}

impl Operation {
    /// The operation object.
    pub(super) fn document(&self) -> Value {
        let in_path = self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let parameters: Vec<Value> = in_path
            .map(|name| parameters::in_path(self.path, name))
            .chain(
                self.parameters
                    .iter()
                    .map(|name| parameters::in_query(self.id, name, self.required.contains(name))),
            )
            .collect();
        json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": parameters,
            "responses": self.responses(),
        })
    }

    fn responses(&self) -> Value {
        let mut headers = json!({"Tesela-Snapshot": {"$ref": "#/components/headers/Tesela-Snapshot"}});
        if self.tag == "maps" {
            headers["Tesela-Datetime"] = json!({"$ref": "#/components/headers/Tesela-Datetime"});
        }
        let content: Map<String, Value> =
            self.answers.iter().map(|a| (a.media_type.to_owned(), a.document())).collect();
        let mut out = Map::new();
        out.insert("200".into(), json!({"description": "Found", "headers": headers, "content": content}));
        for status in self.also {
            let description = match status {
                204 => "Nothing to show there",
                206 => "The bytes that Range asks for",
                307 => "The latest snapshot's own address",
                _ => "Not changed",
            };
            out.insert(status.to_string(), json!({"description": description, "headers": headers}));
        }
        let refusal = match self.refusal {
            Refusal::Problem => json!({"$ref": "#/components/responses/Problem"}),
            Refusal::Ogc => json!({"$ref": "#/components/responses/OgcException"}),
        };
        let takes_input = self.path.contains('{') || !self.parameters.is_empty();
        if takes_input {
            out.insert("400".into(), refusal.clone());
        }
        if self.path.contains('{') || self.parameters.contains(&"product") {
            out.insert("404".into(), refusal.clone());
        }
        out.insert("default".into(), refusal);
        Value::Object(out)
    }
}
