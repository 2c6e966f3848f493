//! Products and zone sets as OGC collections, zones as features.

use crate::harness::{SET, Server, ZONES};

#[tokio::test]
async fn an_empty_cube_has_no_collections() {
    let server = Server::empty();
    assert_eq!(server.json("/collections").await["collections"], serde_json::json!([]));
    assert_eq!(server.json("/v1/zones").await["zone_sets"], serde_json::json!([]));
    let reply = server.get("/collections").await;
    assert_eq!(reply.header("tesela-snapshot"), "0");
}

#[tokio::test]
async fn products_and_zone_sets_have_what_clients_need() {
    let server = Server::with_zones();
    let all = server.json("/collections?lang=en").await;
    let [product, zones] = &all["collections"].as_array().unwrap()[..] else { panic!("{all}") };
    assert_eq!((&product["id"], &product["tesela:kind"]), (&"landsat_c2_sr".into(), &"scenes".into()));
    assert_eq!(product["title"], "Landsat C2 surface reflectance");
    assert_eq!(product["tesela:status"], "experimental");
    let grid = &product["tesela:grid"];
    assert_eq!((&grid["crs"], &grid["tile_size_px"]), (&"EPSG:6372".into(), &2048.into()));
    assert_eq!((&grid["resolution_m"], &grid["origin"]), (&30.0.into(), &serde_json::json!([0.0, 0.0])));
    assert!(grid["proj4"].as_str().unwrap().starts_with("+proj=lcc"), "{grid}");
    assert!(
        product["tesela:bands"].as_array().unwrap().iter().any(|b| b["name"] == "red" && b["unit"] == "1")
    );
    let style = &product["tesela:styles"][0];
    assert_eq!((&style["default"], &style["legend"]["type"]), (&true.into(), &"rgb".into()));
    assert!(product["extent"]["spatial"].is_null(), "there is no data yet");
    assert_eq!(product["tesela:datetime"]["default"], serde_json::Value::Null);

    assert_eq!((&zones["id"], &zones["tesela:kind"]), (&SET.into(), &"zones".into()));
    assert_eq!((&zones["title"], &zones["itemType"]), (&"Census blocks 2020".into(), &"feature".into()));
    assert_eq!((&zones["tesela:synthetic"], &zones["tesela:zones"]), (&true.into(), &ZONES.into()));
    let bbox = zones["extent"]["spatial"]["bbox"][0].as_array().unwrap();
    assert!(bbox[0].as_f64().unwrap() < -102.3 && bbox[3].as_f64().unwrap() > 21.8);
    let links = zones["links"].as_array().unwrap();
    assert!(links.iter().any(|l| l["rel"] == "items" && l["type"] == "application/geo+json"));

    assert_eq!(server.json("/collections/landsat_c2_sr?lang=en").await, *product);
    assert_eq!(server.json("/collections/manzanas%402020?lang=en").await, *zones);
    assert_eq!(
        server.json("/collections/landsat_c2_sr?lang=es").await["title"],
        "Reflectancia de superficie Landsat C2"
    );
}

#[tokio::test]
async fn pages_of_zones_walk_through_all_of_them() {
    let server = Server::with_zones();
    let mut path = format!("/collections/{SET}/items?limit=5");
    let mut keys = Vec::new();
    loop {
        let reply = server.get(&path).await;
        assert_eq!(reply.header("content-type"), "application/geo+json");
        let page = reply.json();
        assert_eq!((&page["type"], &page["numberMatched"]), (&"FeatureCollection".into(), &ZONES.into()));
        let features = page["features"].as_array().unwrap();
        assert_eq!(page["numberReturned"], features.len());
        for feature in features {
            assert_eq!(feature["id"], feature["properties"]["CVEGEO"]);
            assert_eq!(feature["geometry"]["type"], "Polygon");
            keys.push(feature["id"].as_str().unwrap().to_owned());
        }
        let links = page["links"].as_array().unwrap();
        assert!(links.iter().any(|l| l["rel"] == "alternate") && links.iter().any(|l| l["rel"] == "self"));
        let Some(next) = links.iter().find(|l| l["rel"] == "next") else { break };
        path = next["href"].as_str().unwrap().replace("http://cubo.example", "");
    }
    assert_eq!(keys.len(), ZONES);
    assert!(keys.is_sorted());
}

