//! Manifests: the two stacks of 01, a tree like 02's, and rows made wrong.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::*;
use tesela_model::landsat::Platform;

const BANDS: &str = "band.blue,band.green,band.red,band.nir,band.swir1,band.swir2,band.fmask";

fn written(root: &Path, text: &str) -> PathBuf {
    let file = root.join("manifest.csv");
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn the_chiapas_stacks() {
    let Some(folder) = data("01-chiapas-l7-sr") else { return };
    let root = tempfile::tempdir().unwrap();
    let folder = folder.canonicalize().unwrap();
    let folder = folder.display();
    let text = format!(
        "path,datetime,platform,{BANDS}
# the sample data is elsewhere, so the paths are absolute
{folder}/LE70220492002106EDC00_stack.gtif,2002-04-16T16:14:05Z,landsat-7,1,2,3,4,5,6,8
{folder}/LE70220491999322EDC01_stack.gtif,1999-11-18,LE7,1,2,3,4,5,6,8
"
    );
    let found = discover(&[written(root.path(), &text)]);
    assert_eq!(
        (found.refused.len(), found.warnings.len()),
        (0, 0),
        "{:?} {:?}",
        found.refused,
        found.warnings
    );
    let scene = &found.scenes[0];
    assert_eq!(scene.product_id, "LE70220491999322EDC01");
    assert_eq!(scene.scene_key, "LE07_022049_19991118");
    assert_eq!((scene.platform, scene.path, scene.row), (Platform::Landsat7, 22, 49));
    assert_eq!((scene.collection.as_str(), scene.level.as_str(), scene.tier.clone()), ("pre", "SR", None));
    assert!(scene.time_assumed && !found.scenes[1].time_assumed);
    assert_eq!(scene.bands["fmask"].band_index, 8);
    assert_eq!(scene.metadata["manifest_line"], 4);
}

#[test]
fn the_447_dates_of_colorado() {
    let Some(list) = data("02-colorado-p035r032-447dates/p035r032_images.csv") else { return };
    let root = tempfile::tempdir().unwrap();
    let mut text = format!("path,datetime,platform,{BANDS}\n");
    let mut rows = 0;
    for line in fs::read_to_string(list).unwrap().lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let id = cells[2].rsplit('/').next().unwrap().replace("_stack.gtif", "");
        let date = tesela_model::landsat::SceneId::parse(&id).unwrap().acquired;
        let path = format!("images/{id}/{id}_stack.gtif");
        fs::create_dir_all(root.path().join(format!("images/{id}"))).unwrap();
        fs::write(root.path().join(&path), b"").unwrap();
        writeln!(text, "{path},{date},{},1,2,3,4,5,6,8", cells[1]).unwrap();
        rows += 1;
    }
    let found = discover(&[written(root.path(), &text)]);
    assert_eq!((rows, found.scenes.len(), found.refused.len()), (447, 447, 0), "{:?}", found.refused.first());
    assert_eq!(found.warnings, Vec::<String>::new());
    let count = |platform| found.scenes.iter().filter(|s| s.platform == platform).count();
    assert_eq!(
        (count(Platform::Landsat4), count(Platform::Landsat5), count(Platform::Landsat7)),
        (4, 284, 159)
    );
    assert!(found.scenes.windows(2).all(|w| w[0].acquired <= w[1].acquired));
    let keys: std::collections::BTreeSet<_> = found.scenes.iter().map(|s| &s.scene_key).collect();
    assert_eq!(keys.len(), 447);
}

#[test]
fn rows_that_are_wrong_name_line_and_column_and_leave_the_rest() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a.tif"), b"").unwrap();
    let text = "path,datetime,platform,cloud_cover,scene_id,band.red
