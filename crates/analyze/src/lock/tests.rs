use std::error::Error as _;

use super::*;

fn entry(precision: Precision) -> LockEntry {
    LockEntry {
        model: "some-model".to_owned(),
        runtime: "openvino".to_owned(),
        runtime_version: "2026.4.0".to_owned(),
        precision,
        cpu_class: "x86_64 avx2".to_owned(),
    }
}

fn first(folder: &Path) -> Result<LockEntry, LockError> {
    obey_or_choose(folder, "aa", || Ok(entry(Precision::F32)))
}

#[test]
fn a_later_choice_replaces_the_first_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(peek(folder.path(), "aa").unwrap(), None);
    for sha256 in ["aa", "bb"] {
        note(folder.path(), sha256, entry(Precision::F32)).unwrap();
    }
    note(folder.path(), "aa", entry(Precision::Bf16)).unwrap();
    assert_eq!(peek(folder.path(), "aa").unwrap(), Some(entry(Precision::Bf16)));
    assert_eq!(peek(folder.path(), "bb").unwrap(), Some(entry(Precision::F32)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn the_first_choice_is_written_and_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let choose = |sha256: &str, precision| {
        obey_or_choose(folder.path(), sha256, || Ok::<_, LockError>(entry(precision))).unwrap()
    };
    assert_eq!(choose("aa", Precision::Bf16), entry(Precision::Bf16));
    assert_eq!(choose("bb", Precision::F32), entry(Precision::F32), "another model, another choice");
    let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
    for sha256 in ["aa", "bb"] {
        let never = || -> Result<LockEntry, LockError> { unreachable!("an entry is there") };
        obey_or_choose(folder.path(), sha256, never).unwrap();
    }
    assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), text, "written once");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_damaged_file_is_neither_obeyed_nor_replaced() {
    let good = r#"{"format":1,"models":{}}"#;
    let no_precision = r#"{"format":1,"models":{"aa":{"model":"m","runtime":"r"}}}"#;
    for text in ["", "{", "[]", &good[..20], no_precision, r#"{"format":1,"models":{},"more":1}"#] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, text).unwrap();
        let error = first(folder.path()).unwrap_err();
        assert!(matches!(error, LockError::Damaged { .. }), "{text:?}: {error}");
        assert!(error.to_string().contains(FILE) && error.source().is_some());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_later_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), r#"{"format":2,"models":{}}"#).unwrap();
    let error = first(folder.path()).unwrap_err();
    assert!(matches!(error, LockError::Format { format: 2, .. }), "{error}");
}

#[test]
fn what_is_no_file_of_ours_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    fs::create_dir(&path).unwrap();
    let error = || first(folder.path()).unwrap_err();
    assert!(matches!(error(), LockError::Read { .. }));
    fs::remove_dir(&path).unwrap();
    fs::File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
    assert!(matches!(error(), LockError::Read { .. }));
}

#[test]
fn a_folder_that_cannot_be_written_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    assert_eq!(first(&absent).unwrap(), entry(Precision::F32));
    assert!(matches!(note(&absent, "aa", entry(Precision::F32)), Err(LockError::Write { .. })), "asked for");
}
