use super::*;

fn status(catalogue: &Catalogue, id: &str) -> ModelStatus {
    catalogue.list().into_iter().find(|(entry, _)| entry.id == id).unwrap().1
}

#[test]
fn entries_are_distinct_and_complete() {
    let known = entry::built_in();
    assert_eq!(known[0].id, DEFAULT_MODEL);
    for (at, entry) in known.iter().enumerate() {
        let twin = |other: &ModelEntry| {
            other.id == entry.id
                || other.file == entry.file
                || other.sha256.iter().any(|sha256| entry.sha256.contains(sha256))
        };
        assert!(!known[at + 1..].iter().any(twin), "{}", entry.id);
        let is_digest =
            |sha256: &String| sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(!entry.sha256.is_empty() && entry.sha256.iter().all(is_digest), "{}", entry.id);
    }
}

#[test]
fn files_are_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::built_in(home.path());
    let ssd = home.path().join(FOLDER).join(&entry::built_in()[0].file);
    assert_eq!(status(&catalogue, DEFAULT_MODEL), ModelStatus::Missing);
    fs::create_dir_all(&ssd).unwrap();
    assert!(matches!(status(&catalogue, DEFAULT_MODEL), ModelStatus::Unreadable { .. }), "a directory");
    fs::remove_dir(&ssd).unwrap();
    fs::write(&ssd, "abc").unwrap();
    // FIPS 180-2, appendix B.1.
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
    assert_eq!(status(&catalogue, DEFAULT_MODEL), ModelStatus::Mismatch { bytes: 3, sha256: sha256.clone() });
    assert_eq!(status(&catalogue, "yolox-nano"), ModelStatus::Missing);
    let error = catalogue.verify().unwrap_err().to_string();
    assert!(error.contains(&sha256) && error.contains("./dev setup"), "{error}");
}

#[test]
fn a_model_that_cannot_be_used_is_explained() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::built_in(home.path());
    let check = |word: &str, hints: &[&str]| {
        let error = catalogue.find(word).map(|file| file.sha256).unwrap_err().to_string();
        assert!(hints.iter().all(|hint| error.contains(hint)), "{word}: {error}");
    };
    check(DEFAULT_MODEL, &["ssdlite_mobilenet_v2_coco.onnx", "./dev setup"]);
    check("yolox-nano", &["yolox_nano.onnx", "download"]);
    check("yolox-mini", &["yolox-mini", "yolox-nano", DEFAULT_MODEL]);
    check("no/such/file", &["no/such/file"]);
    check("absent.onnx", &["absent.onnx"]);
    let foreign = home.path().join("foreign.onnx");
    fs::write(&foreign, "abc").unwrap();
    check(foreign.to_str().unwrap(), &["no model of the catalogue", "ba7816bf", "models add"]);
}
