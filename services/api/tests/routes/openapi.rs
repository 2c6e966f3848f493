//! The API definition against the routes.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Server, crate_dir};

#[test]
fn the_definition_changes_on_purpose_only() {
    insta::assert_snapshot!(outline(&tesela_api::openapi_document(), ""));
}

/// The whole document, one line for each path and component.
fn outline(value: &Value, place: &str) -> String {
    match value {
        Value::Object(members)
            if ["", "/paths", "/components"].contains(&place)
                || place.matches('/').count() == 2 && place.starts_with("/components") =>
        {
            members.iter().map(|(name, member)| outline(member, &format!("{place}/{name}"))).collect()
        }
        other => format!("{place} {other}\n"),
    }
}

#[tokio::test]
async fn the_definition_is_served() {
    let server = Server::empty();
    let reply = server.get("/api").await;
    assert_eq!(reply.header("content-type"), "application/vnd.oai.openapi+json;version=3.1");
    assert_eq!(reply.json(), tesela_api::openapi_document());
    let older = server.get("/api?f=oas30").await;
    assert_eq!(older.header("content-type"), "application/vnd.oai.openapi+json;version=3.0");
    assert_eq!(older.json()["openapi"], "3.0.3");
    let page = server.get("/api.html").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.text().contains("/v1/series"));
}

#[test]
fn every_route_is_documented_and_nothing_else() {
    let mut registered = BTreeSet::new();
    collect(&crate_dir().join("src/routes"), &mut registered);
    let document = tesela_api::openapi_document();
    let documented: BTreeSet<String> =
        document["paths"].as_object().unwrap().keys().map(|path| nameless(path)).collect();
    assert!(registered.len() > 20);
    assert_eq!(documented, registered);
}

/// Paths in `.route("…", …)` of all source files below a directory.
fn collect(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for route in text.split(".route(").skip(1) {
            let path = route.split('"').nth(1).unwrap();
            found.insert(nameless(path));
        }
    }
}

/// A path whose variables have no names and no extensions: `/tiles/{}/{}/{}`.
fn nameless(path: &str) -> String {
    let segment = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[test]
fn references_resolve_and_stay_inside() {
    let document = tesela_api::openapi_document();
    let mut references = Vec::new();
    gather(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads outside"));
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.push(reference.clone());
            }
            map.values().for_each(|v| gather(v, found));
        }
        Value::Array(list) => list.iter().for_each(|v| gather(v, found)),
        _ => {}
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_an_error() {
    let document = tesela_api::openapi_document();
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let get = &methods["get"];
        assert!(names.insert(get["operationId"].as_str().unwrap().to_owned()), "{path}");
        assert!(get["responses"]["default"].is_object(), "{path}");
        let variables = path.matches('{').count();
        let described = get["parameters"].as_array().unwrap().iter().filter(|p| p["in"] == "path").count();
        assert_eq!(described, variables, "{path}");
    }
}
