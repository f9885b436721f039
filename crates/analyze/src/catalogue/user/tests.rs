use std::error::Error as _;

use super::*;

fn entry(id: &str, sha256: char) -> ModelEntry {
    let sha256: String = std::iter::repeat_n(sha256, 64).collect();
    ModelEntry {
        id: id.to_owned(),
        file: file_name(id, &sha256),
        sha256: vec![sha256],
        family: Family::Yolox,
        labels: Labels::new(["cat", "n/a"]).unwrap(),
        origin: Origin::Added,
        licence: "MIT".to_owned(),
        description: "cats".to_owned(),
    }
}

#[test]
fn entries_come_back_as_they_were_entered() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(read(folder).unwrap(), []);
    assert_eq!(change(folder, "b", Some(&entry("b", '1'))).unwrap(), None);
    assert_eq!(change(folder, "a.b-2", Some(&entry("a.b-2", '2'))).unwrap(), None);
    assert_eq!(read(folder).unwrap(), [entry("a.b-2", '2'), entry("b", '1')]);
    assert_eq!(change(folder, "b", Some(&entry("b", '3'))).unwrap(), Some(entry("b", '1').sha256.concat()));
    assert_eq!(change(folder, "a.b-2", None).unwrap(), Some(entry("", '2').sha256.concat()));
    assert_eq!(change(folder, "a.b-2", None).unwrap(), None);
    assert_eq!(read(folder).unwrap(), [entry("b", '3')]);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn ids_have_a_strict_grammar() {
    for id in ["a", "0", "my-model", "yolox-s.v2", "a.-", &"x".repeat(64)] {
        assert_eq!(check_id(id), Ok(()), "{id}");
    }
    let wrong = ["", "-a", ".a", "A", "a_b", "a b", "a/b", "..", "ä", "a\n", "x.onnx", &"x".repeat(65)];
    for id in wrong {
        assert_eq!(check_id(id), Err(EntryError::Id), "{id:?}");
    }
    for built_in in built_in() {
        assert_eq!(check_id(&built_in.id), Err(EntryError::BuiltIn));
    }
}

#[test]
fn a_damaged_file_is_neither_obeyed_nor_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    change(folder.path(), "a", Some(&entry("a", '1'))).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let whole = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        good[..good.len() / 2].to_owned(),
        good.replace("\"licence\"", "\"license\""),
        good.replace("\"format\": 1", "\"format\": 1, \"more\": 1"),
        good.replace("yolox", "yolo"),
    ];
    for text in whole {
        fs::write(&path, &text).unwrap();
        for error in [read(folder.path()).unwrap_err(), change(folder.path(), "b", None).unwrap_err()] {
            assert!(matches!(error, UserCatalogueError::Damaged { .. }), "{text:?}: {error}");
            assert!(error.to_string().contains(FILE) && error.source().is_some());
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(&path, good.replace("\"format\": 1", "\"format\": 2, \"more\": 1")).unwrap();
    assert!(matches!(read(folder.path()), Err(UserCatalogueError::Format { format: 2, .. })));
}

#[test]
fn an_entry_without_sense_is_named_and_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    change(folder.path(), "a", Some(&entry("a", '1'))).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let cases = [
        ("../../x", good.replace("\"a\"", "\"../../x\"")),
        ("yolox-nano", good.replace("\"a\"", "\"yolox-nano\"")),
        ("a", good.replace("1111", "../x")),
        ("a", good.replace("1111", "GGGG")),
        ("a", good.replace("\"cat\"", "\"n/a\"")),
        ("a", good.replace("MIT", "M\\nIT")),
    ];
    for (id, text) in cases {
        fs::write(&path, &text).unwrap();
        let error = read(folder.path()).unwrap_err();
        assert!(matches!(error, UserCatalogueError::Entry { .. }), "{error}");
        assert!(error.to_string().contains(&format!("models remove {id}")), "{error}");
        assert!(change(folder.path(), id, None).unwrap().is_some());
        assert_eq!(read(folder.path()).unwrap(), []);
    }
}

#[test]
fn what_is_no_file_of_ours_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    fs::create_dir(&path).unwrap();
    assert!(matches!(read(folder.path()), Err(UserCatalogueError::Read { .. })));
    fs::remove_dir(&path).unwrap();
    fs::File::create(&path).unwrap().set_len(MOST_BYTES + 1).unwrap();
    assert!(matches!(read(folder.path()), Err(UserCatalogueError::Read { .. })));
}

#[test]
fn there_is_an_end_to_it() {
    let folder = tempfile::tempdir().unwrap();
    for at in 0..MOST_MODELS {
        change(folder.path(), &at.to_string(), Some(&entry(&at.to_string(), '1'))).unwrap();
    }
    let more = change(folder.path(), "more", Some(&entry("more", '1')));
    assert!(matches!(more, Err(UserCatalogueError::Full { .. })));
    change(folder.path(), "7", Some(&entry("7", '2'))).unwrap();
    assert_eq!(read(folder.path()).unwrap().len(), MOST_MODELS);
}