a.tif,1999-11-18,landsat-7,,,3
gone.tif,1999-11-18,landsat-7,,,3
a.tif,18/11/1999,landsat-7,,,3
a.tif,1999-11-18T10:00:00,landsat-7,,,3
a.tif,1999-11-18,landsat-6,,,3
a.tif,1999-11-18,landsat-7,120,,3
a.tif,1999-11-18,landsat-7,,,0
a.tif,1999-11-18,landsat-7,,,
../a.tif,1999-11-18,landsat-7,,,3
/vsicurl/http://x/a.tif,1999-11-18,landsat-7,,,3
https://x/a.tif,1999-11-18,landsat-7,,,3
a.tif,1999-11-18,landsat-7,,x/y,3
a.tif,1999-11-18
,1999-11-18,landsat-7,,,3
";
    let manifest = written(root.path(), text);
    let found = discover(std::slice::from_ref(&manifest));
    assert_eq!(found.scenes.len(), 1);
    assert_eq!(found.scenes[0].product_id, "a");
    assert_eq!(found.scenes[0].scene_key, "LE07_a_19991118");
    let expected = [
        "3:1: ",
        "4:2: `18/11/1999`",
        "5:2: ",
        "6:3: Landsat 6",
        "7:4: `120`",
        "8:6: band `red` is `0`",
        "9:0: the row gives no band",
        "10:1: `../a.tif`",
        "11:1: ",
        "12:1: ",
        "13:5: ",
        "14:0: the line has 2 fields",
        "15:1: `path` is blank",
    ];
    assert_eq!(found.refused.len(), expected.len());
    for (refused, expected) in found.refused.iter().zip(expected) {
        let text = refused.reason.to_string();
        assert!(text.starts_with(&format!("{}:{expected}", manifest.display())), "{expected}: {text}");
        assert_eq!(refused.reason.code(), "bad_manifest");
    }
    assert!(found.refused[2].reason.to_string().contains("needs Z or an offset"));
}

#[test]
fn headers_that_are_wrong() {
    let root = tempfile::tempdir().unwrap();
    for (header, expected) in [
        ("path,datetime,band.red", "no column `platform`"),
        ("path,datetime,platform", "no band.<name> column"),
        ("path,path,datetime,platform,band.red", "`path` is given twice"),
        ("path,datetime,platform,band.", "without a name"),
        ("", "no column `path`"),
    ] {
        let found = discover(&[written(root.path(), &format!("{header}\na.tif,1999-11-18,landsat-7\n"))]);
        let text = found.refused[0].reason.to_string();
        assert!(
            found.refused.len() == 1 && text.contains(expected) && text.contains("manifest.csv:"),
            "{text}"
        );
    }
}

#[test]
fn a_shared_band_map_ids_and_overrides() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a.tif"), b"").unwrap();
    fs::write(root.path().join("LT50350321984108XXX01_stack.tif"), b"").unwrap();
    let text = format!(
        "\u{feff}path,datetime,platform,scene_id,tier,collection,cloud_cover,remark
a.tif,2015-12-05T16:07:55Z,landsat-8,{ID},,,7.5,x
LT50350321984108XXX01_stack.tif,1984-04-18,landsat-4,,T2,1,,
"
    );
    let options = DiscoverOptions {
        manifest_bands: BTreeMap::from([("red".to_owned(), 3), ("nir".to_owned(), 4)]),
        ..DiscoverOptions::default()
    };
    let found = discover_with(&[written(root.path(), &text)], &options);
    assert_eq!(found.refused, []);
    let [tm, oli] = found.scenes.as_slice() else { panic!("{:?}", found.scenes) };
    assert_eq!((oli.scene_key.as_str(), oli.level.as_str()), ("LC08_017051_20151205", "L2SP"));
    assert_eq!(
        (oli.collection.as_str(), oli.tier.as_deref(), oli.cloud_cover_percent),
        ("02", Some("T1"), Some(7.5))
    );
    assert_eq!(oli.bands["nir"].band_index, 4);
    assert_eq!((tm.collection.as_str(), tm.tier.as_deref()), ("01", Some("T2")));
    assert_eq!(tm.warnings.len(), 2, "{:?}", tm.warnings);
    assert!(found.warnings[0].contains("columns not used: remark"), "{:?}", found.warnings);
}
