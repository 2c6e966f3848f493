//! The definition for people: one page, nothing fetched.

use std::fmt::Write;

use serde_json::Value;

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Tesela API</title>\n<style>\n\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#12303a}\n\
h1,h2{color:#0c3b43}code{background:#eef3f4;padding:.1em .3em;border-radius:.2em;overflow-wrap:anywhere}\n\
details{border:1px solid #c9d0d3;border-radius:.4em;margin:.5rem 0;padding:.4rem .8rem}summary{cursor:pointer}\n\
table{border-collapse:collapse;width:100%;margin:.6rem 0}td,th{text-align:left;vertical-align:top;padding:.25rem .5rem;\
border-top:1px solid #dde4e6}\n</style>\n</head>\n<body>\n";

/// The page.
pub(super) fn html(document: &Value) -> String {
    let mut out = String::from(HEAD);
    let say = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let _ = write!(
        out,
        "<h1>Tesela API</h1>\n<p>{}</p>\n<p>The definition that programs read: <a href=\"api\">/api</a> (OpenAPI 3.1). \
         The map: <a href=\"./?f=html\">viewer</a>.</p>\n",
        say(&document["info"]["description"])
    );
    for tag in document["tags"].as_array().into_iter().flatten() {
        let _ = writeln!(out, "<h2>{}</h2>", say(&tag["description"]));
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            let operation = &methods["get"];
            if operation["tags"][0] == tag["name"] {
                out.push_str(&operation_html(path, operation));
            }
        }
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn operation_html(path: &str, operation: &Value) -> String {
    let say = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let mut out = format!(
        "<details><summary><code>GET {}</code> {}</summary>\n<table>\n",
        escaped(path),
        say(&operation["summary"])
    );
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let needed = if parameter["required"] == true { " (needed)" } else { "" };
        let _ = writeln!(
            out,
            "<tr><th><code>{}</code></th><td>{}{needed}</td><td>{}</td></tr>",
            say(&parameter["name"]),
            say(&parameter["description"]),
            escaped(&kind(&parameter["schema"]))
        );
    }
    let types =
        operation["responses"]["200"]["content"].as_object().map(|c| c.keys().cloned().collect::<Vec<_>>());
    let _ = write!(
        out,
        "</table>\n<p>Answers: {}</p>\n</details>\n",
        escaped(&types.unwrap_or_default().join(", "))
    );
    out
}

/// A schema in words.
fn kind(schema: &Value) -> String {
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | ");
    }
    let mut out = schema["type"].as_str().unwrap_or_default().to_owned();
    if let (Some(low), Some(high)) = (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
        let _ = write!(out, " {low} to {high}");
    }
    if let Some(usual) = schema.get("default") {
        let _ = write!(out, ", usually {usual}");
    }
    if let Some(example) = schema["examples"][0].as_str() {
        let _ = write!(out, ", as {example}");
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_operation_is_on_the_page() {
        let document = super::super::shared();
        let page = super::html(document);
        for path in document["paths"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("GET {path}</code>")), "{path}");
        }
        assert!(!page.contains("http://") && !page.contains("src="));
    }
}
