//! Every derived raster as a STAC item: what it was made from, how, by which program.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Server, TestCube, demo, python_with, run_python};

/// pystac's own schemas of items and collections, which it brings along; those of extensions it would download.
const VALIDATE: &str = r#"
import json, sys, urllib.request, pystac
for url in sys.argv[1:]:
    document = json.load(urllib.request.urlopen(url))
    parts = document.get("features", [document])
    for part in parts:
        extensions = part.pop("stac_extensions", [])
        assert all(e.startswith("https://stac-extensions.github.io/") for e in extensions), extensions
        part["stac_extensions"] = []
        stac = {"Feature": pystac.Item, "Collection": pystac.Collection, "Catalog": pystac.Catalog}[part["type"]]
        stac.from_dict(part).validate()
print("valid")
"#;

fn links<'i>(item: &'i Value, rel: &'i str) -> impl Iterator<Item = &'i str> {
    let all = item["links"].as_array().unwrap().iter();
    all.filter(move |l| l["rel"] == rel).map(|l| l["href"].as_str().unwrap())
}

/// The document behind an absolute address of the server.
#[track_caller]
fn follow(server: &Server, href: &str) -> Value {
    server.json(
        href.strip_prefix(server.base()).unwrap_or_else(|| panic!("{href} is not of {}", server.base())),
    )
}

/// All inputs of an item, and the digest over them as it is recorded and as it follows from them.
fn inputs(server: &Server, item: &Value, limit: usize) -> (Vec<Value>, Value, String) {
    let (mut found, mut recorded) = (Vec::new(), Value::Null);
    let mut next = links(item, "via").next().map(|href| {
        let mark = if href.contains('?') { '&' } else { '?' };
        format!("{href}{mark}limit={limit}")
    });
    while let Some(href) = next {
        let page = follow(server, &href);
        found.extend(page["inputs"].as_array().unwrap().iter().cloned());
        recorded = page["recorded"].clone();
        next = links(&page, "next").next().map(str::to_owned);
    }
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let lines: String =
        found.iter().map(|i| format!("{} {}\n", text(&i["id"]), text(&i["digest"]))).collect();
    (found, recorded, blake3::hash(lines.as_bytes()).to_hex().to_string())
}

/// What every item of a raster says.
#[track_caller]
fn tells_how_it_was_made(server: &Server, item: &Value, recipe: &str, kind: &str, level: &str) -> Vec<Value> {
    let told = &item["properties"];
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(told["processing:software"]["tesela"], version);
    assert_eq!((&told["processing:level"], &told["tesela:recipe"]["id"]), (&level.into(), &recipe.into()));
    assert_eq!(told["processing:version"], told["tesela:recipe"]["version"]);
    let made = told["processing:datetime"].as_str().unwrap();
    assert!(made.ends_with('Z') && made.len() == 20 && told["created"] == made, "{made}");
    let expression = &told["processing:expression"];
    assert_eq!(
        (&expression["format"], &expression["expression"]["recipe"]),
        (&"tesela-recipe".into(), &recipe.into())
    );
    assert!(told["processing:lineage"].as_str().unwrap().contains(recipe), "{told:#}");
    assert_eq!(told["tesela:recipe"]["digest"].as_str().unwrap().len(), 64);
    let (found, recorded, digest) = inputs(server, item, 3);
    assert_eq!((&recorded["kind"], &recorded["count"]), (&kind.into(), &found.len().into()));
    assert_eq!((recorded["digest"].as_str().unwrap(), &recorded), (digest.as_str(), &told["tesela:inputs"]));
    // Each link leads to the input's own item.
    let linked: Vec<&str> = links(item, "derived_from").collect();
    assert_eq!(linked.len(), found.len().min(100));
    for (href, input) in linked.iter().zip(&found) {
        assert_eq!(input["href"], *href);
        let source = follow(server, href);
        assert_eq!((&source["type"], &source["collection"]), (&"Feature".into(), &input["collection"]));
        assert!(
            source["id"].as_str().unwrap().ends_with(input["id"].as_str().unwrap()),
            "{input} {}",
            source["id"]
        );
        if kind == "scenes" {
            assert_eq!(source["properties"]["tesela:digest"], input["digest"]);
        }
    }
    found
}

fn scenes_behind(cube: &TestCube, year: &str) -> BTreeSet<String> {
    let scenes = cube.json(&["scenes", "list", "--limit", "0"]);
    let ids = scenes.as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap().to_owned());
    ids.filter(|id| id.split('_').nth(3).unwrap().starts_with(year)).collect()
}

