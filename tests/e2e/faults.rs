//! Faults planted in a sound cube: `tesela check` names each and exits with 1.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{TestCube, demo, require, run_python};

/// Runs SQL on the index through Python, as an operator's slip would; `{…}` are Python's.
fn sql(cube: &TestCube, script: &str) -> String {
    let program = format!(
        "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\ndef one(q): return db.execute(q).fetchone()\n{script}\ndb.commit()"
    );
    run_python(&program, &[cube.index()]).trim().to_owned()
}

fn copied(sound: &TestCube) -> TestCube {
    let copy = TestCube::unmade();
    let done = Command::new("cp").arg("-r").arg(sound.dir()).arg(copy.dir()).status().unwrap();
    assert!(done.success());
    copy
}

/// The check exits with 1 and names the fault and what it is about.
#[track_caller]
fn finds(cube: &TestCube, kind: &str, about: &[&str]) {
    let outcome = cube.run(&["check"]);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    let line = outcome.stdout.lines().find(|l| l.starts_with(kind));
    let line = line.unwrap_or_else(|| panic!("no {kind} in {outcome:#?}"));
    for part in about {
        assert!(line.contains(part), "no {part} in {line}");
    }
}

/// The largest object of a data array under a prefix of the store.
fn chunk(cube: &TestCube, prefix: &str) -> (PathBuf, String) {
    fn walk(folder: &Path, found: &mut Vec<(u64, PathBuf)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                walk(&entry.path(), found);
            } else {
                found.push((entry.metadata().unwrap().len(), entry.path()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&cube.store().join(prefix), &mut found);
    found
        .retain(|(_, p)| p.to_str().unwrap().contains("/red/c/") || p.to_str().unwrap().contains("/ndvi/c/"));
    let path = found.into_iter().max().unwrap().1;
    let key = path.strip_prefix(cube.store()).unwrap().to_str().unwrap().to_owned();
    (path, key)
}

#[test]
fn each_planted_fault_is_named() {
    let python = Command::new(std::env::var_os("TESELA_PYTHON").unwrap_or_else(|| "python3".into()))
        .args(["-c", "import sqlite3"])
        .status();
    if !require(python.is_ok_and(|s| s.success()), "no Python with sqlite3 (set TESELA_PYTHON)") {
        return;
    }
    let sound = demo("2019-2020");
    sound.is_sound();

    let cube = copied(&sound);
    let (path, key) = chunk(&cube, "scenes/landsat_c2_sr");
    std::fs::remove_file(path).unwrap();
    finds(&cube, "object_missing", &[&key]);

    let cube = copied(&sound);
    let (path, key) = chunk(&cube, "derived/geomedian_annual");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    finds(&cube, "object_damaged", &[&key]);

    let cube = copied(&sound);
    let (_, key) = chunk(&cube, "scenes/landsat_c2_sr");
    let orphan = cube.store().join(&key).with_file_name("99");
    std::fs::write(&orphan, b"left behind").unwrap();
    let orphan = orphan.strip_prefix(cube.store()).unwrap().to_str().unwrap().to_owned();
    finds(&cube, "object_orphan", &[&orphan]);

    let cube = copied(&sound);
    let prefix = sql(
        &cube,
        "slot, prefix = one('select l.slot_id, g.prefix from slot_locations l join groups g on g.id = l.group_id order by l.slot_id limit 1')\n\
         for table in ('slot_locations', 'slot_scenes', 'generation_slots'): db.execute(f'delete from {table} where slot_id = ?', (slot,))\n\
         db.execute('delete from slots where id = ?', (slot,))\nprint(prefix)",
    );
    finds(&cube, "index_row_missing", &[&prefix, "no slot there"]);

    let cube = copied(&sound);
    let prefix = sql(
        &cube,
        "slot, prefix = one('select l.slot_id, g.prefix from slot_locations l join groups g on g.id = l.group_id order by l.slot_id limit 1')\n\
         db.execute('update slots set time = time + 86400 where id = ?', (slot,))\nprint(prefix)",
    );
    finds(&cube, "date_differs", &[&prefix]);

    stale_pyramids(&sound);
    sound.is_sound();
}

/// Level 1 of one year takes the place of another's, digests and all: only the pyramid itself can tell.
fn stale_pyramids(sound: &TestCube) {
    let cube = copied(sound);
    sql(
        &cube,
        "import os\n\
         rows = db.execute(\"select g.prefix from generations r join groups g on g.id = r.group_id where r.product = 'ndvi_annual' order by r.period_start\").fetchall()\n\
         a, b = rows[0][0], rows[1][0]\n\
         store = os.path.join(os.path.dirname(sys.argv[1]), 'store')\n\
         of = lambda p: {k[len(p):]: (k, n, d) for k, n, d in db.execute('select key, bytes, digest from objects where key like ?', (p + '/overviews/1/ndvi/c/%',))}\n\
         first, second = of(a), of(b)\n\
         shared = sorted(set(first) & set(second))\n\
         assert shared, (first, second)\n\
         for name in shared:\n    \
             (ka, _, _), (kb, n, d) = first[name], second[name]\n    \
             data = open(os.path.join(store, kb), 'rb').read()\n    \
             os.chmod(os.path.join(store, ka), 0o644)\n    \
             open(os.path.join(store, ka), 'wb').write(data)\n    \
             db.execute('update objects set bytes = ?, digest = ? where key = ?', (n, d, ka))",
    );
    finds(&cube, "pyramid_stale", &["level 1", "ndvi_annual 2019"]);

    let cube = copied(sound);
    let day = sql(
        &cube,
        "row, day = one('select id, solar_day from overviews order by id limit 1')\n\
         db.execute('update overviews set slots_digest = ? where id = ?', ('0' * 64, row))\nprint(day)",
    );
    finds(&cube, "pyramid_stale", &["landsat_c2_sr", &day, "other slots"]);
}