#[tokio::test]
async fn zones_can_be_chosen_by_box_in_any_crs() {
    let server = Server::with_zones();
    let count = async |query: &str| -> u64 {
        server.json(&format!("/collections/manzanas%402020/items?{query}")).await["numberMatched"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(count("bbox=-102.401,21.79,-102.375,21.81").await, 3);
    assert_eq!(count("bbox=21.79,-102.401,21.81,-102.375&bbox-crs=EPSG:4326").await, 3);
    assert_eq!(count("bbox=-102.401,21.79,-102.375,21.81&limit=1").await, 3);
    assert_eq!(count("bbox=10,10,11,11").await, 0);
    assert_eq!(count("datetime=2024-01-01/..").await, ZONES as u64);
    let page =
        server.json(&format!("/collections/{SET}/items?bbox=-102.401,21.79,-102.375,21.81&limit=2")).await;
    let next = page["links"].as_array().unwrap().iter().find(|l| l["rel"] == "next").unwrap();
    assert!(next["href"].as_str().unwrap().contains("bbox=-102.401%2C21.79"), "{next}");
}

#[tokio::test]
async fn one_zone_and_its_csv() {
    let server = Server::with_zones();
    let path = format!("/collections/{SET}/items/010010003");
    let zone = server.json(&path).await;
    assert_eq!((&zone["type"], &zone["id"]), (&"Feature".into(), &"010010003".into()));
    for rel in ["self", "alternate", "collection"] {
        assert!(zone["links"].as_array().unwrap().iter().any(|l| l["rel"] == rel), "{rel}");
    }
    let csv = server.get_with(&path, &[("accept", "text/csv")]).await;
    assert_eq!(
        csv.text(),
        "\"key\",\"area_m2\",\"CVEGEO\",\"name\"\r\n\"010010003\",700000,\"010010003\",\"Manzana, 3\"\r\n"
    );
    let page = server.get(&format!("/collections/{SET}/items?f=csv&limit=5")).await;
    assert!(page.header("link").contains("offset=5") && page.header("link").contains("rel=\"next\""));
}

#[tokio::test]
async fn wrong_questions_are_refused() {
    let server = Server::with_zones();
    let items = |query: &str| format!("/collections/{SET}/items?{query}");
    for query in [
        "limit=abc",
        "limit=-1",
        "limit=0",
        "offset=x",
        "bbox=1,2,3",
        "bbox=a,b,c,d",
        "bbox=1,2,3,4&bbox-crs=EPSG:0",
        "datetime=not-a-date",
        "f=xml",
        "limit=1&limit=2",
        "f=%ff",
        "f=%4",
    ] {
        assert_eq!(server.get(&items(query)).await.status, 400, "{query}");
    }
    server.get(&items("unknownparameter=1")).await.problem(400, "unknown_parameter");
    server.get("/collections?unknownparameter=1").await.problem(400, "unknown_parameter");
    server.get("/collections/landsat_c2_sr?x=1").await.problem(400, "unknown_parameter");
    server.get("/collections/no-such").await.problem(404, "unknown_collection");
    server.get("/collections/no-such/items").await.problem(404, "unknown_collection");
    server.get("/collections/landsat_c2_sr/items").await.problem(404, "no_items");
    server.get(&format!("/collections/{SET}/items/no-such")).await.problem(404, "unknown_zone");
    assert_eq!(server.get("/collections/%ff").await.status, 400);
    let problem = server.get(&items("limit=abc")).await.problem(400, "invalid_parameter");
    assert_eq!(problem["parameter"], "limit");
}