#[test]
fn a_derived_item_names_recipe_software_and_inputs() {
    let cube = demo("2019-2020");
    let server = Server::start(&cube);
    let catalog = server.json("stac?lang=en");
    let children: Vec<&str> = links(&catalog, "child").collect();
    assert!(children.iter().any(|c| c.ends_with("/stac/collections/geomedian_annual")), "{children:?}");
    for child in &children {
        assert_eq!(follow(&server, child)["type"], "Collection");
    }
    let page = server.json("stac/collections/geomedian_annual/items?lang=en");
    let items = page["features"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let item = &items[1];
    assert_eq!(item["id"], "geomedian_annual_2020");
    assert_eq!(item["properties"]["start_datetime"], "2020-01-01T00:00:00Z");
    assert_eq!(item["properties"]["end_datetime"], "2020-12-31T23:59:59Z");
    assert_eq!(server.json("stac/collections/geomedian_annual/items/geomedian_annual_2020?lang=en"), *item);
    let made_from = tells_how_it_was_made(&server, item, "geomedian_annual", "scenes", "L3");
    let named: BTreeSet<String> = made_from.iter().map(|i| i["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(named, scenes_behind(&cube, "2020"));
    let ndvi = server.json("stac/collections/ndvi_annual/items/ndvi_annual_2020");
    let made_from = tells_how_it_was_made(&server, &ndvi, "ndvi_annual", "rasters", "L3");
    assert_eq!(
        (&made_from[0]["collection"], &made_from[0]["id"]),
        (&"geomedian_annual".into(), &"2020".into())
    );

    // By time, by place, page by page.
    let ids = |query: &str| -> Vec<String> {
        let page = server.json(&format!("stac/collections/{query}"));
        page["features"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("geomedian_annual/items?datetime=2019"), ["geomedian_annual_2019"]);
    assert_eq!(ids("geomedian_annual/items?bbox=0,0,1,1"), Vec::<String>::new());
    let mut paged = Vec::new();
    let mut next = Some(format!("{}stac/collections/landsat_c2_sr/items?limit=3", server.base()));
    while let Some(href) = next {
        let page = follow(&server, &href);
        paged.extend(
            page["features"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap().to_owned()),
        );
        next = links(&page, "next").next().map(str::to_owned);
    }
    let all: BTreeSet<String> = ["2019", "2020"].iter().flat_map(|year| scenes_behind(&cube, year)).collect();
    assert_eq!((paged.len(), paged.iter().cloned().collect::<BTreeSet<_>>()), (all.len(), all));

    if python_with("pystac, jsonschema") {
        let urls: Vec<String> = [
            "stac",
            "stac/collections/landsat_c2_sr",
            "stac/collections/ndvi_annual",
            "stac/collections/geomedian_annual/items",
            "stac/collections/ndvi_annual/items/ndvi_annual_2019",
            "stac/collections/landsat_c2_sr/items?limit=50",
        ]
        .map(|path| format!("{}{path}", server.base()))
        .into();
        assert_eq!(run_python(VALIDATE, &urls).trim(), "valid");
    }
}

#[test]
fn inputs_are_found_after_they_were_replaced() {
    let cube = demo("2019-2020");
    let gone = scenes_behind(&cube, "2020").pop_first().unwrap();
    let before = cube.json(&["snapshots", "list", "--limit", "1"])[0]["n"].as_u64().unwrap();
    let path = "stac/collections/geomedian_annual/items/geomedian_annual_2020";
    let then = Server::start(&cube).json(path)["properties"].clone();
    cube.ok(&["scenes", "archive", &gone]);
    cube.ok(&["compute", "geomedian_annual"]);
    let server = Server::start(&cube);
    assert_eq!(server.get(&format!("stac/collections/landsat_c2_sr/items/{gone}")).status, 404);
    // The raster of before, and what it was made from, at the commit of before.
    let old = server.json(&format!("{path}?snapshot={before}"));
    assert_eq!(old["properties"]["tesela:inputs"], then["tesela:inputs"]);
    assert!(links(&old, "derived_from").any(|href| href.contains(&gone)));
    tells_how_it_was_made(&server, &old, "geomedian_annual", "scenes", "L3");
    let new = server.json(path);
    assert!(!links(&new, "derived_from").any(|href| href.contains(&gone)));
    let made_from = tells_how_it_was_made(&server, &new, "geomedian_annual", "scenes", "L3");
    assert_eq!(then["tesela:inputs"]["count"].as_u64().unwrap(), made_from.len() as u64 + 1);
    assert_ne!(new["properties"]["tesela:inputs"]["digest"], then["tesela:inputs"]["digest"]);
    // Snapshots of before let go of: the item still tells what it was made from.
    cube.ok(&["gc", "--keep", "0d", "--grace", "0s"]);
    let kept = server.json(path);
    assert_eq!(kept["properties"]["tesela:inputs"], new["properties"]["tesela:inputs"]);
    let (found, recorded, digest) = inputs(&server, &kept, 100);
    assert_eq!((recorded["digest"].as_str().unwrap(), found.len()), (digest.as_str(), made_from.len()));
}

#[test]
fn wrong_questions_of_items_are_refused() {
    let cube = demo("2019-2019");
    let server = Server::start(&cube);
    for (path, status) in [
        ("stac/collections/nothing", 404),
        ("stac/collections/nothing/items", 404),
        ("stac/collections/geomedian_annual/items/geomedian_annual_1800", 404),
        ("stac/collections/landsat_c2_sr/items/nothing", 404),
        ("stac/collections/landsat_c2_sr/items/nothing/inputs", 404),
        ("stac/collections/landsat_c2_sr/items?token=x", 400),
        ("stac/collections/landsat_c2_sr/items?limit=0", 400),
        ("stac/collections/landsat_c2_sr/items?datetime=x", 400),
        ("stac?snapshot=99999", 404),
        ("stac?nothing=1", 400),
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert_eq!(answer.content_type, "application/problem+json", "{path}");
    }
}
